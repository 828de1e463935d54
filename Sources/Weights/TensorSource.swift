/// The tensors of a checkpoint, whatever its file format.
public protocol TensorSource: Sendable {
    /// The file, or for a sharded checkpoint its index: for errors.
    var file: String { get }
    /// Names of all tensors, sorted.
    var tensorNames: [String] { get }
    /// Bytes of all tensors.
    var byteCount: Int { get }
    /// Extents of a tensor, outermost first; nil when there is none of this name.
    func shape(of name: String) -> [Int]?
    /// The tensor of this name. Throws `missingTensor`.
    func tensor(named name: String) throws(WeightLoadingError) -> StoredTensor
}
