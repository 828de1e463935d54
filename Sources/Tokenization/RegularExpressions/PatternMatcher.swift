/// Finds the matches that a backtracking matcher such as Oniguruma finds, in time linear in the text, for any pattern.
///
/// A pass from the end of the text to its beginning computes at each position the set of instructions from which a
/// match can still be completed. A second pass goes forward and takes, of several ways, the first one that is in the
/// set; so it never has to go back (Frisch and Cardelli 2004, "Greedy regular expression matching"). Look-aheads are
/// in the set like everything else. Sets become states of an automaton, and what follows from a state is computed once.
///
/// Oniguruma, which `tokenizers` uses, and PCRE2 take time that is quadratic or worse for some texts of users (a megabyte
/// of spaces before `\s+$`), or give up, and would be one more library in every package. A linear engine with exactly the
/// syntax of these patterns is small, and faster on ordinary text, because most of the work is one look-up a character.
///
/// A matcher belongs to one thread at a time, because it keeps these states.
final class PatternMatcher {
    private let program: PatternProgram
    private let wordCount: Int
    /// Classes of the scalar before a position, and one more for the beginning of the text; 1 if nothing depends on it.
    private let previousCount: Int
    /// Number of transitions of a state.
    private let width: Int
    /// The index of each instruction in `resolved`; -1: the forward pass does not start there.
    private let targetIndex: [Int]
    private let targetCount: Int
    /// The target after each instruction that consumes a scalar; -1: the instruction consumes none.
    private let targetAfter: [Int]
    /// Longer texts are read in blocks, because every position may have a new state.
    private let blockByteCount: Int

    /// The sets of instructions, `[states][wordCount]`.
    private var bits: [UInt64] = []
    private var stateOfBits: [[UInt64]: UInt16] = [:]
    private let capacity: Int
    /// The state before each class of scalar, `[states][class][previous]`.
    private let transitions: UnsafeMutablePointer<UInt16>
    /// The instruction that consumes the next scalar or accepts, `[states][targets]`.
    private let resolved: UnsafeMutablePointer<UInt16>
    /// Whether a match begins here, `[states]`.
    private let beginsMatch: UnsafeMutablePointer<Bool>
    private static let unknown = UInt16.max

    /// The states of the positions of one block.
    private let states: UnsafeMutablePointer<UInt16>
    private var blockStart = 0
    private var blockEnd = 0
    /// The bounds of the blocks, and the bits of the state at each.
    private var checkpoints: [(position: Int, bits: [UInt64])] = []
    private var block = 0

    init(_ program: PatternProgram) {
        self.program = program
        wordCount = (program.instructions.count + 63) / 64
        previousCount = program.usesPrevious ? program.classes.count + 1 : 1
        width = program.classes.count * previousCount
        var indices = [Int](repeating: -1, count: program.instructions.count)
        var count = 0
        func add(_ instruction: Int) {
            guard indices[instruction] < 0 else { return }
            indices[instruction] = count
            count += 1
        }
        add(program.start)
        for case .scalar(_, let next) in program.instructions { add(next) }
        targetIndex = indices
        targetCount = count
        targetAfter = program.instructions.map { instruction in
            if case .scalar(_, let next) = instruction { indices[next] } else { -1 }
        }
        // About 8 MB for all states together; common patterns have less than a hundred.
        blockByteCount = max(64, min(16_384, 2_000_000 / (width + count + 4 * wordCount)))
        capacity = 2 * blockByteCount + 8
        transitions = .allocate(capacity: capacity * width)
        resolved = .allocate(capacity: capacity * count)
        beginsMatch = .allocate(capacity: capacity)
        // A block begins at a scalar, so it may be a little longer.
        states = .allocate(capacity: blockByteCount + 8)
    }

    deinit {
        transitions.deallocate()
        resolved.deallocate()
        beginsMatch.deallocate()
        states.deallocate()
    }

    /// Calls `body` with the ranges of all matches in `text`, which is valid UTF-8, in order and without overlaps. An
    /// empty match right after another match is none.
    func forEachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        prepare(text)
        var position = 0
        var lastEnd = -1
        while let start = firstStart(from: position, text) {
            let end = matchEnd(from: start, text)
            if start == end, end == lastEnd {
                guard end < text.count else { return }
                position = end + Self.length(text[end])
                continue
            }
            body(start..<end)
            position = end
            lastEnd = end
        }
    }

    private func firstStart(from position: Int, _ text: UnsafeBufferPointer<UInt8>) -> Int? {
        var position = position
        while true {
            if beginsMatch[Int(state(at: position, text))] { return position }
            guard position < text.count else { return nil }
            position += Self.length(text[position])
        }
    }

    private func matchEnd(from start: Int, _ text: UnsafeBufferPointer<UInt8>) -> Int {
        var position = start
        var target = targetIndex[program.start]
        while true {
            let state = Int(state(at: position, text))
            var instruction = resolved[state * targetCount + target]
            if instruction == Self.unknown { instruction = resolve(state, target) }
            target = targetAfter[Int(instruction)]
            if target < 0 { return position }
            position += Self.length(text[position])
        }
    }

    /// The length of a scalar in UTF-8 by its first byte.
    @inline(__always)
    private static func length(_ first: UInt8) -> Int {
        first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    }
}

/// The backward pass.
extension PatternMatcher {
    /// The state at a position that is not before that of the call before.
    @inline(__always)
    private func state(at position: Int, _ text: UnsafeBufferPointer<UInt8>) -> UInt16 {
        if position >= blockEnd, position < text.count { advance(to: position, text) }
        return states[position - blockStart]
    }

    /// Computes the states of the first block.
    private func prepare(_ text: UnsafeBufferPointer<UInt8>) {
        checkpoints.removeAll(keepingCapacity: true)
        block = 0
        if stateOfBits.count > blockByteCount { removeStates() }
        var end = text.count
        var state = endState(text)
        while end > blockByteCount {
            checkpoints.append((end, bits(of: state)))
            var start = end - blockByteCount
            while text[start] & 0xC0 == 0x80 { start -= 1 }
            state = computeStates(start, end, state, text)
            end = start
            if stateOfBits.count > blockByteCount {
                let kept = bits(of: state)
                removeStates()
                state = intern(kept)
            }
        }
        checkpoints.append((end, bits(of: state)))
        checkpoints.reverse()
        blockStart = 0
        blockEnd = end
        _ = computeStates(0, end, state, text)
    }

    private func advance(to position: Int, _ text: UnsafeBufferPointer<UInt8>) {
        while position >= checkpoints[block].position, block + 1 < checkpoints.count { block += 1 }
        if stateOfBits.count > blockByteCount { removeStates() }
        blockStart = checkpoints[block - 1].position
        blockEnd = checkpoints[block].position
        _ = computeStates(blockStart, blockEnd, intern(checkpoints[block].bits), text)
    }

    private func endState(_ text: UnsafeBufferPointer<UInt8>) -> UInt16 {
        intern(set(after: nil, class: nil, previous: previousClass(text.count, text)))
    }

    /// Fills `states` for the positions from `start` to `end`, where the state is `state`. Returns that of `start`.
    private func computeStates(
        _ start: Int, _ end: Int, _ state: UInt16, _ text: UnsafeBufferPointer<UInt8>
    ) -> UInt16 {
        program.classes.withTable { table in
            var state = state
            var position = end
            states[position - start] = state
            while position > start {
                position -= 1
                var index: Int
                let byte = text[position]
                if byte < 0x80 {
                    index = Int(table[Int(byte)])
                } else {
                    while text[position] & 0xC0 == 0x80 { position -= 1 }
                    index = scalarClass(at: position, text)
                }
                if previousCount > 1 { index = index * previousCount + previousClass(position, text) }
                var before = transitions[Int(state) * width + index]
                if before == Self.unknown { before = transition(state, index) }
                state = before
                states[position - start] = state
            }
            return state
        }
    }

    private func scalarClass(at position: Int, _ text: UnsafeBufferPointer<UInt8>) -> Int {
        program.classes.index(of: UTF8Scalar.value(at: position, of: text).value)
    }

    /// The class of the scalar before `position`; that of the beginning of the text is the number of classes.
    private func previousClass(_ position: Int, _ text: UnsafeBufferPointer<UInt8>) -> Int {
        guard previousCount > 1 else { return 0 }
        guard position > 0 else { return program.classes.count }
        var start = position - 1
        while text[start] & 0xC0 == 0x80 { start -= 1 }
        return scalarClass(at: start, text)
    }
}

/// States, which are computed when they are needed for the first time.
extension PatternMatcher {
    private func removeStates() {
        stateOfBits.removeAll(keepingCapacity: true)
        bits.removeAll(keepingCapacity: true)
    }

    private func bits(of state: UInt16) -> [UInt64] {
        Array(bits[Int(state) * wordCount..<(Int(state) + 1) * wordCount])
    }

    private func intern(_ set: [UInt64]) -> UInt16 {
        if let state = stateOfBits[set] { return state }
        let state = stateOfBits.count
        precondition(state < capacity, "more states than positions")
        stateOfBits[set] = UInt16(state)
        bits += set
        (transitions + state * width).initialize(repeating: Self.unknown, count: width)
        (resolved + state * targetCount).initialize(repeating: Self.unknown, count: targetCount)
        (beginsMatch + state).initialize(to: set[program.start / 64] >> UInt64(program.start % 64) & 1 == 1)
        return UInt16(state)
    }

    private func transition(_ state: UInt16, _ index: Int) -> UInt16 {
        let (scalarClass, previous) = index.quotientAndRemainder(dividingBy: previousCount)
        let before = intern(set(after: bits(of: state), class: scalarClass, previous: previous))
        transitions[Int(state) * width + index] = before
        return before
    }

    /// The instructions from which a match can be completed, before a scalar of `class` that is followed by `after`;
    /// nil: at the end of the text.
    private func set(after: [UInt64]?, class scalarClass: Int?, previous: Int) -> [UInt64] {
        var set = [UInt64](repeating: 0, count: wordCount)
        func has(_ instruction: Int, _ set: [UInt64]) -> Bool {
            set[instruction / 64] >> UInt64(instruction % 64) & 1 == 1
        }
        func holds(_ instruction: PatternProgram.Instruction) -> Bool {
            switch instruction {
            case .accept: return true
            case .either(let first, let second): return has(first, set) || has(second, set)
            case .lookahead(let body, let isNegative, let next):
                return has(body, set) != isNegative && has(next, set)
            case .scalar(let members, let next):
                guard let after, let scalarClass else { return false }
                return program.sets[members][scalarClass] && has(next, after)
            case .previous(let members, let atStart, let next):
                let isMember = previous < program.classes.count ? program.sets[members][previous] : atStart
                return isMember && has(next, set)
            }
        }
        var start = 0
        for end in program.stratumEnds {
            var hasChanged = true
            while hasChanged {
                hasChanged = false
                for index in start..<end where !has(index, set) && holds(program.instructions[index]) {
                    set[index / 64] |= 1 << UInt64(index % 64)
                    hasChanged = true
                }
            }
            start = end
        }
        return set
    }

    /// The first instruction, in the order of preference, that consumes a scalar or accepts and leads to a match.
    private func resolve(_ state: Int, _ target: Int) -> UInt16 {
        guard let origin = targetIndex.firstIndex(of: target) else { preconditionFailure("an unknown target") }
        var visited: Set<Int> = []
        func has(_ instruction: Int) -> Bool {
            bits[state * wordCount + instruction / 64] >> UInt64(instruction % 64) & 1 == 1
        }
        var pending = [origin]
        while let index = pending.popLast() {
            guard has(index) else { continue }
            guard visited.insert(index).inserted else {
                // A repetition that takes the empty text ends, as in Oniguruma.
                if let after = program.instructionAfterLoop[index] { pending.append(after) }
                continue
            }
            switch program.instructions[index] {
            case .scalar, .accept:
                resolved[state * targetCount + target] = UInt16(index)
                return UInt16(index)
            case .either(let first, let second): pending += [second, first]
            case .previous(_, _, let next), .lookahead(_, _, let next): pending.append(next)
            }
        }
        preconditionFailure("a match can be completed from here")
    }
}

/// Scalars in valid UTF-8.
enum UTF8Scalar {
    /// The scalar that starts at `index`, and its length in bytes.
    @inline(__always)
    static func value(at index: Int, of text: UnsafeBufferPointer<UInt8>) -> (value: UInt32, length: Int) {
        func continuation(_ offset: Int) -> UInt32 { UInt32(text[index + offset]) & 0x3F }
        let first = UInt32(text[index])
        if first < 0x80 { return (first, 1) }
        if first < 0xE0 { return ((first & 0x1F) << 6 | continuation(1), 2) }
        if first < 0xF0 { return ((first & 0xF) << 12 | continuation(1) << 6 | continuation(2), 3) }
        return ((first & 7) << 18 | continuation(1) << 12 | continuation(2) << 6 | continuation(3), 4)
    }
}
