/// The GGUF block formats, widened to 32-bit floats.
///
/// Every product and sum is rounded on its own and in ggml's order (ggml-quants.c), so that results equal its own bit for
/// bit: the scale of a group is exact, then follow one product and, where there is a minimum, one sum.
extension BlockFormat {
    /// Widens `blockCount` blocks from `source` to `target`, `[blockCount, elementCount]`.
    public func widen(_ source: UnsafeRawPointer, blockCount: Int, to target: UnsafeMutablePointer<Float>) {
        let format = codeFormat
        let groupCount = elementCount / format.groupSize
        let (byteCount, elementCount) = (byteCount, elementCount)
        // A table of all codes, so that the loop over codes does not depend on what values they stand for.
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 256) { values in
            for code in 0..<1 << format.bitCount { values[code] = format.value(of: code) }
            withUnsafeTemporaryAllocation(byteCount: elementCount + 64 + 4, alignment: 16) { memory in
                guard let start = memory.baseAddress, let values = values.baseAddress else { return }
                let parts = BlockParts(
                    codes: start.assumingMemoryBound(to: UInt8.self), scales: start + elementCount,
                    outer: start + elementCount + 64)
                for block in 0..<blockCount {
                    unpack(source + block &* byteCount, to: parts)
                    let numbers = target + block &* elementCount
                    for group in 0..<groupCount {
                        let (scale, minimum) = format.scale(of: group, parts)
                        let first = group &* format.groupSize
                        if let minimum {
                            for index in first..<first &+ format.groupSize {
                                numbers[index] = values[Int(parts.codes[index])] * scale + minimum
                            }
                        } else {
                            for index in first..<first &+ format.groupSize {
                                numbers[index] = values[Int(parts.codes[index])] * scale
                            }
                        }
                    }
                }
            }
        }
    }
}

extension CodeFormat {
    /// The number that `code` stands for, before it is scaled.
    func value(of code: Int) -> Float {
        switch values {
        case .integers(let middle): Float(code - middle)
        case .book(let entries): Float(entries[code])
        case .float8: Float(float8: UInt8(truncatingIfNeeded: code))
        }
    }

    /// The scale of group `group` of an unpacked block, and what is added; nil: nothing.
    fileprivate func scale(of group: Int, _ parts: BlockParts) -> (scale: Float, minimum: Float?) {
        let own = UnsafeRawPointer(parts.scales) + group &* groupByteCount
        func byte(_ index: Int) -> UInt8 { own.load(fromByteOffset: index, as: UInt8.self) }
        func outer(_ index: Int) -> Float { ElementType.f16.load(parts.outer, at: index) }
        switch scaling {
        case .centred, .zeros: return (scaleType.load(own, at: 0), nil)
        case .minimum: return (ElementType.f16.load(own, at: 0), ElementType.f16.load(own, at: 1))
        case .nestedMinimum: return (outer(0) * Float(byte(0)), -(outer(1) * Float(byte(1))))
        case .nestedNibbles: return (outer(0) * Float(byte(0) & 15), -(outer(1) * Float(byte(0) >> 4)))
        case .nestedCentred: return (outer(0) * Float(Int8(bitPattern: byte(0))) * factor, nil)
        }
    }
}
