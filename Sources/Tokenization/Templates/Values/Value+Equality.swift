extension Value: Hashable {
    /// Python's `==`: numbers by value whatever their kind, containers by their elements.
    static func == (left: Value, right: Value) -> Bool {
        switch (left, right) {
        case (.undefined, .undefined), (.none, .none): true
        case (.text(let left), .text(let right)): left == right
        case (.sequence(let left), .sequence(let right)): equal(left, right)
        case (.dictionary(let left), .dictionary(let right)):
            left === right
                || left.entries.count == right.entries.count && left.entries.allSatisfy { right[$0.key] == $0.value }
        case (.namespace(let left), .namespace(let right)), (.macro(let left), .macro(let right)): left == right
        case (.loop(let left), .loop(let right)): left === right
        case (.helper(let left), .helper(let right)): left === right
        case (.function(let left), .function(let right)): left == right
        case (.method(let left), .method(let right)): left.name == right.name && left.receiver == right.receiver
        default: left.compareNumbers(right) == .equal
        }
    }

    private static func equal(_ left: SequenceValue, _ right: SequenceValue) -> Bool {
        if left === right { return true }
        switch left.kind {
        case .list, .tuple, .range, .bytes: return left.kind == right.kind && left.elements == right.elements
        case .keys: return left.kind == right.kind && Set(left.elements) == Set(right.elements)
        case .generator, .values, .items: return false
        }
    }

    func hash(into hasher: inout Hasher) {
        switch self {
        case .bool(let bool): hasher.combine(bool ? 1 : 0)
        case .int(let int): hasher.combine(int)
        // As the floating-point number that may equal it.
        case .bigInteger(let integer): hasher.combine(integer.double)
        case .double(let double):
            if let int = Int(exactly: double) { hasher.combine(int) } else { hasher.combine(double) }
        case .text(let text): hasher.combine(text)
        case .sequence(let sequence): hasher.combine(sequence.elements)
        case .namespace(let place): hasher.combine(place)
        default: break
        }
    }

    /// Whether it may be the key of a dictionary.
    var isHashable: Bool {
        switch self {
        case .dictionary: false
        case .sequence(let sequence):
            switch sequence.kind {
            case .tuple: sequence.hasHashableElements
            case .range, .generator, .bytes: true
            case .list, .keys, .values, .items: false
            }
        default: true
        }
    }

    enum Order { case less, equal, greater, unordered }

    /// How two numbers compare, exactly; `nil`: not both are numbers.
    func compareNumbers(_ other: Value) -> Order? {
        switch (asNumber, other.asNumber) {
        case (.int(let left), .int(let right)): left < right ? .less : left == right ? .equal : .greater
        case (.double(let left), .double(let right)):
            left < right ? .less : left == right ? .equal : left > right ? .greater : .unordered
        case (.int(let left), .double(let right)): Value.compare(left, right)
        case (.double(let left), .int(let right)):
            switch Value.compare(right, left) {
            case .less: .greater
            case .greater: .less
            case let same: same
            }
        case (.bigInteger(let left), .bigInteger(let right)):
            left < right ? .less : left == right ? .equal : .greater
        case (.bigInteger(let left), .int): left.isNegative ? .less : .greater
        case (.int, .bigInteger(let right)): right.isNegative ? .greater : .less
        case (.bigInteger(let left), .double(let right)): Value.compare(left, right)
        case (.double(let left), .bigInteger(let right)):
            switch Value.compare(right, left) {
            case .less: .greater
            case .greater: .less
            case let same: same
            }
        default: nil
        }
    }

    private static func compare(_ left: BigInteger, _ right: Double) -> Order {
        if right.isNaN { return .unordered }
        if right.isInfinite { return right < 0 ? .greater : .less }
        guard let whole = BigInteger(exactly: right.rounded(.towardZero)) else { return .unordered }
        // Beyond 64 bits a floating-point number has no fraction; below, the larger integer decides.
        return left < whole ? .less : left == whole ? .equal : .greater
    }

    private static func compare(_ left: Int, _ right: Double) -> Order {
        if right.isNaN { return .unordered }
        if right >= 0x1p63 { return .less }
        if right < -0x1p63 { return .greater }
        let whole = Int(right.rounded(.down))
        if left != whole { return left < whole ? .less : .greater }
        return right > Double(whole) ? .less : .equal
    }

    /// Itself if a number, a truth value as 0 or 1.
    var asNumber: Value? {
        switch self {
        case .bool(let bool): .int(bool ? 1 : 0)
        case .int, .bigInteger, .double: self
        default: nil
        }
    }

    /// Python's truth of a value; a generator is always true.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let bool): bool
        case .int(let int): int != 0
        case .double(let double): double != 0
        case .text(let text): !text.isEmpty
        case .sequence(let sequence): sequence.kind == .generator || !sequence.elements.isEmpty
        case .dictionary(let dictionary): !dictionary.entries.isEmpty
        case .bigInteger, .namespace, .macro, .loop, .helper, .function, .method: true
        }
    }
}
