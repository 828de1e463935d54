public import Backends
public import Tensors
import Weights

/// The matrices of an adapter, ready for a slot of a prepared plan.
public struct AdapterWeights: Sendable {
    /// One for each set that the adapter has matrices for, of the sets' shapes.
    public let matrices: [MatrixSetID: HostTensor]
    /// Bytes of host memory that they take.
    public let byteCount: Int

    public init(_ matrices: [MatrixSetID: HostTensor]) {
        self.matrices = matrices
        byteCount = matrices.values.reduce(0) { $0 + $1.byteCount }
    }

    /// Reads the matrices of `adapter` for a model that has `modules`. Ranks below that of `limits` are padded with zeros;
    /// the scale becomes a part of the second matrix.
    ///
    /// Every name, shape and type is checked before anything is converted, so that a bad adapter costs little. Throws
    /// `unknownModule`, `rankTooHigh`, or `file` for a wrong shape or type.
    public init(
        _ adapter: AdapterFile, for modules: [AdapterModule], limits: AdapterLimits
    ) throws(AdapterError) {
        let table = AdapterModules(modules)
        var parts: [(product: Product, operations: [AdapterModule])] = []
        for product in adapter.products {
            let operations = table.operations(of: product.module, format: adapter.format)
            guard let first = operations.first else {
                throw .unknownModule(file: adapter.tensors.file, tensor: product.down, module: product.module)
            }
            let outputSize =
                first.rows == nil
                ? first.outputSize : operations.flatMap { $0.rows ?? [] }.map(\.upperBound).max() ?? 0
            let read = try Product(
                product, of: adapter, inputSize: first.inputSize, outputSize: outputSize, limit: limits.rank)
            parts.append((read, operations))
        }
        var matrices: [MatrixSetID: HostTensor] = [:]
        for (product, operations) in parts {
            let down = try product.paddedDown(limits)
            let up = try AdapterError.reading { () throws(WeightLoadingError) in try product.up.floats() }
            for operation in operations {
                matrices[operation.down] = down
                matrices[operation.up] = product.paddedUp(
                    up, operation, rowOrder: operation.names[adapter.format]?.rowOrder, limits)
            }
        }
        self.init(matrices)
    }
}

/// The stored matrices of a module, checked.
private struct Product {
    let down, up: StoredTensor
    let rank: Int
    let scale: Double

    init(
        _ product: AdapterFile.Product, of adapter: AdapterFile, inputSize: Int, outputSize: Int, limit: Int
    ) throws(AdapterError) {
        let file = adapter.tensors.file
        guard product.rank <= limit else {
            throw .rankTooHigh(file: file, tensor: product.down, rank: product.rank, limit: limit)
        }
        rank = product.rank
        scale = product.scale
        (down, up) = try AdapterError.reading { () throws(WeightLoadingError) in
            (try adapter.tensors.tensor(named: product.down), try adapter.tensors.tensor(named: product.up))
        }
        for (tensor, shape) in [(down, [product.rank, inputSize]), (up, [outputSize, product.rank])] {
            guard tensor.shape == shape else {
                throw .file(.shapeMismatch(file: file, tensor: tensor.name, expected: shape, found: tensor.shape))
            }
            // Converters quantize GGUF adapters; PEFT writes floats only.
            guard tensor.type.elementType != nil || adapter.format == .gguf && tensor.isConvertible else {
                throw .file(
                    .unsupportedType(
                        file: file, tensor: tensor.name, type: tensor.type.rawValue, supported: "F32, F16, BF16"))
            }
        }
    }

    /// The first matrix, with rows of zeros below: `[limit, inputSize]`.
    func paddedDown(_ limits: AdapterLimits) throws(AdapterError) -> HostTensor {
        var numbers = try AdapterError.reading { () throws(WeightLoadingError) in try down.floats() }
        let inputSize = down.shape[1]
        numbers += Array(repeating: 0, count: (limits.rank - rank) * inputSize)
        return HostTensor(numbers, shape: [limits.rank, inputSize], as: limits.elementType)
    }

    /// The rows of the second matrix that `operation` needs, scaled, with columns of zeros: `[outputSize, limit]`.
    func paddedUp(
        _ stored: [Float], _ operation: AdapterModule, rowOrder: [Int]?, _ limits: AdapterLimits
    ) -> HostTensor {
        let scale = Float(scale)
        var numbers = [Float](repeating: 0, count: operation.outputSize * limits.rank)
        var target = 0
        for range in operation.rows ?? [0..<operation.outputSize] {
            for row in range {
                let source = (rowOrder?[row] ?? row) * rank
                for column in 0..<rank { numbers[target + column] = stored[source + column] * scale }
                target += limits.rank
            }
        }
        return HostTensor(numbers, shape: [operation.outputSize, limits.rank], as: limits.elementType)
    }
}
