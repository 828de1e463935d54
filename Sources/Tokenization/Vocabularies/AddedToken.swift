/// A token that is found in the text itself, before it is cut into words.
struct AddedToken: Sendable, Equatable {
    let id: TokenID
    let content: String
    var isSpecial = true
    /// Takes the white space before it.
    var stripsLeft = false
    /// Takes the white space after it.
    var stripsRight = false
    /// Not found within a longer word.
    var isSingleWord = false
    /// Looked for in the normalized text, and not in the text as given.
    var isNormalized = false
}
