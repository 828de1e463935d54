/// A regular expression in Oniguruma's syntax that is matched in time linear in the text, whatever the pattern.
///
/// Back references are refused, and so is look-behind over more than one character.
public struct RegularExpression: Sendable {
    private let program: PatternProgram

    /// Compiles `pattern`. Throws an error that names the position.
    public init(_ pattern: String) throws(RegularExpressionError) {
        do throws(PatternError) {
            // Alone, too: the brackets of the next line must not close a group of the pattern.
            _ = try PatternParser.parse(pattern)
            program = try PatternProgram("\\A(?:\(pattern))\\z")
        } catch {
            throw RegularExpressionError(position: error.position, reason: error.reason)
        }
    }

    /// Whether the whole of `text` is a match.
    public func matchesWhole(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var matches = false
            PatternMatcher(program).forEachMatch(in: bytes) { _ in matches = true }
            return matches
        }
    }
}

/// Why a pattern was refused.
public struct RegularExpressionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The number of scalars of the pattern before the problem.
    public let position: Int
    public let reason: String

    public var description: String { "\(reason) at position \(position)" }
}
