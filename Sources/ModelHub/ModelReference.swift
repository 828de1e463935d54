/// The name of a model on a hub: `ORG/NAME`, or `ORG/NAME:REVISION`.
///
/// ```swift
/// try ModelReference("Qwen/Qwen3-0.6B:v1.0")   // repository Qwen/Qwen3-0.6B, revision v1.0
/// ```
public struct ModelReference: Sendable, Hashable, CustomStringConvertible {
    /// `ORG/NAME`.
    public let repository: String
    /// A branch, a tag, or a commit's 40 hexadecimal digits; `main` where the text names none.
    public let revision: String

    /// Throws `badName` for a text that cannot be a model's name.
    public init(_ text: String) throws(HubError) {
        func bad(_ reason: String) -> HubError {
            .badName(text, reason: "expected ORG/NAME or ORG/NAME:REVISION, \(reason)")
        }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        let names = parts[0].split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        guard names.count == 2 else { throw bad("found \(names.count == 1 ? "no /" : "more than one /")") }
        for name in names {
            if let reason = Self.objection(to: name) { throw bad(reason) }
        }
        let revision = parts.count == 2 ? parts[1] : "main"
        guard Self.isRevision(revision) else { throw bad("found the revision \"\(revision.visible)\"") }
        repository = parts[0]
        self.revision = revision
    }

    /// With `:REVISION` unless that is `main`.
    public var description: String { revision == "main" ? repository : "\(repository):\(revision)" }

    /// The model's own name, without its organization.
    public var name: String { String(repository.split(separator: "/")[1]) }

    /// Whether the revision is a commit's hash.
    var isCommit: Bool { Self.isCommit(revision) }

    static func isCommit(_ text: String) -> Bool { BlobDigest.isHexadecimal(text, count: 40) }

    /// Why a hub has no organization or model of this name (huggingface_hub, `validate_repo_id`); nil: it may.
    private static func objection(to name: String) -> String? {
        if name.isEmpty { return "found an empty name" }
        if name.utf8.count > 96 { return "found a name of more than 96 characters" }
        guard name.utf8.allSatisfy({ isPlain($0) || $0 == UInt8(ascii: "-") }) else {
            return "found a character other than letters, digits, - _ and ."
        }
        for edge in ["-", "."] where name.hasPrefix(edge) || name.hasSuffix(edge) {
            return "found a name that begins or ends with \(edge)"
        }
        for pair in ["--", ".."] where name.contains(pair) { return "found \(pair) in a name" }
        return name.hasSuffix(".git") ? "found a name that ends with .git" : nil
    }

    /// Git's rules for names of branches and tags, as far as a path needs them.
    private static func isRevision(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return text.utf8.count <= 200
            && parts.allSatisfy { part in
                !part.isEmpty && !part.hasPrefix(".") && !part.hasPrefix("-") && !part.hasSuffix(".lock")
                    && !part.contains("..")
                    && part.utf8.allSatisfy { isPlain($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
            }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
