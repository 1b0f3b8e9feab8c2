import Numerics
import SystemIO

/// A model's weights: every tensor in one arena of floats.
public final class Parameters: Sendable {
    public let layout: ParameterLayout
    public let values: FloatBuffer

    public var configuration: ModelConfiguration { layout.configuration }
    public var tensors: [ParameterTensor] { layout.tensors }

    /// All zero.
    public init(configuration: ModelConfiguration) throws {
        layout = ParameterLayout(configuration)
        values = try FloatBuffer.orInputError(count: layout.count, what: "the model's weights")
    }

    /// - Parameter fill: writes one tensor's values (row-major) into its place.
    public convenience init(configuration: ModelConfiguration,
                            fill: (_ tensor: ParameterTensor, _ values: UnsafeMutableBufferPointer<Float>) throws -> Void) throws {
        try self.init(configuration: configuration)
        for tensor in tensors { try fill(tensor, self[tensor]) }
    }

    /// - Parameter tensor: gives the values of a tensor by its Hugging Face name, row-major.
    /// - Throws: `InputError` when their number is not the configuration's.
    public convenience init(configuration: ModelConfiguration, tensor: (_ name: String) throws -> [Float]) throws {
        try self.init(configuration: configuration) { place, values in
            let given = try tensor(place.name)
            guard given.count == values.count else {
                throw InputError("\(place.name) has \(given.count) values, the configuration says \(place.shape) = \(values.count)")
            }
            _ = values.update(fromContentsOf: given)
        }
    }

    /// The values of one tensor, in place.
    public subscript(_ tensor: ParameterTensor) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(rebasing: values.all[tensor.range])
    }

    /// The values of a tensor by name; nil when there is no such tensor.
    public subscript(_ name: String) -> UnsafeMutableBufferPointer<Float>? { layout.tensor(name).map { self[$0] } }

    /// A copy with its own memory, such as the frozen reference of a policy.
    public func copy() throws -> Parameters {
        let copy = try Parameters(configuration: configuration)
        copy.values.base.update(from: values.base, count: values.count)
        return copy
    }
}

/// Sums of gradients of every tensor, laid out as the parameters: `values` is one buffer to add up, measure, clip and hand to the optimizer.
public final class Gradients: Sendable {
    public let layout: ParameterLayout
    public let values: FloatBuffer

    /// All zero.
    public init(_ layout: ParameterLayout) throws {
        self.layout = layout
        values = try FloatBuffer.orInputError(count: layout.count, what: "the gradients")
    }

    public func clear(_ pool: WorkerPool) {
        let base = values.base
        pool.run(count: values.count, by: 1 << 20) { range, _ in (base + range.lowerBound).update(repeating: 0, count: range.count) }
    }

    /// values += other.values
    public func add(_ other: Gradients, _ pool: WorkerPool) {
        RowKernels(pool: pool).add(other.values.base, count: min(values.count, other.values.count), to: values.base)
    }

    /// The sum of the squares of all gradients, in a fixed order.
    public func sumOfSquares(_ pool: WorkerPool) -> Double { RowKernels(pool: pool).sumOfSquares(values.base, count: values.count) }

    public subscript(_ tensor: ParameterTensor) -> UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(rebasing: values.all[tensor.range]) }

    public subscript(_ name: String) -> UnsafeMutableBufferPointer<Float>? { layout.tensor(name).map { self[$0] } }
}

extension FloatBuffer {
    /// An allocation whose failure is the user's to know: the size and what it was for.
    static func orInputError(count: Int, what: String) throws -> FloatBuffer {
        do {
            return try FloatBuffer(count: count)
        } catch {
            throw InputError("no memory for \(what) (\(error.bytes >> 20) MiB)", status: .internalError)
        }
    }
}
