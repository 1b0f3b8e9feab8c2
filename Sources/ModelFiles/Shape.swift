/// The number of elements of a shape, or nil when it does not fit an Int. A shape without dimensions has one element.
func elementCount(of shape: [Int]) -> Int? {
    // A zero anywhere makes the count zero, whatever the other dimensions are.
    if shape.contains(0) { return 0 }
    var count = 1
    for size in shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: size)
        if overflow || size < 0 { return nil }
        count = product
    }
    return count
}

/// "[49152, 576]"
func shapeText(_ shape: [Int]) -> String {
    "[" + shape.map(String.init).joined(separator: ", ") + "]"
}

/// Names of tensors and keys are printable ASCII in every published model. Holding to that makes order, equality and messages plain.
func asciiName(_ bytes: some Collection<UInt8>) -> String? {
    guard !bytes.isEmpty, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
}
