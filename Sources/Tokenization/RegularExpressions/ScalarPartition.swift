/// The scalars in classes, so that each of several sets is a union of classes.
struct ScalarPartition: Sendable {
    /// The number of classes.
    let count: Int
    /// The class of each scalar of the first two planes, which contain almost all text.
    private let table: [UInt8]
    /// The first scalar of each stretch of one class, ascending, and its class.
    private let bounds: [UInt32]
    private let classes: [UInt8]

    static let maximumCount = 250
    private static let tableCount = 0x20000

    /// nil: there would be too many classes.
    init?(_ sets: [ScalarSet]) {
        var bounds: Set<UInt32> = [0]
        for range in sets.flatMap(\.ranges) {
            bounds.insert(range.lowerBound)
            if range.upperBound < 0x10FFFF { bounds.insert(range.upperBound + 1) }
        }
        let starts = bounds.sorted()
        var signatures: [[Bool]: UInt8] = [:]
        var classes: [UInt8] = []
        for start in starts {
            let signature = sets.map { $0.contains(start) }
            if signatures[signature] == nil {
                guard signatures.count < Self.maximumCount else { return nil }
                signatures[signature] = UInt8(signatures.count)
            }
            classes.append(signatures[signature] ?? 0)
        }
        var table: [UInt8] = []
        table.reserveCapacity(Self.tableCount)
        for (index, start) in starts.enumerated() where start < Self.tableCount {
            let end = index + 1 < starts.count ? min(Int(starts[index + 1]), Self.tableCount) : Self.tableCount
            table.append(contentsOf: repeatElement(classes[index], count: end - Int(start)))
        }
        count = signatures.count
        self.table = table
        self.bounds = starts
        self.classes = classes
    }

    /// Whether `set`, which is one of the partition's sets, has each class.
    func members(of set: ScalarSet) -> [Bool] {
        var members = [Bool](repeating: false, count: count)
        for (start, index) in zip(bounds, classes) where set.contains(start) { members[Int(index)] = true }
        return members
    }

    /// The class of a scalar value.
    func index(of value: UInt32) -> Int {
        if value < Self.tableCount { return Int(table[Int(value)]) }
        var (low, high) = (0, bounds.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if bounds[middle] <= value { low = middle } else { high = middle }
        }
        return Int(classes[low])
    }

    /// The classes of the first two planes.
    func withTable<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result {
        table.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("the table is never empty") }
            return body(base)
        }
    }
}
