/// Ends a text at the first stop string. The text arrives in pieces of any size.
///
/// The stop string that is complete first counts; of several that end at the same byte, the longest. Text is held back
/// only while it may be the beginning of a stop string. The automaton is that of Aho and Corasick (1975).
public struct StopStringMatcher: Sendable {
    private let stopStrings: [String]
    private let includesStop: Bool
    private var edges: [UInt64: Int32] = [:]
    private var fallback: [Int32] = [0]
    private var depths: [Int] = [0]
    /// The longest stop string that ends at each node; -1: none.
    private var matches: [Int32] = [-1]
    private var node: Int32 = 0
    private var held: [UInt8] = []

    /// Whether a stop string was found. The text ends there.
    public private(set) var isFinished = false

    /// Empty stop strings never match.
    ///
    /// - Parameter includesStop: whether the stop string itself is part of the text.
    public init(stopStrings: [String], includesStop: Bool = false) {
        self.stopStrings = stopStrings
        self.includesStop = includesStop
        var children: [[(byte: UInt8, node: Int32)]] = [[]]
        for (index, stop) in stopStrings.enumerated() where !stop.isEmpty {
            var node: Int32 = 0
            for byte in stop.utf8 {
                if let child = edges[Self.edge(node, byte)] {
                    node = child
                } else {
                    let child = Int32(depths.count)
                    edges[Self.edge(node, byte)] = child
                    children[Int(node)].append((byte, child))
                    children.append([])
                    depths.append(depths[Int(node)] + 1)
                    fallback.append(0)
                    matches.append(-1)
                    node = child
                }
            }
            if matches[Int(node)] < 0 { matches[Int(node)] = Int32(index) }
        }
        var queue = children[0].map(\.node)
        var next = 0
        while next < queue.count {
            let parent = queue[next]
            next += 1
            for (byte, child) in children[Int(parent)] {
                fallback[Int(child)] = step(from: fallback[Int(parent)], byte)
                if matches[Int(child)] < 0 { matches[Int(child)] = matches[Int(fallback[Int(child)])] }
                queue.append(child)
            }
        }
    }

    private static func edge(_ node: Int32, _ byte: UInt8) -> UInt64 { UInt64(node) << 8 | UInt64(byte) }

    private func step(from start: Int32, _ byte: UInt8) -> Int32 {
        var node = start
        while true {
            if let child = edges[Self.edge(node, byte)] { return child }
            if node == 0 { return 0 }
            node = fallback[Int(node)]
        }
    }

    /// The text that is final after `piece`, and the stop string that `piece` completes.
    public mutating func append(_ piece: String) -> (text: String, stop: String?) {
        guard !isFinished else { return ("", nil) }
        for byte in piece.utf8 {
            held.append(byte)
            node = step(from: node, byte)
            let match = matches[Int(node)]
            guard match >= 0 else { continue }
            let stop = stopStrings[Int(match)]
            if !includesStop { held.removeLast(stop.utf8.count) }
            isFinished = true
            return (finish(), stop)
        }
        let certain = held.count - depths[Int(node)]
        let text = String(decoding: held[..<certain], as: UTF8.self)
        held.removeFirst(certain)
        return (text, nil)
    }

    /// Ends the text; returns what was held back.
    public mutating func finish() -> String {
        defer {
            held.removeAll()
            node = 0
        }
        return String(decoding: held, as: UTF8.self)
    }
}
