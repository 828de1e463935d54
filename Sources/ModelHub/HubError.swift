/// Why a model could not be fetched from a hub, or found in its cache.
public enum HubError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The name of a model, of an endpoint or of a token cannot be used.
    case badName(String, reason: String)
    /// libcurl is missing, or too old.
    case noLibrary(reason: String)
    /// No answer came, or it was cut off, as often as was tried.
    case unreachable(url: String, reason: String)
    /// The hub refuses access: status 401 or 403.
    case refused(model: ModelReference, status: Int, isGated: Bool, reason: String)
    /// The hub has no such repository, revision or file: status 404.
    case notFound(model: ModelReference, what: MissingPart, reason: String)
    /// A status that means failure.
    case status(url: String, status: Int, reason: String)
    /// An answer that no hub gives: no JSON, a lie, an endless redirection.
    case invalidAnswer(url: String, reason: String)
    /// The content of a file is not what the hub announced.
    case corrupt(file: String, reason: String)
    /// The repository has nothing that Quire can serve.
    case noWeights(model: ModelReference, found: [String])
    /// Several GGUF models, of which one must be chosen.
    case ambiguous(model: ModelReference, pattern: String?, choices: [String])
    /// No GGUF model has a name that matches the pattern.
    case noMatch(model: ModelReference, pattern: String, choices: [String])
    /// The disk has no room.
    case noSpace(directory: String, neededByteCount: Int, freeByteCount: Int)
    /// The system refuses to read or write a file.
    case disk(path: String, reason: String)
    /// The snapshot in the cache is not a model, or is several.
    case unusableSnapshot(model: ModelReference, directory: String, reason: String)

    /// What a 404 is about.
    public enum MissingPart: Sendable, Equatable {
        case repository, revision
        case file(String)
    }

    /// Whether the user asked for something impossible, and neither machine, network nor hub failed.
    public var isUserError: Bool {
        switch self {
        case .badName, .refused, .notFound, .noWeights, .ambiguous, .noMatch, .unusableSnapshot: true
        case .noLibrary, .unreachable, .status, .invalidAnswer, .corrupt, .noSpace, .disk: false
        }
    }

    public var description: String {
        switch self {
        case .badName(let text, let reason): "\(text.visible): \(reason)"
        case .noLibrary(let reason): reason
        case .unreachable(let url, let reason): "\(url): \(reason)"
        case .refused(let model, let status, let isGated, let reason):
            isGated
                ? "\(model): access is restricted (status \(status)): \(reason)"
                : "\(model): the hub refuses access (status \(status)); there is no such model, or it is private: \(reason)"
        case .notFound(let model, let what, let reason):
            switch what {
            case .repository: "\(model.repository): the hub has no such model\(reason)"
            case .revision: "\(model.repository): the model has no revision \(model.revision)\(reason)"
            case .file(let file): "\(model): the model has no file \(file.visible)\(reason)"
            }
        case .status(let url, let status, let reason): "\(url): status \(status)\(reason)"
        case .invalidAnswer(let url, let reason): "\(url): \(reason)"
        case .corrupt(let file, let reason): "\(file.visible): \(reason)"
        case .noWeights(let model, let found):
            "\(model): expected .gguf files, model.safetensors or model.safetensors.index.json, found "
                + (found.isEmpty ? "no file" : Self.list(found, limit: 8))
        case .ambiguous(let model, let pattern, let choices):
            pattern.map { "\(model): --file \($0.visible) matches several models" }
                .map { "\($0); give more of the name:\(Self.lines(choices))" }
                ?? "\(model): several models; choose one with --file, such as --file Q4_K_M:\(Self.lines(choices))"
        case .noMatch(let model, let pattern, let choices):
            choices.isEmpty
                ? "\(model): --file \(pattern.visible) chooses among .gguf files, and there are none"
                : "\(model): --file \(pattern.visible) matches none of\(Self.lines(choices))"
        case .noSpace(let directory, let needed, let free):
            "\(directory): \(ByteCountText.text(needed)) are needed, and \(ByteCountText.text(free)) are free on this disk"
        case .disk(let path, let reason): "\(path): \(reason)"
        case .unusableSnapshot(let model, let directory, let reason): "\(model): \(reason) (in \(directory))"
        }
    }

    private static func list(_ names: [String], limit: Int) -> String {
        let shown = names.prefix(limit).map(\.visible).joined(separator: ", ")
        return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
    }

    private static func lines(_ choices: [String]) -> String {
        choices.prefix(100).map { "\n  " + $0.visible }.joined()
            + (choices.count > 100 ? "\n  … and \(choices.count - 100) more" : "")
    }
}

extension String {
    /// This text from a stranger, for a terminal: at most 300 visible characters on one line.
    var visible: String {
        var shown = ""
        for (count, scalar) in unicodeScalars.enumerated() {
            if count == 300 { return shown + "…" }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse:
                shown += "\u{FFFD}"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }
}

/// Numbers of bytes for people.
public enum ByteCountText {
    /// Three digits or more: `98 MB`, `4.92 GB`. Powers of 1000, as hubs and download tools count.
    public static func text(_ byteCount: Int) -> String {
        switch byteCount {
        case ..<1000: "\(byteCount) B"
        case ..<1_000_000: "\(byteCount / 1000) kB"
        case ..<1_000_000_000: "\(byteCount / 1_000_000) MB"
        default: "\(byteCount / 1_000_000_000).\(twoDigits(byteCount / 10_000_000 % 100)) GB"
        }
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
