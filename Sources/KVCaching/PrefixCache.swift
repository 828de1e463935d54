import SharedValues

/// Finds the blocks that already hold given tokens after a given prefix: on the device, in the swap space, or in both.
///
/// A tree. A node is a prefix of whole blocks of the smallest block size, and its parent is the prefix that is one such block
/// shorter. A node knows, for each cache group, the block whose last token is the prefix's last token. A node exists as
/// long as it knows a block or has children, so the blocks of a sliding window are found after those before it are gone.
///
/// Keys hold the tokens themselves, so a hit compares them, and equal hashes of different prefixes cannot be confused.
struct PrefixCache: Sendable {
    /// Names a node. A node that is removed and added again has another name.
    struct NodeID: Sendable, Hashable {
        let index: Int
        let serial: UInt64
        /// The empty prefix.
        static let root = NodeID(index: 0, serial: 0)
    }

    /// The blocks that hold the last tokens of a prefix, in one group; nil: none does.
    struct Content: Sendable, Hashable {
        var block: BlockID?
        var swapped: BlockID?
    }

    private struct Key: Sendable, Hashable {
        let parent: Int
        /// Only on a first block: later ones are separated by their parent.
        let salt: String?
        let tokens: ArraySlice<Int32>

        /// Hashes all tokens at once: one at a time takes several times as long.
        func hash(into hasher: inout Hasher) {
            hasher.combine(parent)
            hasher.combine(salt)
            tokens.withUnsafeBytes { hasher.combine(bytes: $0) }
        }
    }

    private struct Node: Sendable {
        var serial: UInt64 = 0
        /// Nil for the root and for a vacant node.
        var key: Key?
        var childCount = 0
        /// Blocks that it knows, of both pools.
        var blockCount = 0
    }

    /// Tokens between a node and its parent.
    let blockSize: Int
    private let groupCount: Int
    private var nodes = [Node()]
    private var vacantNodes: [Int] = []
    private var indices: [Key: Int] = [:]
    /// `[nodes, groups]`.
    private var contents: [Content]
    /// The position in `contents` of each block of the device, and of the swap space; negative: it is not findable.
    private var contentIndices: [Int]
    private var swappedContentIndices: [Int]
    private var lastSerial: UInt64 = 0
    /// Findable blocks of the device.
    private(set) var count = 0
    /// Findable blocks of the swap space.
    private(set) var swappedCount = 0

    /// An empty tree for pools of `blockCount` and `swapBlockCount` blocks. Precondition: the block sizes of all groups are
    /// multiples of `blockSize`.
    init(groupCount: Int, blockSize: Int, blockCount: Int, swapBlockCount: Int) {
        self.groupCount = groupCount
        self.blockSize = blockSize
        contents = Array(repeating: Content(), count: groupCount)
        contentIndices = Array(repeating: -1, count: blockCount)
        swappedContentIndices = Array(repeating: -1, count: swapBlockCount)
    }

    // MARK: Nodes

    /// The prefix that is `tokens` longer than the node at `parent`; nil where nothing is known of it.
    func child(of parent: Int, _ tokens: ArraySlice<Int32>, salt: String?) -> Int? {
        indices[Key(parent: parent, salt: parent == NodeID.root.index ? salt : nil, tokens: tokens)]
    }

    /// The same, added where it is missing. The caller makes it know a block or calls `removeUnused`.
    mutating func addChild(of parent: Int, _ tokens: ArraySlice<Int32>, salt: String?) -> Int {
        if let known = child(of: parent, tokens, salt: salt) { return known }
        let index = vacantNodes.popLast() ?? nodes.count
        if index == nodes.count {
            nodes.append(Node())
            contents.append(contentsOf: repeatElement(Content(), count: groupCount))
        }
        lastSerial += 1
        // A copy, so that the key does not keep the whole sequence alive.
        let key = Key(
            parent: parent, salt: parent == NodeID.root.index ? salt : nil, tokens: ArraySlice(Array(tokens)))
        nodes[index] = Node(serial: lastSerial, key: key)
        nodes[parent].childCount += 1
        indices[key] = index
        return index
    }

    /// Removes the node at `index`, and then its parents, as long as they know no block and have no children.
    mutating func removeUnused(_ index: Int) {
        var index = index
        while let key = nodes[index].key, nodes[index].childCount == 0, nodes[index].blockCount == 0 {
            indices[key] = nil
            nodes[index] = Node()
            vacantNodes.append(index)
            index = key.parent
            nodes[index].childCount -= 1
        }
    }

    func id(of index: Int) -> NodeID { NodeID(index: index, serial: nodes[index].serial) }

    /// Whether the node still exists.
    func contains(_ node: NodeID) -> Bool {
        node.index < nodes.count && nodes[node.index].serial == node.serial
    }

    // MARK: Blocks

    /// The blocks of `group` that the node at `index` knows.
    func content(of index: Int, group: Int) -> Content { contents[index * groupCount + group] }

    /// The blocks that hold the same as `block` of the device; nil where it is not findable.
    func content(ofBlock block: BlockID) -> Content? {
        let contentIndex = contentIndices[Int(block)]
        return contentIndex < 0 ? nil : contents[contentIndex]
    }

    /// The blocks that hold the same as `block` of the swap space; nil where it is not findable.
    func content(ofSwapped block: BlockID) -> Content? {
        let contentIndex = swappedContentIndices[Int(block)]
        return contentIndex < 0 ? nil : contents[contentIndex]
    }

    /// Remembers that `block` of `group` holds the last tokens of the node at `index`. Where another block of the device
    /// does already, that one stays.
    mutating func register(_ block: BlockID, at index: Int, group: Int) {
        assign(block, to: index * groupCount + group)
    }

    private mutating func assign(_ block: BlockID, to contentIndex: Int) {
        guard contents[contentIndex].block == nil else { return }
        precondition(contentIndices[Int(block)] < 0, "block \(block) is known by another prefix")
        contents[contentIndex].block = block
        contentIndices[Int(block)] = contentIndex
        nodes[contentIndex / groupCount].blockCount += 1
        count += 1
    }

    /// Forgets that `block` of the device holds anything.
    mutating func forget(_ block: BlockID) {
        let contentIndex = contentIndices[Int(block)]
        guard contentIndex >= 0 else { return }
        contentIndices[Int(block)] = -1
        contents[contentIndex].block = nil
        count -= 1
        nodes[contentIndex / groupCount].blockCount -= 1
        removeUnused(contentIndex / groupCount)
    }

    /// Forgets that `block` of the swap space holds anything.
    mutating func forgetSwapped(_ block: BlockID) {
        let contentIndex = swappedContentIndices[Int(block)]
        guard contentIndex >= 0 else { return }
        swappedContentIndices[Int(block)] = -1
        contents[contentIndex].swapped = nil
        swappedCount -= 1
        nodes[contentIndex / groupCount].blockCount -= 1
        removeUnused(contentIndex / groupCount)
    }

    /// The content of `block` of the device is now in `swapped` as well, if it is findable.
    mutating func copied(_ block: BlockID, toSwapped swapped: BlockID) {
        let contentIndex = contentIndices[Int(block)]
        guard contentIndex >= 0, contents[contentIndex].swapped == nil else { return }
        contents[contentIndex].swapped = swapped
        swappedContentIndices[Int(swapped)] = contentIndex
        nodes[contentIndex / groupCount].blockCount += 1
        swappedCount += 1
    }

    /// The content of `swapped` is now in `block` of the device as well, if it is findable.
    mutating func copied(swapped: BlockID, to block: BlockID) {
        let contentIndex = swappedContentIndices[Int(swapped)]
        if contentIndex >= 0 { assign(block, to: contentIndex) }
    }

    mutating func forgetAll() {
        let serial = lastSerial
        self = PrefixCache(
            groupCount: groupCount, blockSize: blockSize, blockCount: contentIndices.count,
            swapBlockCount: swappedContentIndices.count)
        lastSerial = serial
    }

    /// The first broken invariant, in words; nil when all hold.
    func checkInvariants() -> String? {
        for (block, contentIndex) in contentIndices.enumerated()
        where contentIndex >= 0 && contents[contentIndex].block != BlockID(block) {
            return "block \(block) is not known by its prefix"
        }
        for (block, contentIndex) in swappedContentIndices.enumerated()
        where contentIndex >= 0 && contents[contentIndex].swapped != BlockID(block) {
            return "swapped block \(block) is not known by its prefix"
        }
        let onDevice = contents.count { $0.block != nil }
        let swapped = contents.count { $0.swapped != nil }
        if onDevice != count || contentIndices.count(where: { $0 >= 0 }) != count {
            return "\(onDevice) blocks, not \(count)"
        }
        if swapped != swappedCount || swappedContentIndices.count(where: { $0 >= 0 }) != swappedCount {
            return "\(swapped) swapped blocks, not \(swappedCount)"
        }
        var childCounts = [Int](repeating: 0, count: nodes.count)
        for (key, index) in indices {
            if nodes[index].key != key { return "node \(index) is not found by its key" }
            childCounts[key.parent] += 1
        }
        if indices.count + vacantNodes.count + 1 != nodes.count { return "nodes are lost" }
        for (index, node) in nodes.enumerated() {
            let known = contents[index * groupCount..<(index + 1) * groupCount].reduce(0) {
                $0 + ($1.block == nil ? 0 : 1) + ($1.swapped == nil ? 0 : 1)
            }
            if node.childCount != childCounts[index] || node.blockCount != known { return "node \(index) miscounts" }
            if node.key != nil, node.childCount == 0, node.blockCount == 0 { return "node \(index) is of no use" }
        }
        return nil
    }
}
