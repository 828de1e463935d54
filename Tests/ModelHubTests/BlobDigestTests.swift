import SharedValues
import Testing

@testable import ModelHub

/// Expected digests: `sha256sum` and `git hash-object`.
@Suite struct BlobDigestTests {
    private static func digest(_ bytes: [UInt8], _ digest: BlobDigest, pieces: Int = Int.max) -> String {
        var hasher = BlobHasher(for: digest, byteCount: bytes.count)
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                hasher.update(UnsafeRawBufferPointer(rebasing: rest.prefix(pieces)))
                rest = rest.dropFirst(pieces)
            }
        }
        return hasher.finish()
    }

    private static let sha256 = BlobDigest.sha256(String(repeating: "0", count: 64))
    private static let gitBlob = BlobDigest.gitBlob(String(repeating: "0", count: 40))

    @Test(
        "digests of short texts, and of lengths around a block",
        arguments: [
            (
                "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
            ),
            (
                "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f"
            ),
            (
                String(repeating: "a", count: 55), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318",
                "d1985ddc2983785702b9a90effd5aff2f7cfdca4"
            ),
            (
                String(repeating: "a", count: 64), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb",
                "71b7a71962774fa5c721e1163f935cb61a0e09e6"
            ),
        ])
    func vectors(text: String, sha256: String, git: String) {
        #expect(Self.digest(Array(text.utf8), Self.sha256) == sha256)
        #expect(Self.digest(Array(text.utf8), Self.gitBlob) == git)
    }

    @Test("a digest does not depend on the pieces in which the bytes come", arguments: [1, 3, 63, 64, 65, 1000])
    func pieces(size: Int) {
        var random = SplitMix64(seed: 5)
        let bytes = (0..<5000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        #expect(Self.digest(bytes, Self.sha256, pieces: size) == Self.digest(bytes, Self.sha256))
        #expect(Self.digest(bytes, Self.gitBlob, pieces: size) == Self.digest(bytes, Self.gitBlob))
    }

    @Test("a million letters (FIPS 180-4's example)")
    func million() {
        let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
        #expect(
            Self.digest(bytes, Self.sha256, pieces: 4099)
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test("tags are quoted, weak or bare")
    func tags() {
        let sha1 = String(repeating: "1", count: 40)
        let sha256 = String(repeating: "a", count: 64)
        #expect(BlobDigest(eTag: "\"\(sha1)\"") == .gitBlob(sha1))
        #expect(BlobDigest(eTag: "W/\"\(sha1)\"") == .gitBlob(sha1))
        #expect(BlobDigest(eTag: sha256) == .sha256(sha256))
        for other in ["", "\"", "\"\(sha1)", "\(sha1)-2", String(repeating: "A", count: 40), "../../../etc/passwd"] {
            #expect(BlobDigest(eTag: other) == nil)
        }
    }
}
