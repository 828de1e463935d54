import Backends
import Tensors

/// Heads of numbers in the words of a cache, and back.
struct TestCache {
    let type: CacheType
    let headSize: Int

    /// The words of heads, one after another.
    func words(_ numbers: [Float]) -> [UInt32] {
        if let elementType = type.elementType {
            return SelfTestCase.words(HostTensor(numbers, shape: [numbers.count], as: elementType))
        }
        return stride(from: 0, to: numbers.count, by: headSize).flatMap { start -> [UInt32] in
            let head = numbers[start..<start + headSize]
            let scale = head.reduce(0) { max($0, abs($1)) } / 127
            var words = [UInt32](repeating: 0, count: (headSize + 3) / 4)
            for (index, number) in head.enumerated() {
                let byte = UInt8(bitPattern: Int8((number / scale).rounded(.toNearestOrEven)))
                words[index / 4] |= UInt32(byte) << UInt32(index % 4 * 8)
            }
            return [scale.bitPattern] + words
        }
    }

    /// The numbers of heads, one after another.
    func numbers(_ words: [UInt32]) -> [Float] {
        if let elementType = type.elementType {
            return words.withUnsafeBytes { bytes in
                (0..<bytes.count / elementType.byteCount).map { index in
                    bytes.baseAddress.map { elementType.load($0, at: index) } ?? .nan
                }
            }
        }
        let size = (headSize + 3) / 4 + 1
        return stride(from: 0, to: words.count, by: size).flatMap { start in
            (0..<headSize).map { index in
                let byte = UInt8(truncatingIfNeeded: words[start + 1 + index / 4] >> UInt32(index % 4 * 8))
                return Float(Int8(bitPattern: byte)) * Float(bitPattern: words[start])
            }
        }
    }
}
