/// Finds which of many short texts begins at a place of a long one, in time that does not depend on how many there are.
struct ByteTrie: Sendable {
    private struct Node: Sendable {
        var children: [UInt8: Int] = [:]
        var token: Int32?
    }

    private var nodes = [Node()]
    /// Bytes of the longest text.
    private(set) var longestByteCount = 0

    /// Knows `texts`, each with its token. Empty texts are left out.
    init(_ texts: [String: Int32]) {
        for (text, token) in texts where !text.isEmpty {
            var node = 0
            for byte in text.utf8 {
                if let child = nodes[node].children[byte] {
                    node = child
                } else {
                    nodes.append(Node())
                    nodes[node].children[byte] = nodes.count - 1
                    node = nodes.count - 1
                }
            }
            nodes[node].token = token
            longestByteCount = max(longestByteCount, text.utf8.count)
        }
    }

    /// The longest text that begins at `start`, and whether `bytes` end where one could still go on.
    func match(_ bytes: [UInt8], at start: Int) -> (token: Int32, byteCount: Int, isCut: Bool)? {
        var node = 0
        var found: (token: Int32, byteCount: Int)?
        var index = start
        while index < bytes.count, let child = nodes[node].children[bytes[index]] {
            node = child
            index += 1
            if let token = nodes[node].token { found = (token, index - start) }
        }
        let isCut = index == bytes.count && index > start && !nodes[node].children.isEmpty
        if let found { return (found.token, found.byteCount, isCut) }
        return isCut ? (-1, 0, true) : nil
    }
}
