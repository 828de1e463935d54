internal import Tensors

/// Rows of a GGUF tensor, as the file stores them.
struct BlockRows: QuantizedRows {
    let tensor: StoredTensor
    let progress: LoadingProgress?

    func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer) {
        let rowByteCount = tensor.byteCount / max(tensor.shape[0], 1)
        tensor.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            target.copyMemory(
                from: source + range.lowerBound * rowByteCount, byteCount: range.count * rowByteCount)
        }
        progress?.advance(by: range.count * rowByteCount)
    }

    func unload() { tensor.unload() }
}
