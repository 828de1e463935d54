import SharedValues
import Testing

@testable import ModelHub

@Suite struct HubEndpointTests {
    @Test(
        "addresses that stay private keep the token private",
        arguments: [
            ("https://huggingface.co", true), ("https://hub.example:8443/mirror/", true),
            ("http://127.0.0.1:8080", true),
            ("http://localhost", true), ("http://[::1]:80", true), ("http://hub.example", false),
            ("http://127.0.0.1.example", false), ("http://localhost.example", false), ("http://127.evil", false),
        ])
    func privacy(text: String, isPrivate: Bool) throws {
        #expect(try HubEndpoint(text).origin.isPrivate == isPrivate)
    }

    @Test(
        "what is no address of a hub",
        arguments: [
            "", "huggingface.co", "ftp://a", "file:///etc", "https://", "https:///x", "https://user@host",
            "https://a b",
            "https://a\\b", "https://a?x", "https://a#x", "https://a:port", "https://a:", "https://[::1", "https://é",
        ])
    func refused(text: String) {
        #expect(throws: HubError.self) { try HubEndpoint(text) }
    }

    @Test("two addresses have the same origin where scheme, host and port are equal")
    func origins() {
        #expect(WebOrigin(of: "https://A.example/x") == WebOrigin(of: "https://a.example:443/y?z"))
        #expect(WebOrigin(of: "http://a.example") == WebOrigin(of: "http://a.example:80/"))
        for other in ["http://a.example", "https://a.example:444", "https://b.example", "https://a.example.evil"] {
            #expect(WebOrigin(of: "https://a.example") != WebOrigin(of: other))
        }
    }

    @Test("a token is one word, and never printed")
    func tokens() throws {
        let token = try HubOptions.token(" hf_abc\n", from: "file")
        #expect(token?.text == "hf_abc")
        var options = HubOptions(endpoint: try HubEndpoint(HubEndpoint.huggingFace))
        options.token = token
        var dumped = ""
        dump(options, to: &dumped)
        #expect(!dumped.contains("hf_abc") && !"\(options)".contains("hf_abc"))
        #expect(try HubOptions.token(" \n", from: "file") == nil)
        for text in ["two words", "line\r\nX-Evil: 1", "é"] {
            let error = #expect(throws: HubError.self) { try HubOptions.token(text, from: "HF_TOKEN") }
            #expect(error?.description.contains("HF_TOKEN") == true)
            #expect(error?.description.contains(text) == false)
        }
    }

    @Test("paths are encoded byte by byte")
    func encoding() {
        #expect("refs/pr/1".percentEncoded() == "refs%2Fpr%2F1")
        #expect("a b/ü#?.gguf".percentEncoded(keeping: "/") == "a%20b/%C3%BC%23%3F.gguf")
    }
}
