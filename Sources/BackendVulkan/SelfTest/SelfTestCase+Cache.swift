import Backends
import Tensors

extension SelfTestCase {
    /// The type behind the constants of a cache.
    static func cacheType(_ constants: [String: Int]) -> CacheType {
        constants["CACHE_BITS"] == 8 ? .int8 : CacheType(elementType(constants, "CACHE"))
    }

    /// The words of a cache that holds heads of `headSize` numbers, one after another.
    static func cached(_ numbers: [Float], headSize: Int, as type: CacheType) -> [UInt32] {
        if let elementType = type.elementType {
            return words(HostTensor(numbers, shape: [numbers.count], as: elementType))
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

    /// The numbers of such a cache.
    static func read(_ words: [UInt32], headSize: Int, as type: CacheType) -> [Float] {
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
