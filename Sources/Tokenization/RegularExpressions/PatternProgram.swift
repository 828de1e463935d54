/// A regular expression as a list of instructions over classes of scalars.
///
/// Scalars that no set of the pattern distinguishes are one class, so that sets are masks of at most 250 classes.
final class PatternProgram: Sendable {
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

    let instructions: [Instruction]
    let start: Int
    /// The end of each run of instructions that depends only on runs before it and on itself: the bodies of
    /// look-aheads, inner ones first, and then the pattern.
    let stratumEnds: [Int]
    /// For each set, whether it has each class, `[sets][classCount]`.
    let sets: [[Bool]]
    let classes: ScalarPartition
    /// The instruction after each repetition without a maximum, by that of the repetition.
    let instructionAfterLoop: [Int: Int]
    /// Whether an instruction reads the scalar before.
    let usesPrevious: Bool

    /// Compiles `pattern`, in Oniguruma's syntax. An error names the position.
    init(_ pattern: String) throws(PatternError) {
        let compiler = try PatternCompiler(pattern)
        instructions = compiler.instructions
        start = compiler.start
        stratumEnds = compiler.stratumEnds
        sets = compiler.sets
        classes = compiler.classes
        instructionAfterLoop = compiler.instructionAfterLoop
        usesPrevious = compiler.usesPrevious
    }
}

/// Compiles a regular expression.
private struct PatternCompiler {
    typealias Instruction = PatternProgram.Instruction

    private(set) var instructions: [Instruction] = []
    private(set) var start = 0
    private(set) var stratumEnds: [Int] = []
    private(set) var sets: [[Bool]] = []
    private(set) var classes: ScalarPartition
    private(set) var instructionAfterLoop: [Int: Int] = [:]
    private(set) var usesPrevious = false

    /// Larger patterns are refused: each state of the matcher has one bit for each instruction.
    private static let maximumCount = 4_096

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
