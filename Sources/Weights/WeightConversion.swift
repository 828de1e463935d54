public import Tensors

extension StoredTensor {
    /// Whether `floats` and `converted` can read it.
    public var isConvertible: Bool { type.isConvertible }

    /// The numbers as 32-bit floats, exactly as the format defines them. Throws `unsupportedType`.
    public func floats() throws(WeightLoadingError) -> [Float] {
        try requireConvertible()
        return withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return [] }
            return [Float](unsafeUninitializedCapacity: elementCount) { target, count in
                if let base = target.baseAddress {
                    widen(source, blocks: 0..<elementCount / type.blockElementCount, to: base)
                }
                count = elementCount
            }
        }
    }

    /// The tensor with its numbers rounded to `elementType`; a view of the mapped file if no conversion is needed.
    /// `advance` is called with the number of stored bytes that were converted. Throws `unsupportedType`.
    public func converted(
        to elementType: ElementType, advance: (Int) -> Void = { _ in }
    ) throws(WeightLoadingError) -> HostTensor {
        try requireConvertible()
        if type.elementType == elementType {
            let address = memory.bytes.baseAddress.map { UInt(bitPattern: $0 + byteOffset) } ?? 0
            // Kernels need aligned numbers, but data in safetensors files may have any alignment.
            if address % UInt(elementType.byteCount) == 0 {
                advance(byteCount)
                return HostTensor(elementType: elementType, shape: shape, memory: memory, byteOffset: byteOffset)
            }
        }
        let converted = HostMemory(byteCount: elementCount * elementType.byteCount) { target in
            withUnsafeBytes { source in
                guard let source = source.baseAddress, let target = target.baseAddress else { return }
                convert(source, to: target, as: elementType, advance: advance)
            }
        }
        return HostTensor(elementType: elementType, shape: shape, memory: converted)
    }

    private func requireConvertible() throws(WeightLoadingError) {
        guard isConvertible else {
            let supported = StoredType.allCases.filter(\.isConvertible).map(\.rawValue)
            throw .unsupportedType(
                file: file, tensor: name, type: type.rawValue, supported: supported.joined(separator: ", "))
        }
    }

    /// Converts in chunks that fit the cache: each is widened to 32-bit floats and then rounded.
    private func convert(
        _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, as elementType: ElementType,
        advance: (Int) -> Void
    ) {
        guard type.elementType != elementType else {
            target.copyMemory(from: source, byteCount: byteCount)
            advance(byteCount)
            return
        }
        let blockCount = elementCount / type.blockElementCount
        let chunkBlockCount = 4096 / type.blockElementCount
        withUnsafeTemporaryAllocation(of: Float.self, capacity: chunkBlockCount * type.blockElementCount) { scratch in
            guard let floats = scratch.baseAddress else { return }
            var unreported = 0
            for first in stride(from: 0, to: blockCount, by: chunkBlockCount) {
                let blocks = first..<min(first + chunkBlockCount, blockCount)
                widen(source, blocks: blocks, to: floats)
                elementType.narrow(
                    floats, count: blocks.count * type.blockElementCount, to: target,
                    at: first * type.blockElementCount)
                unreported += blocks.count * type.blockByteCount
                if unreported >= 1 << 20 {
                    advance(unreported)
                    unreported = 0
                }
            }
            advance(unreported)
        }
    }

    private func widen(_ source: UnsafeRawPointer, blocks: Range<Int>, to target: UnsafeMutablePointer<Float>) {
        let start = source + blocks.lowerBound * type.blockByteCount
        switch type.elementType {
        case .f32:
            UnsafeMutableRawPointer(target).copyMemory(from: start, byteCount: blocks.count * 4)
        case .f16:
            for index in 0..<blocks.count {
                target[index] = widenHalf(start.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self))
            }
        case .bf16:
            for index in 0..<blocks.count {
                let bits = start.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self)
                target[index] = BFloat16(bitPattern: bits).float
            }
        case nil where type == .f64:
            for index in 0..<blocks.count {
                target[index] = Float(start.loadUnaligned(fromByteOffset: index &* 8, as: Double.self))
            }
        case nil:
            type.blockFormat?.widen(start, blockCount: blocks.count, to: target)
        }
    }
}

extension ElementType {
    /// Rounds `count` floats into `target` from element `start` on. Each type has its own loop so that it is
    /// vectorized.
    fileprivate func narrow(
        _ floats: UnsafePointer<Float>, count: Int, to target: UnsafeMutableRawPointer, at start: Int
    ) {
        let target = target + start * byteCount
        switch self {
        case .f32:
            target.copyMemory(from: floats, byteCount: count * 4)
        case .f16:
            let target = target.assumingMemoryBound(to: UInt16.self)
            for index in 0..<count { target[index] = Float16(floats[index]).bitPattern }
        case .bf16:
            let target = target.assumingMemoryBound(to: UInt16.self)
            for index in 0..<count { target[index] = BFloat16(floats[index]).bitPattern }
        }
    }
}
