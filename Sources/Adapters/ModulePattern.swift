import Tokenization

/// A pattern of module names, as PEFT's configurations have them: most are plain names, some are regular expressions.
///
/// Patterns come from strangers, so they are matched in time linear in the name.
struct ModulePattern: Sendable {
    /// The pattern where it is a plain name.
    private let name: String?
    private let expression: RegularExpression?

    /// Throws `RegularExpressionError`.
    init(_ pattern: String) throws(RegularExpressionError) {
        let isPlain = pattern.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F
        }
        name = isPlain ? pattern : nil
        expression = isPlain ? nil : try RegularExpression("(?:.*\\.)?(?:\(pattern))")
        whole = isPlain ? nil : try RegularExpression(pattern)
    }

    private let whole: RegularExpression?

    /// Whether `module`, or what follows one of its dots, is a match to its end (`re.match(r"(.*\.)?(PATTERN)$")`).
    func matchesEnd(of module: String) -> Bool {
        if let name { return module == name || module.hasSuffix("." + name) }
        return expression?.matchesWhole(module) ?? false
    }

    /// Whether all of `module` is a match (`re.fullmatch`).
    func matchesAll(of module: String) -> Bool {
        if let name { return module == name }
        return whole?.matchesWhole(module) ?? false
    }
}
