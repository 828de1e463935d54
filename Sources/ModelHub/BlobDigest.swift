/// The checksum under which a hub stores a file's content. Its hexadecimal digits are the file's ETag, and the name of the
/// file in the cache.
public enum BlobDigest: Sendable, Hashable {
    /// SHA-256 of the content: files stored with Git LFS, such as weights.
    case sha256(String)
    /// SHA-1 of git's blob object, `blob SIZE\0` and the content: all other files.
    case gitBlob(String)

    /// The digest that an ETag gives, with or without quotes and the mark of weak ones; nil where it is none.
    init?(eTag: String) {
        var text = Substring(eTag)
        if text.hasPrefix("W/") { text = text.dropFirst(2) }
        if text.hasPrefix("\""), text.hasSuffix("\""), text.count > 1 { text = text.dropFirst().dropLast() }
        let digits = String(text)
        if Self.isHexadecimal(digits, count: 64) {
            self = .sha256(digits)
        } else if Self.isHexadecimal(digits, count: 40) {
            self = .gitBlob(digits)
        } else {
            return nil
        }
    }

    /// Lower-case hexadecimal digits.
    var hexadecimal: String {
        switch self {
        case .sha256(let digits), .gitBlob(let digits): digits
        }
    }

    /// Whether `text` is `count` lower-case hexadecimal digits.
    static func isHexadecimal(_ text: String, count: Int) -> Bool {
        text.utf8.count == count
            && text.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }
}

/// Computes the digest of a file whose bytes come in pieces.
struct BlobHasher {
    private var hash: any BlockHash

    /// - Parameter byteCount: the length of the whole file, which is part of git's digest.
    init(for digest: BlobDigest, byteCount: Int) {
        switch digest {
        case .sha256: hash = SHA256()
        case .gitBlob:
            hash = SHA1()
            var header = "blob \(byteCount)\0"
            header.withUTF8 { hash.update(UnsafeRawBufferPointer($0)) }
        }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bytes) }

    /// The digest of everything so far; then the hasher is used up.
    mutating func finish() -> String { hash.finish() }
}
