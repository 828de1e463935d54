/// A token that another file than `tokenizer.json` names, such as `added_tokens_decoder` of `tokenizer_config.json`.
public struct NamedToken: Sendable, Hashable {
    /// The text.
    public var content: String
    /// Whether it is a control token, which users may not write.
    public var isSpecial: Bool
    /// Whether it takes the white space before it.
    public var stripsLeft: Bool
    /// Whether it takes the white space after it.
    public var stripsRight: Bool
    /// Whether it is not found within a longer word.
    public var isSingleWord: Bool
    /// Whether it is looked for in the normalized text.
    public var isNormalized: Bool

    /// A token with these flags; one that is not special is looked for in the normalized text unless told otherwise.
    public init(
        _ content: String, isSpecial: Bool, stripsLeft: Bool = false, stripsRight: Bool = false,
        isSingleWord: Bool = false, isNormalized: Bool? = nil
    ) {
        self.content = content
        self.isSpecial = isSpecial
        self.stripsLeft = stripsLeft
        self.stripsRight = stripsRight
        self.isSingleWord = isSingleWord
        self.isNormalized = isNormalized ?? !isSpecial
    }
}

/// The added tokens of a vocabulary, to which more can be added as `add_tokens` of `tokenizers` adds them.
struct AddedTokens {
    private(set) var tokens: [AddedToken]

    init(_ tokens: [AddedToken]) { self.tokens = tokens }

    /// Adds a token, or changes the flags of one that is there. Returns the token; nil where nothing changes.
    ///
    /// A special token stays special, so that users' texts cannot become it. `id` is the id that the model has for the
    /// text already. Without one, the token gets the next free id behind the `modelSize` tokens of the model and the
    /// added ones, whatever number a file says.
    mutating func add(_ named: NamedToken, id: TokenID?, modelSize: Int) -> AddedToken? {
        guard !named.content.isEmpty else { return nil }
        let wasSpecial = tokens.contains { $0.content == named.content && $0.isSpecial }
        let next = max((tokens.map(\.id).max() ?? -1) + 1, TokenID(modelSize))
        let token = AddedToken(
            id: id ?? next, content: named.content, isSpecial: named.isSpecial || wasSpecial,
            stripsLeft: named.stripsLeft,
            stripsRight: named.stripsRight, isSingleWord: named.isSingleWord, isNormalized: named.isNormalized)
        guard let index = tokens.firstIndex(where: { $0.id == token.id }) else {
            tokens.append(token)
            return token
        }
        guard tokens[index] != token else { return nil }
        tokens[index] = token
        return token
    }
}
