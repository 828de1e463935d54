/// The bytes of all tokens, in one array, and which tokens are special.
struct TokenTable: Sendable {
    private var bytes: [UInt8] = []
    /// The offset of the bytes of each id; negative: no token has this id.
    private var starts: [Int] = []
    private var ends: [Int] = []
    private var special: [Bool] = []

    /// One more than the highest id.
    var count: Int { starts.count }

    init() {}

    /// Sets the bytes of `token`.
    ///
    /// - Precondition: `token` is not negative.
    mutating func set(_ token: TokenID, bytes new: some Collection<UInt8>, isSpecial: Bool) {
        let index = Int(token)
        while starts.count <= index {
            starts.append(-1)
            ends.append(-1)
            special.append(false)
        }
        starts[index] = bytes.count
        bytes.append(contentsOf: new)
        ends[index] = bytes.count
        special[index] = isSpecial
    }

    /// The bytes of `token`; `nil`: there is no such token.
    func bytes(of token: TokenID) -> ArraySlice<UInt8>? {
        guard token >= 0, token < starts.count, starts[Int(token)] >= 0 else { return nil }
        return bytes[starts[Int(token)]..<ends[Int(token)]]
    }

    func isSpecial(_ token: TokenID) -> Bool {
        token >= 0 && token < special.count && special[Int(token)]
    }
}
