/// A regular expression as a list of instructions over classes of scalars.
///
/// Scalars that no set of the pattern distinguishes are one class, so that sets are masks of at most 250 classes.
struct PatternProgram: Sendable {
    enum Instruction: Sendable, Equatable {
        /// Consumes one scalar of the set.
        case scalar(set: Int, next: Int)
        /// Continues at one of two instructions, the first one preferred.
        case either(Int, Int)
        /// Continues if the scalar before is in the set; `atStart`: the result where there is none.
        case previous(set: Int, atStart: Bool, next: Int)
        /// Continues if the instructions from `body` to their own `accept` match here, or, if negative, do not.
        case lookahead(body: Int, isNegative: Bool, next: Int)
        case accept
    }

    private(set) var instructions: [Instruction] = []
    private(set) var start = 0
    /// The end of each run of instructions that depends only on runs before it and on itself: the bodies of
    /// look-aheads, inner ones first, and then the pattern.
    private(set) var stratumEnds: [Int] = []
    /// For each set, whether it has each class, `[sets][classCount]`.
    private(set) var sets: [[Bool]] = []
    private(set) var classes: ScalarPartition
    /// The instruction after each repetition without a maximum, by that of the repetition.
    private(set) var instructionAfterLoop: [Int: Int] = [:]
    /// Whether an instruction reads the scalar before.
    private(set) var usesPrevious = false

    /// Larger patterns are refused: each state of the matcher has one bit for each instruction.
    private static let maximumCount = 4_096

    /// Compiles `pattern`, in Oniguruma's syntax. An error names the position.
    init(_ pattern: String) throws(PatternError) {
        let tree = try PatternParser.parse(pattern)
        var scalarSets: [ScalarSet] = []
        Self.collect(tree, &scalarSets)
        guard let classes = ScalarPartition(scalarSets) else {
            throw PatternError(position: 0, reason: "more than \(ScalarPartition.maximumCount) classes of characters")
        }
        self.classes = classes
        sets = scalarSets.map(classes.members)
        start = try compileBody(tree, scalarSets)
    }

    private static func collect(_ node: PatternNode, _ sets: inout [ScalarSet]) {
        switch node {
        case .scalar(let set), .previous(let set, _): if !sets.contains(set) { sets.append(set) }
        case .sequence(let parts), .choice(let parts): for part in parts { collect(part, &sets) }
        case .repetition(let inner, _, _, _), .lookahead(let inner, _): collect(inner, &sets)
        }
    }

    /// Instructions that match `node` and then accept; the bodies of its look-aheads come before them. Returns the
    /// first of them.
    private mutating func compileBody(_ node: PatternNode, _ sets: [ScalarSet]) throws(PatternError) -> Int {
        var bodies: [Int] = []
        try compileLookaheads(node, sets, &bodies)
        // Each instruction continues at one that already exists, so a pattern is compiled from its end.
        var used = bodies[...]
        let accept = try append(.accept)
        let start = try compile(node, next: accept, sets, &used)
        stratumEnds.append(instructions.count)
        return start
    }

    private mutating func compileLookaheads(
        _ node: PatternNode, _ sets: [ScalarSet], _ bodies: inout [Int]
    ) throws(PatternError) {
        switch node {
        case .scalar, .previous: break
        case .lookahead(let inner, _): bodies.append(try compileBody(inner, sets))
        case .sequence(let parts), .choice(let parts):
            for part in parts { try compileLookaheads(part, sets, &bodies) }
        case .repetition(let inner, _, _, _): try compileLookaheads(inner, sets, &bodies)
        }
    }

    private mutating func append(_ instruction: Instruction) throws(PatternError) -> Int {
        guard instructions.count < Self.maximumCount else {
            throw PatternError(position: 0, reason: "it has more than \(Self.maximumCount) instructions")
        }
        instructions.append(instruction)
        return instructions.count - 1
    }

    /// Appends instructions for `node` that continue at `next`; returns the first. `bodies` are the starts of the
    /// look-aheads in `node` and after it, in their order; those of `node` are removed.
    private mutating func compile(
        _ node: PatternNode, next: Int, _ sets: [ScalarSet], _ bodies: inout ArraySlice<Int>
    ) throws(PatternError) -> Int {
        switch node {
        case .scalar(let set): return try append(.scalar(set: sets.firstIndex(of: set) ?? 0, next: next))
        case .previous(let set, let atStart):
            usesPrevious = true
            return try append(.previous(set: sets.firstIndex(of: set) ?? 0, atStart: atStart, next: next))
        case .lookahead(_, let isNegative):
            guard let body = bodies.popFirst() else { preconditionFailure("a look-ahead was not compiled") }
            return try append(.lookahead(body: body, isNegative: isNegative, next: next))
        case .sequence(let parts):
            // The last part is compiled first, but the look-aheads are taken in their order.
            var shares: [ArraySlice<Int>] = []
            for part in parts {
                let count = Self.lookaheadCount(part)
                shares.append(bodies.prefix(count))
                bodies = bodies.dropFirst(count)
            }
            var next = next
            for (part, share) in zip(parts, shares).reversed() {
                var share = share
                next = try compile(part, next: next, sets, &share)
            }
            return next
        case .choice(let parts):
            var starts: [Int] = []
            for part in parts { starts.append(try compile(part, next: next, sets, &bodies)) }
            var start = starts.removeLast()
            for other in starts.reversed() { start = try append(.either(other, start)) }
            return start
        case .repetition(let inner, let minimum, let maximum, let isLazy):
            let share = bodies.prefix(Self.lookaheadCount(inner))
            bodies = bodies.dropFirst(share.count)
            func either(_ again: Int, _ leave: Int) -> Instruction {
                isLazy ? .either(leave, again) : .either(again, leave)
            }
            var start = next
            if let maximum {
                for _ in minimum..<max(minimum, maximum) {
                    var share = share
                    start = try append(either(try compile(inner, next: start, sets, &share), next))
                }
            } else {
                let loop = try append(.accept)
                var share = share
                let body = try compile(inner, next: loop, sets, &share)
                instructions[loop] = either(body, next)
                instructionAfterLoop[loop] = next
                start = loop
            }
            for _ in 0..<minimum {
                var share = share
                start = try compile(inner, next: start, sets, &share)
            }
            return start
        }
    }

    private static func lookaheadCount(_ node: PatternNode) -> Int {
        switch node {
        case .scalar, .previous: 0
        case .lookahead: 1
        case .sequence(let parts), .choice(let parts): parts.reduce(0) { $0 + lookaheadCount($1) }
        case .repetition(let inner, _, _, _): lookaheadCount(inner)
        }
    }
}

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
