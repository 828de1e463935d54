import ArgumentParser

/// Several numbers in one argument.
enum CommaSeparated {
    /// The integers of `1,4,16`. Throws `ValidationError` where something between commas is none.
    static func integers(_ text: String) throws -> [Int] {
        try text.split(separator: ",").map { part in
            guard let value = Int(part) else { throw ValidationError("expected numbers such as 1,4,16, found \(text)") }
            return value
        }
    }
}
