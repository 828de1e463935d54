import Backends
import Tensors

/// One head of one token's keys or values in the cache.
struct CachedHead {
    private let start: UnsafeMutableRawPointer
    private let elementType: ElementType?

    init(_ range: UnsafeMutableRawPointer, slot: Int, head: Int, of layer: CacheLayout.Layer, as type: CacheType) {
        start = range + layer.byteOffset(ofSlot: slot) + head * type.headByteCount(headSize: layer.shape.headSize)
        elementType = type.elementType
    }

    /// The number at `index`.
    subscript(index: Int) -> Float {
        if let elementType { return elementType.load(start, at: index) }
        return start.load(as: Float.self) * Float(start.load(fromByteOffset: 4 + index, as: Int8.self))
    }

    /// Writes all numbers, rounded to the cache's type.
    func store(_ numbers: some RandomAccessCollection<Float>) {
        if let elementType {
            for (index, number) in numbers.enumerated() { elementType.store(number, to: start, at: index) }
            return
        }
        let scale = numbers.reduce(0) { max($0, abs($1)) } / 127
        start.storeBytes(of: scale, as: Float.self)
        for (index, number) in numbers.enumerated() {
            // A head of nothing but zeros has no scale to divide by.
            let rounded = scale > 0 ? (number / scale).rounded(.toNearestOrEven) : 0
            // `Int8(_:)` would trap on a NaN, so the comparison sends it to -127.
            let byte = rounded > -127 ? Int8(min(rounded, 127)) : -127
            start.storeBytes(of: byte, toByteOffset: 4 + index, as: Int8.self)
        }
    }
}
