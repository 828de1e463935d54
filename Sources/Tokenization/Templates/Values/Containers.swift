/// Values in order; never changed once made.
final class SequenceValue {
    enum Kind: String, Sendable {
        case list, tuple, range, generator
        /// What `encode` makes of text; its elements are numbers.
        case bytes
        case keys = "dict_keys"
        case values = "dict_values"
        case items = "dict_items"
    }
    let kind: Kind
    let elements: [Value]
    let depth: Int
    let weight: Int
    let hasHashableElements: Bool
    /// Start, stop and step of a range.
    let bounds: (Int, Int, Int)
    /// Whether it is a pair that `groupby` makes, which has the attributes `grouper` and `list`.
    let isGroup: Bool

    init(_ kind: Kind, _ elements: [Value], bounds: (Int, Int, Int) = (0, 0, 1), isGroup: Bool = false) {
        self.kind = kind
        self.isGroup = isGroup
        self.elements = elements
        self.bounds = bounds
        var depth = 0
        var weight = 1
        for element in elements {
            depth = max(depth, element.depth)
            weight = weight.addingSaturating(element.weight)
        }
        self.depth = depth + 1
        self.weight = weight
        hasHashableElements = kind == .tuple && elements.allSatisfy(\.isHashable)
    }
}

/// Named values in the order in which they were first given; never changed once made.
final class DictionaryValue {
    typealias Entry = (key: Value, value: Value)
    let entries: [Entry]
    let depth: Int
    let weight: Int
    private let places: [Value: Int]
    /// So few entries are found as fast without an index.
    private static let unindexed = 8

    /// Of a repeated key the first place and the last value count.
    init(_ given: [Entry]) {
        var entries: [Entry] = []
        var places: [Value: Int] = [:]
        var depth = 0
        var weight = 1
        for entry in given {
            let place =
                given.count > Self.unindexed ? places[entry.key] : entries.firstIndex { $0.key == entry.key }
            depth = max(depth, entry.key.depth, entry.value.depth)
            weight = weight.addingSaturating(entry.key.weight).addingSaturating(entry.value.weight)
            if let place {
                entries[place].value = entry.value
            } else {
                if given.count > Self.unindexed { places[entry.key] = entries.count }
                entries.append(entry)
            }
        }
        self.entries = entries
        self.places = places
        self.depth = depth + 1
        self.weight = weight
    }

    subscript(key: Value) -> Value? {
        if places.isEmpty { return entries.first { $0.key == key }?.value }
        return places[key].map { entries[$0].value }
    }
}

/// Where a loop stands.
final class LoopState {
    let elements: [Value]
    var index = 0
    let depth: Int
    let serial: Int
    /// How many loops of the same recursion enclose it.
    let level: Int
    /// The loop and the scope around it, where it may be called to go on with other elements.
    let recursion: (loop: Loop, scope: Scope)?

    init(_ elements: [Value], depth: Int, serial: Int, level: Int, recursion: (loop: Loop, scope: Scope)?) {
        self.elements = elements
        self.depth = depth
        self.serial = serial
        self.level = level
        self.recursion = recursion
    }
}

extension Int {
    func addingSaturating(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    func multipliedSaturating(by other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
