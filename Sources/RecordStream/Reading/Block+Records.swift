/// Access by record, copying: what record types are made from. Columns are named by their number in the schema.
extension Block {
    public func number<Value: BitwiseCopyable>(_ column: Int, _ record: Int, as type: Value.Type = Value.self) -> Value {
        values(column, as: type)[record]
    }

    public func list<Value: BitwiseCopyable>(_ column: Int, _ record: Int, as type: Value.Type = Value.self) -> [Value] {
        Array(values(column, as: type)[range(column, record)])
    }

    public func lists<Value: BitwiseCopyable>(_ column: Int, _ record: Int, as type: Value.Type = Value.self) -> [[Value]] {
        let all = values(column, as: type)
        return range(column, record).map { Array(all[innerRange(column, $0)]) }
    }

    public func text(_ column: Int, _ record: Int) -> [UInt8] { list(column, record) }

    public func texts(_ column: Int, _ record: Int) -> [[UInt8]] { lists(column, record) }

    /// One dictionary text a record (depth 0).
    public func name(_ column: Int, _ record: Int) -> [UInt8] {
        Array(dictionaryText(column, Int(number(column, record, as: UInt32.self))))
    }

    /// A list of dictionary texts (depth 1).
    public func names(_ column: Int, _ record: Int) -> [[UInt8]] {
        list(column, record, as: UInt32.self).map { Array(dictionaryText(column, Int($0))) }
    }

    /// A list of lists of dictionary texts (depth 2).
    public func nameLists(_ column: Int, _ record: Int) -> [[[UInt8]]] {
        lists(column, record, as: UInt32.self).map { $0.map { Array(dictionaryText(column, Int($0))) } }
    }
}
