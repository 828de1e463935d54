/// A set of Unicode scalar values, as sorted ranges with gaps between them.
struct ScalarSet: Sendable, Equatable {
    /// The ranges, ascending; two neighbours neither overlap nor touch.
    private(set) var ranges: [ClosedRange<UInt32>]

    static let empty = ScalarSet(ranges: [])
    /// All values up to U+10FFFF.
    static let all = ScalarSet(ranges: [0...0x10FFFF])

    private init(ranges: [ClosedRange<UInt32>]) { self.ranges = ranges }

    /// The union of `parts`, which may be in any order and may overlap.
    init(_ parts: [ClosedRange<UInt32>]) {
        ranges = []
        for part in parts.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = ranges.last, part.lowerBound <= last.upperBound + 1 {
                ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, part.upperBound)
            } else {
                ranges.append(part)
            }
        }
    }

    /// The scalars of `text`.
    init(_ text: String) { self.init(text.unicodeScalars.map { $0.value...$0.value }) }

    var isEmpty: Bool { ranges.isEmpty }

    func contains(_ value: UInt32) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < value { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= value
    }

    func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

    /// All scalars that are not in this set.
    var inverted: ScalarSet {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        if next <= 0x10FFFF { result.append(next...0x10FFFF) }
        return ScalarSet(ranges: result)
    }

    func intersection(_ other: ScalarSet) -> ScalarSet { inverted.union(other.inverted).inverted }

    /// The set with every scalar that differs from one of its scalars only in case, by Unicode's mappings of single
    /// scalars.
    ///
    /// `(?i)` of Oniguruma also lets `ß` match `ss` and three ligatures match `ff`, `fi` or `fl`. No tokenizer's
    /// pattern has these pairs of letters in a part that ignores case, so that they are not implemented.
    var ignoringCase: ScalarSet {
        let ascii = ranges.allSatisfy { $0.upperBound < 0x80 }
        var added: [ClosedRange<UInt32>] = []
        func add(_ value: UInt32) {
            guard let variants = CaseVariants.ofScalar[value] else { return }
            added += variants.map { $0...$0 }
        }
        if ascii {
            // The usual case, without the table of all letters.
            for range in ranges {
                for value in range where Unicode.Scalar(value)?.properties.isCased ?? false {
                    added.append((value ^ 0x20)...(value ^ 0x20))
                    if value | 0x20 == 0x73 { added.append(0x17F...0x17F) }
                    if value | 0x20 == 0x6B { added.append(0x212A...0x212A) }
                }
            }
        } else {
            for value in CaseVariants.ofScalar.keys where contains(value) { add(value) }
        }
        return ScalarSet(ranges + added)
    }
}

/// Scalars that differ only in case.
private enum CaseVariants {
    /// The other scalars with the same folding, by scalar.
    static let ofScalar: [UInt32: [UInt32]] = {
        var groups: [UInt32: [UInt32]] = [:]
        for value in UInt32(0)..<0x1F000 {
            guard let scalar = Unicode.Scalar(value), scalar.properties.isCased else { continue }
            groups[folded(scalar), default: []].append(value)
        }
        var variants: [UInt32: [UInt32]] = [:]
        for group in groups.values where group.count > 1 {
            for value in group { variants[value] = group.filter { $0 != value } }
        }
        return variants
    }()

    /// The lower case of the upper case, each only if it is one scalar.
    private static func folded(_ scalar: Unicode.Scalar) -> UInt32 {
        func single(_ mapping: String, or scalar: Unicode.Scalar) -> Unicode.Scalar {
            let scalars = mapping.unicodeScalars
            return scalars.count == 1 ? scalars.first ?? scalar : scalar
        }
        let upper = single(scalar.properties.uppercaseMapping, or: scalar)
        return single(upper.properties.lowercaseMapping, or: upper).value
    }
}
