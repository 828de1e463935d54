/// Splits a word into the tokens whose scores, which are logarithms of probabilities, have the highest sum (Kudo 2018,
/// arXiv 1804.10959; Viterbi's algorithm).
final class UnigramEncoder: Sendable {
    private let trie: TokenTrie
    /// The score of each token, `[tokens]`.
    private let scores: [Double]
    /// The token for text that no token covers; neighbouring ones become one token.
    private let unknownToken: TokenID?
    /// The tokens of the bytes of unknown text, `[256]`; negative: there is none. Empty: this is off.
    private let fallbackTokens: [TokenID]
    private let unknownScore: Double

    /// How much worse than the worst token an unknown scalar is, as in SentencePiece.
    private static let unknownPenalty = 10.0

    /// The encoder of `tokens`: their bytes, ids and scores. `minimumScore`: that of the worst token.
    init(
        _ tokens: [(bytes: [UInt8], id: TokenID, score: Double)], minimumScore: Double, unknownToken: TokenID?,
        fallbackTokens: [TokenID]
    ) {
        let count = Int(tokens.map(\.id).max() ?? -1) + 1
        var scores = [Double](repeating: 0, count: count)
        for token in tokens { scores[Int(token.id)] = token.score }
        self.scores = scores
        trie = TokenTrie(tokens.map { ($0.bytes, $0.id) })
        self.unknownToken = unknownToken
        self.fallbackTokens = fallbackTokens
        unknownScore = minimumScore - Self.unknownPenalty
    }

    /// Memory that calls of `encode` share.
    final class Workspace {
        /// The best path to each byte: its score, where its last token begins (-1: there is none), and this token.
        fileprivate var scores: [Double] = []
        fileprivate var starts: [Int32] = []
        fileprivate var tokens: [TokenID] = []
        fileprivate var path: [(start: Int, end: Int, token: TokenID)] = []

        init() {}
    }

    /// Stands for unknown text in a path.
    private static let unknown = TokenID.min

    /// Appends the tokens of `word` to `output`.
    func encode(_ word: UnsafeBufferPointer<UInt8>, into output: inout [TokenID], _ workspace: Workspace) {
        findBestPaths(word, workspace)
        workspace.path.removeAll(keepingCapacity: true)
        var end = word.count
        while end > 0 {
            let start = Int(workspace.starts[end])
            let token = workspace.tokens[end]
            if token == Self.unknown, let last = workspace.path.last, last.token == Self.unknown {
                workspace.path[workspace.path.count - 1].start = start
            } else {
                workspace.path.append((start, end, token))
            }
            end = start
        }
        for step in workspace.path.reversed() {
            if step.token != Self.unknown {
                output.append(step.token)
            } else {
                appendUnknown(UnsafeBufferPointer(rebasing: word[step.start..<step.end]), to: &output)
            }
        }
    }

    private func appendUnknown(_ text: UnsafeBufferPointer<UInt8>, to output: inout [TokenID]) {
        // The text may be that of the unknown token.
        if let token = trie.token(of: text) {
            output.append(token)
        } else if !fallbackTokens.isEmpty, text.allSatisfy({ fallbackTokens[Int($0)] >= 0 }) {
            for byte in text { output.append(fallbackTokens[Int(byte)]) }
        } else if let unknownToken {
            output.append(unknownToken)
        }
    }

    private func findBestPaths(_ word: UnsafeBufferPointer<UInt8>, _ workspace: Workspace) {
        workspace.scores.removeAll(keepingCapacity: true)
        workspace.starts.removeAll(keepingCapacity: true)
        workspace.tokens.removeAll(keepingCapacity: true)
        workspace.scores.append(contentsOf: repeatElement(0, count: word.count + 1))
        workspace.starts.append(contentsOf: repeatElement(-1, count: word.count + 1))
        workspace.tokens.append(contentsOf: repeatElement(0, count: word.count + 1))
        findBestPaths(word, &workspace.scores, &workspace.starts, &workspace.tokens)
    }

    private func findBestPaths(
        _ word: UnsafeBufferPointer<UInt8>, _ sums: inout [Double], _ starts: inout [Int32], _ tokens: inout [TokenID]
    ) {
        func offer(_ token: TokenID, _ score: Double, from start: Int, to end: Int) {
            let sum = score + sums[start]
            guard starts[end] < 0 || sum > sums[end] else { return }
            sums[end] = sum
            starts[end] = Int32(start)
            tokens[end] = token
        }
        var start = 0
        while start < word.count {
            let length = UTF8Scalar.value(at: start, of: word).length
            var coversScalar = false
            var node = TokenTrie.root
            var index = start
            while index < word.count, let child = trie.child(of: node, word[index]) {
                node = child
                index += 1
                guard let token = trie.token(at: node) else { continue }
                offer(token == unknownToken ? Self.unknown : token, scores[Int(token)], from: start, to: index)
                if index - start == length { coversScalar = true }
            }
            if !coversScalar { offer(Self.unknown, unknownScore, from: start, to: start + length) }
            start += length
        }
    }
}

/// Tokens by their bytes, for finding all tokens that begin at a position.
struct TokenTrie: Sendable {
    typealias Node = Int32
    static let root: Node = 0

    /// The token that ends at each node; negative: none.
    private var tokens: [TokenID] = [-1]
    /// The children of the root by byte; 0: none.
    private var rootChildren = [Node](repeating: 0, count: 256)
    /// The edges of the other nodes: an open-addressed table of node and byte to node. 0: the slot is free.
    private var keys: [UInt64]
    private var children: [Node]

    init(_ entries: [(bytes: [UInt8], token: TokenID)]) {
        var bits = 4
        let edgeCount = entries.reduce(0) { $0 + $1.bytes.count }
        while 1 << bits < edgeCount * 2 { bits += 1 }
        keys = [UInt64](repeating: 0, count: 1 << bits)
        children = [Node](repeating: 0, count: 1 << bits)
        for entry in entries where !entry.bytes.isEmpty {
            var node = Self.root
            for byte in entry.bytes {
                if let child = child(of: node, byte) {
                    node = child
                    continue
                }
                let child = Node(tokens.count)
                tokens.append(-1)
                if node == Self.root {
                    rootChildren[Int(byte)] = child
                } else {
                    let slot = slot(UInt64(node) << 8 | UInt64(byte))
                    keys[slot] = UInt64(node) << 8 | UInt64(byte)
                    children[slot] = child
                }
                node = child
            }
            tokens[Int(node)] = entry.token
        }
    }

    private func slot(_ key: UInt64) -> Int {
        let hash = key &* 0x9E37_79B9_7F4A_7C15
        var slot = Int(truncatingIfNeeded: hash >> 24) & (keys.count - 1)
        while keys[slot] != 0, keys[slot] != key { slot = (slot + 1) & (keys.count - 1) }
        return slot
    }

    /// The node after `byte`; nil: no token continues so.
    @inline(__always)
    func child(of node: Node, _ byte: UInt8) -> Node? {
        let child =
            node == Self.root
            ? rootChildren[Int(byte)] : children[slot(UInt64(node) << 8 | UInt64(byte))]
        return child == 0 ? nil : child
    }

    /// The token whose bytes are `text`.
    func token(of text: UnsafeBufferPointer<UInt8>) -> TokenID? {
        var node = Self.root
        for byte in text {
            guard let child = child(of: node, byte) else { return nil }
            node = child
        }
        return token(at: node)
    }

    /// The token that ends at `node`.
    @inline(__always)
    func token(at node: Node) -> TokenID? {
        let token = tokens[Int(node)]
        return token < 0 ? nil : token
    }
}
