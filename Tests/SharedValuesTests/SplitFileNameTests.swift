import SharedValues
import Testing

@Suite struct SplitFileNameTests {
    @Test("The name of a part has the file's name, the part's number and the count", arguments: [1, 7, 99_999])
    func parts(number: Int) throws {
        let path = SplitFileName.path("a/b-c.Q4_K", part: number, of: 99_999)
        let name = try #require(SplitFileName(path))
        #expect(name.stem == "a/b-c.Q4_K" && name.number == number && name.count == 99_999)
        #expect(name.path(ofPart: number) == path)
    }

    @Test(
        "Other names are no parts",
        arguments: [
            "model.gguf", "m-00001-of-00002.safetensors", "m-00003-of-00002.gguf", "m-00000-of-00002.gguf",
            "m-1-of-2.gguf", "-of-00002.gguf", "m-+0001-of-00002", "", ".gguf",
        ])
    func others(path: String) { #expect(SplitFileName(path) == nil) }
}
