public import Tensors

/// A model as data: operations over numbered values, encoded once at load and prepared once by a backend.
///
/// Every value is a matrix `[rows, width]` of activations; `rows` is symbolic and known only when a batch runs.
/// Each value is written by exactly one operation, before any that reads it.
public struct ForwardPlan: Sendable {
    public internal(set) var operations: [DeviceOperation] = []
    public private(set) var values: [PlanValue] = []
    /// Weight matrices of `linear` and `embed`.
    public private(set) var matrices: [PlanMatrix] = []
    /// Sets of matrices of `selectedLinear`.
    public private(set) var matrixSets: [PlanMatrixSet] = []
    /// What adapters may change; empty unless made by `withAdapters`.
    public internal(set) var adapterTargets: [AdapterTarget] = []
    /// What adapters of the other family of file formats call the checkpoint's weights, by the names of these.
    public private(set) var aliases: [String: WeightAlias] = [:]
    /// Weight vectors: norms and biases, `[width]`.
    public private(set) var vectors: [PlanVector] = []
    /// Key/value cache layers, in the order in which `addCacheLayer` numbered them.
    public private(set) var cacheLayers: [CacheLayer] = []
    /// The value that holds the logits, `[samples, vocabularySize]`; set by the encoder last.
    public private(set) var logits: ValueID?
    /// Sentences for the log when the model is loaded, such as one about weights that take more memory than their file.
    public private(set) var warnings: [String] = []

    public init() {}

    /// Declares a value of `width` numbers a row.
    public mutating func addValue(rows: PlanRows, width: Int) -> ValueID {
        values.append(PlanValue(rows: rows, width: width))
        return ValueID(index: values.count - 1)
    }

    /// Declares a weight matrix; `name` is the checkpoint's and appears in errors. `[outputSize, inputSize]`.
    /// `rows` are those of the checkpoint's matrix that it consists of; nil: all.
    public mutating func addMatrix(
        _ name: String, rows: [Range<Int>]? = nil, _ weights: LinearWeights
    ) -> MatrixID {
        matrices.append(PlanMatrix(name: name, rows: rows, weights: weights))
        return MatrixID(index: matrices.count - 1)
    }

    /// Says that `alias` is the weight `name` in files of the other format.
    public mutating func setAlias(_ alias: WeightAlias, of name: String) { aliases[name] = alias }

    /// Declares a set of matrices of one shape and layout, `[outputSize, inputSize]` each; `name` stands for all of them.
    public mutating func addMatrixSet(_ name: String, _ matrices: [LinearWeights]) -> MatrixSetID {
        matrixSets.append(PlanMatrixSet(name: name, matrices: matrices, slots: nil))
        return MatrixSetID(index: matrixSets.count - 1)
    }

    /// Declares a set whose matrices come while the plan runs (`PreparedPlan.setAdapter`).
    public mutating func addMatrixSlots(_ name: String, _ slots: MatrixSlots) -> MatrixSetID {
        matrixSets.append(PlanMatrixSet(name: name, matrices: [], slots: slots))
        return MatrixSetID(index: matrixSets.count - 1)
    }

    /// Declares a weight vector, widened to 32 bits.
    public mutating func addVector(_ name: String, _ elements: [Float]) -> VectorID {
        vectors.append(PlanVector(name: name, elements: elements))
        return VectorID(index: vectors.count - 1)
    }

    /// Declares a cache layer and returns its number.
    public mutating func addCacheLayer(_ layer: CacheLayer) -> Int {
        cacheLayers.append(layer)
        return cacheLayers.count - 1
    }

    public mutating func append(_ operation: DeviceOperation) {
        operations.append(operation)
    }

    /// Sets the value whose rows `PreparedPlan.wait` returns.
    public mutating func setLogits(_ value: ValueID) {
        logits = value
    }

    public mutating func addWarning(_ warning: String) {
        warnings.append(warning)
    }

    /// Bytes of all matrices as the checkpoint stores them, and of the slots for adapters.
    public var matrixByteCount: Int {
        matrices.reduce(0) { $0 + $1.weights.byteCount } + matrixSets.reduce(0) { $0 + $1.byteCount }
    }

    public subscript(_ value: ValueID) -> PlanValue { values[value.index] }
    public subscript(_ matrix: MatrixID) -> PlanMatrix { matrices[matrix.index] }
    public subscript(_ set: MatrixSetID) -> PlanMatrixSet { matrixSets[set.index] }
    public subscript(_ vector: VectorID) -> PlanVector { vectors[vector.index] }
}

/// The number of a value in a plan.
public struct ValueID: Hashable, Sendable {
    /// Position in `ForwardPlan.values`.
    public let index: Int
}

/// The number of a weight matrix in a plan.
public struct MatrixID: Hashable, Sendable {
    /// Position in `ForwardPlan.matrices`.
    public let index: Int
}

/// The number of a set of matrices in a plan.
public struct MatrixSetID: Hashable, Sendable {
    /// Position in `ForwardPlan.matrixSets`.
    public let index: Int
}

/// The number of a weight vector in a plan.
public struct VectorID: Hashable, Sendable {
    /// Position in `ForwardPlan.vectors`.
    public let index: Int
}

/// The symbolic first dimension of a value.
public enum PlanRows: Sendable, Hashable {
    /// One row for each token of the batch.
    case tokens
    /// One row for each token whose logits are requested.
    case samples
}

/// The shape `[rows, width]` of a value.
public struct PlanValue: Sendable, Hashable {
    public let rows: PlanRows
    /// Numbers in a row.
    public let width: Int
}

/// A named weight matrix.
public struct PlanMatrix: Sendable {
    /// The checkpoint's name for it.
    public let name: String
    /// The rows of the checkpoint's matrix that it consists of; nil: all.
    public let rows: [Range<Int>]?
    /// Its numbers, `[outputSize, inputSize]`.
    public let weights: LinearWeights
}

/// Matrices of one shape and layout, such as the experts of a layer.
public struct PlanMatrixSet: Sendable {
    /// The checkpoint's name for them, with `*` for the number of one.
    public let name: String
    /// `[outputSize, inputSize]` each; empty where there are slots.
    public let matrices: [LinearWeights]
    /// Room for matrices that come later; nil where the matrices are known.
    public let slots: MatrixSlots?

    public var count: Int { slots?.count ?? matrices.count }
    public var inputSize: Int { slots?.inputSize ?? matrices[0].inputSize }
    public var outputSize: Int { slots?.outputSize ?? matrices[0].outputSize }
    public var byteCount: Int {
        slots.map { $0.count * $0.outputSize * $0.inputSize * $0.elementType.byteCount }
            ?? matrices.reduce(0) { $0 + $1.byteCount }
    }
}

/// Room for `count` dense matrices `[outputSize, inputSize]`.
public struct MatrixSlots: Sendable, Hashable {
    public let count: Int
    public let outputSize: Int
    public let inputSize: Int
    public let elementType: ElementType

    public init(count: Int, outputSize: Int, inputSize: Int, elementType: ElementType) {
        self.count = count
        self.outputSize = outputSize
        self.inputSize = inputSize
        self.elementType = elementType
    }
}

/// A named weight vector.
public struct PlanVector: Sendable {
    /// The checkpoint's name for it.
    public let name: String
    /// Its numbers, widened to 32 bits.
    public let elements: [Float]
}
