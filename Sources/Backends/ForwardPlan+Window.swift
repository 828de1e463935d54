extension ForwardPlan {
    /// How many positions any attention sees at most, its own included; nil where some layer sees all.
    ///
    /// Keys and values below it are never read again. One block table serves all layers, so a single layer without a
    /// window keeps the blocks of all.
    public var slidingWindow: Int? {
        var widest: Int?
        for case .pagedAttention(_, _, let attention, _) in operations {
            guard let window = attention.slidingWindow else { return nil }
            widest = max(widest ?? 0, window)
        }
        return widest
    }
}
