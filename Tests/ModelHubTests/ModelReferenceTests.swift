import ModelHub
import Testing

@Suite struct ModelReferenceTests {
    @Test(
        "names with and without a revision",
        arguments: [
            ("Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B", "main"), ("a/b:v1.0", "a/b", "v1.0"),
            ("unsloth/x_y.z-GGUF:refs/pr/12", "unsloth/x_y.z-GGUF", "refs/pr/12"),
        ])
    func accepted(text: String, repository: String, revision: String) throws {
        let model = try ModelReference(text)
        #expect(model.repository == repository)
        #expect(model.revision == revision)
        #expect("\(model)" == text)
    }

    @Test(
        "names that would leave the cache, or that no hub has",
        arguments: [
            "", "a", "a/b/c", "/b", "a/", "../b", "a/..", "a/b--c", "a/.b", "a/b.", "-a/b", "a/b.git", "a /b", "a/b\n",
            "a/b:",
            "a/b:..", "a/b:../../x", "a/b:/x", "a/b:x/", "a/b:x\\y", "a/b:x/.y", "a/b:x?y", "ä/b", "a/b:x:y",
            "a/" + String(repeating: "b", count: 97),
        ])
    func refused(text: String) {
        #expect(throws: HubError.self) { try ModelReference(text) }
    }
}
