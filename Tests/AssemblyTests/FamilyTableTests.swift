import Assembly
import FoundationEssentials
import Testing

@Suite struct FamilyTableTests {
    @Test("README has the table that `quire models --markdown` prints")
    func readme() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let readme = String(decoding: try Data(contentsOf: root.appending(path: "README.md")), as: UTF8.self)
        #expect(readme.contains(FamilyTable.markdown))
        // A line for each family, and each name in backquotes.
        #expect(FamilyTable.markdown.contains("| Qwen3 | `qwen3` | `qwen3` |"))
    }
}
