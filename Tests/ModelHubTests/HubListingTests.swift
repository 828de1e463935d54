import JSON
import Testing

@testable import ModelHub

@Suite struct HubListingTests {
    private static let commit = "0123456789abcdef0123456789abcdef01234567"
    private static let sha256 = String(repeating: "a", count: 64)

    private static func listing(_ text: String) throws(HubError) -> HubListing {
        try HubListing(json: Array(text.utf8), url: "https://hub/api")
    }

    private static func listing(file: String) throws(HubError) -> HubListing {
        try listing(#"{"sha": "\#(commit)", "siblings": [\#(file)]}"#)
    }

    @Test("files of Git LFS have a SHA-256, others git's digest, and those without facts none")
    func files() throws {
        let listing = try Self.listing(
            file: #"""
                {"rfilename": "a/model.safetensors", "size": 134, "blobId": "\#(Self.commit)",
                 "lfs": {"sha256": "\#(Self.sha256)", "size": 5000000000, "pointerSize": 134}},
                {"rfilename": "config.json", "size": 7, "blobId": "\#(Self.commit)", "lfs": null},
                {"rfilename": "README.md"}
                """#)
        #expect(listing.commit == Self.commit)
        #expect(
            listing.files == [
                .init(path: "a/model.safetensors", byteCount: 5_000_000_000, digest: .sha256(Self.sha256)),
                .init(path: "config.json", byteCount: 7, digest: .gitBlob(Self.commit)),
                .init(path: "README.md", byteCount: nil, digest: nil),
            ])
    }

    @Test(
        "paths that leave the snapshot or deceive a terminal are refused",
        arguments: [
            "", "/etc/passwd", "..", "../../x", "a/../b", "a//b", "a/", "./a", "a\\b", "a\\u0000b", "a\\u001b[2Jb",
            "a\\nb",
            "a\\u202eb", String(repeating: "n", count: 256), String(repeating: "n/", count: 600) + "n",
        ])
    func paths(path: String) {
        #expect(throws: HubError.self) { try Self.listing(file: #"{"rfilename": "\#(path)"}"#) }
    }

    @Test(
        "answers that are no list of files",
        arguments: [
            "", "<!DOCTYPE html><html>", "null", "[]", "{}", #"{"sha": "main", "siblings": []}"#,
            #"{"sha": "0123456789ABCDEF0123456789abcdef01234567", "siblings": []}"#,
            #"{"sha": "0123456789abcdef0123456789abcdef01234567"}"#,
            #"{"sha": "0123456789abcdef0123456789abcdef01234567", "siblings": [1]}"#,
        ])
    func answers(text: String) {
        #expect(throws: HubError.self) { try Self.listing(text) }
    }

    @Test(
        "sizes and digests that no file has",
        arguments: [
            #""size": -1"#, #""size": 1e300"#, #""size": 99999999999999999999"#, #""size": 9000000000000000000"#,
            #""size": "7""#, #""size": 7, "blobId": "../../../x""#, #""lfs": {"size": 7, "sha256": "zz"}"#,
        ])
    func facts(members: String) {
        #expect(throws: HubError.self) { try Self.listing(file: #"{"rfilename": "a", \#(members)}"#) }
    }

    @Test("a web page in place of the list is named")
    func webPage() {
        let error = #expect(throws: HubError.self) { try Self.listing(" <html>login") }
        #expect(error?.description.contains("a web page") == true)
    }
}
