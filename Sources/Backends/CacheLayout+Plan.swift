import SharedValues

/// How the cache layers of a plan are cut into groups.
extension CacheLayout {
    /// Sequences of this many tokens decide how layers are cut.
    private static let referenceTokenCount = 8192
    /// The part of a sequence's memory that may be unused for the sake of fewer groups. Each group costs a step a block
    /// table for each sequence, and the device a list of attention tasks.
    private static let acceptableWaste = 0.03

    /// The layout for `plan`, with blocks of `blockSize` tokens, or more where a group's tokens take fewer bytes than
    /// others.
    ///
    /// Layers with the same window are cut into groups of `n` layers. A group may have fewer, and its part of the other
    /// physical layers' blocks is unused then. `n` is the greatest number with acceptable waste, or that with the least.
    public init(_ plan: ForwardPlan, blockSize: Int, type: CacheType) {
        let windows = plan.layerWindows
        var classes: [Group] = []
        for window in windows where !classes.contains(where: { $0.window == window }) {
            classes.append(Group(window: window, layers: windows.indices.filter { windows[$0] == window }))
        }
        let largest = classes.map(\.layers.count).max() ?? 0
        guard largest > 0 else {
            self.init(layers: plan.cacheLayers, blockSize: blockSize, type: type)
            return
        }
        var best: (layout: CacheLayout, waste: Double)?
        for count in (1...largest).reversed() {
            let layout = CacheLayout(
                plan.cacheLayers, in: classes.flatMap { $0.cut(into: count) }, blockSize: blockSize, type: type)
            let waste = layout.waste(ofTokens: Self.referenceTokenCount)
            if best.map({ waste < $0.waste }) ?? true { best = (layout, waste) }
            if waste <= Self.acceptableWaste { break }
        }
        guard let best else { preconditionFailure("some number of layers is the best") }
        self = best.layout
    }

    /// The part of a sequence's blocks, when it has `tokenCount` tokens, that no layer uses: 0 to 1.
    private func waste(ofTokens tokenCount: Int) -> Double {
        func held(_ group: Int) -> Double { Double(min(groups[group].slidingWindow ?? .max, tokenCount)) }
        let used = layers.reduce(0.0) { $0 + 2 * Double($1.tokenByteCount) * held($1.group) }
        let taken = groups.indices.reduce(0.0) {
            $0 + held($1) / Double(groups[$1].blockSize) * Double(blockByteCount)
        }
        return 1 - used / taken
    }
}

extension CacheLayout.Group {
    /// Groups of at most `count` neighbouring layers, of about the same size.
    fileprivate func cut(into count: Int) -> [CacheLayout.Group] {
        let groupCount = (layers.count + count - 1) / count
        return (0..<groupCount).map { index in
            let part = index * layers.count / groupCount..<(index + 1) * layers.count / groupCount
            return CacheLayout.Group(window: window, layers: Array(layers[part]))
        }
    }
}

extension ForwardPlan {
    /// For each cache layer, the most positions that an attention over it sees, its own included; nil: all. Keys and
    /// values before the window are never read again.
    public var layerWindows: [Int?] {
        var windows: [Int?] = Array(repeating: nil, count: cacheLayers.count)
        var isRead = Array(repeating: false, count: cacheLayers.count)
        for case .pagedAttention(let layer, _, let attention, _) in operations {
            if !isRead[layer] {
                windows[layer] = attention.slidingWindow
            } else if let known = windows[layer] {
                windows[layer] = attention.slidingWindow.map { max($0, known) }
            }
            isRead[layer] = true
        }
        return windows
    }
}
