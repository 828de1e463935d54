import JSON

/// A repository at one commit: the names of its files, and what the hub says about them.
struct HubListing {
    /// A file of the repository; size and digest are nil where the hub does not give them with the list.
    struct File: Sendable, Equatable {
        let path: String
        var byteCount: Int?
        var digest: BlobDigest?
    }

    /// The commit's hash, 40 hexadecimal digits.
    let commit: String
    /// In the hub's order.
    let files: [File]

    /// More files than any model has, and more bytes than a file system holds.
    private static let maximumFileCount = 100_000
    private static let maximumByteCount = 1 << 50

    /// Reads the answer of `/api/models/ORG/NAME/revision/REVISION?blobs=true` from `url`.
    init(json: [UInt8], url: String) throws(HubError) {
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(json) } catch {
            throw .invalidAnswer(url: url, reason: Self.foreignContent(json) ?? "expected JSON, found \(error)")
        }
        func bad(_ expected: String, _ found: JSONValue?) -> HubError {
            .invalidAnswer(url: url, reason: "expected \(expected), found \((found?.summary ?? "nothing").visible)")
        }
        guard case .string(let commit)? = value["sha"], ModelReference.isCommit(commit) else {
            throw bad("a commit's hash in sha", value["sha"])
        }
        guard case .array(let siblings)? = value["siblings"], siblings.count <= Self.maximumFileCount else {
            throw bad("a list of files in siblings", value["siblings"])
        }
        self.commit = commit
        var files: [File] = []
        for sibling in siblings {
            guard case .string(let path)? = sibling["rfilename"], Self.isSafe(path) else {
                throw bad("a path within the repository in siblings.rfilename", sibling["rfilename"])
            }
            var file = File(path: path)
            switch sibling["lfs"]?["size"] ?? sibling["size"] {
            case nil, .null: break
            case .integer(let count) where 0...Self.maximumByteCount ~= count: file.byteCount = count
            case let size: throw bad("a number of bytes for \(path.visible)", size)
            }
            if case .string(let digits)? = sibling["lfs"]?["sha256"] {
                guard BlobDigest.isHexadecimal(digits, count: 64) else {
                    throw bad("64 hexadecimal digits in lfs.sha256 of \(path.visible)", .string(digits))
                }
                file.digest = .sha256(digits)
            } else if sibling["lfs"] == nil || sibling["lfs"] == .null, case .string(let digits)? = sibling["blobId"] {
                guard BlobDigest.isHexadecimal(digits, count: 40) else {
                    throw bad("40 hexadecimal digits in blobId of \(path.visible)", .string(digits))
                }
                file.digest = .gitBlob(digits)
            }
            files.append(file)
        }
        self.files = files
    }

    /// Whether `path` stays inside of the folder that it is put into, and can be shown.
    static func isSafe(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return path.utf8.count <= 1000
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255 }
            && path.unicodeScalars.allSatisfy { $0 != "\\" && $0.value >= 0x20 && $0.value != 0x7F }
            && path.visible == path
    }

    /// What an answer is that should be JSON; nil: something else.
    private static func foreignContent(_ bytes: [UInt8]) -> String? {
        if bytes.isEmpty { return "expected JSON, found an empty answer" }
        let start = bytes.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        return start.first == UInt8(ascii: "<")
            ? "expected JSON, found a web page; is this the address of a hub, and does the network need a login?" : nil
    }
}
