import CLibrary
import CQuirePlugin

/// Options as C sees them, sorted by key.
struct OptionList {
    private let entries: [(key: String, text: String)]

    init(_ options: [String: String]) {
        entries = options.sorted { $0.key < $1.key }.map { (key: $0.key, text: $0.value) }
    }

    /// Calls `function` with the options and a place for its error. Returns what was wrong, nil for status 0.
    func withOptions(
        _ function: (UnsafeBufferPointer<quire_option>, UnsafeMutablePointer<quire_message>) -> Int32
    ) -> String? {
        let options = entries.map { entry in
            quire_option(
                key: strdup(entry.key), text: strdup(entry.text), number: Double(entry.text) ?? .nan)
        }
        defer {
            for option in options {
                free(UnsafeMutablePointer(mutating: option.key))
                free(UnsafeMutablePointer(mutating: option.text))
            }
        }
        var message = quire_message()
        let status = options.withUnsafeBufferPointer { function($0, &message) }
        guard status != 0 else { return nil }
        return message.sentence.isEmpty ? "status \(status)" : message.sentence
    }
}
