import Testing

@testable import Weights

/// Files that failed downloads leave behind.
@Suite struct ForeignContentTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write(#"{"architectures":["LlamaForCausalLM"]}"#, to: "config.json")
    }

    private static let pointer = """
        version https://git-lfs.github.com/spec/v1
        oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
        size 12345

        """
    private static let contents: [(content: [UInt8], reason: String)] = [
        (Array(pointer.utf8), "it is a Git LFS pointer, not the file itself; fetch that with `git lfs pull`"),
        (Array("<!DOCTYPE html>\n<html></html>".utf8), "it is a web page; the download went wrong"),
        (Array("\u{FEFF}\n  <HTML lang=en>".utf8), "it is a web page"),
        (Array("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>".utf8), "it is a web page"),
        (Array("Entry not found".utf8), #"it is a server's answer ("Entry not found")"#),
        (Array("Invalid username or password.".utf8), "it is a server's answer"),
        ([0x50, 0x4B, 0x03, 0x04, 0x14, 0, 0, 0, 0, 0], "it is a zip archive, as PyTorch's pickled checkpoints are"),
        ([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0], "it is compressed by gzip"),
        ([0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20], "it is a pickle"),
    ]

    private func refusal(_ path: String) throws -> String {
        let error = #expect(throws: WeightLoadingError.self) { try Checkpoint(path: path) }
        return try #require(error).description
    }

    @Test(arguments: contents) func `foreign content is named in every file`(content: [UInt8], reason: String) throws {
        try directory.write(content, to: "model.safetensors")
        #expect(try refusal(directory.path).contains("model.safetensors is malformed: \(reason)"))
        #expect(try refusal(directory.write(content, to: "model.gguf")).contains("model.gguf is malformed: \(reason)"))
        let tokenizer = try directory.write(content, to: "tokenizer.json")
        let error = #expect(throws: WeightLoadingError.self) {
            try WeightLoadingError.checkContent(ofFile: tokenizer)
        }
        #expect(try #require(error).description.contains("tokenizer.json is malformed: \(reason)"))
        try directory.write(content, to: "config.json")
        #expect(try refusal(directory.path).contains("config.json is malformed: \(reason)"))
    }

    @Test func `foreign content of an index is named as well`() throws {
        try directory.write(Self.pointer, to: "model.safetensors.index.json")
        #expect(
            try refusal(directory.path).contains("model.safetensors.index.json is malformed: it is a Git LFS pointer"))
    }

    @Test func `empty files are reported as empty`() throws {
        try directory.write("", to: "model.safetensors")
        #expect(try refusal(directory.path).contains("model.safetensors is malformed: the file is empty"))
        try directory.write("", to: "config.json")
        #expect(try refusal(directory.path).contains("config.json is malformed: the file is empty"))
    }

    @Test func `a configuration that was cut off is reported as such`() throws {
        try directory.write(#"{"architectures":["Llama"#, to: "config.json")
        #expect(try refusal(directory.path).hasSuffix("it was cut off, so download or copy it again"))
        try directory.write(#"{"architectures":x,"hidden_size":1}"#, to: "config.json")
        #expect(try !refusal(directory.path).contains("cut off"))
    }

    @Test func `valid and unreadable files are left to their readers`() throws {
        let sound = try directory.write(#"{"model":{}}"#, to: "tokenizer.json")
        #expect(throws: Never.self) { try WeightLoadingError.checkContent(ofFile: sound) }
        #expect(throws: Never.self) { try WeightLoadingError.checkContent(ofFile: directory.path + "/nothing") }
        #expect(throws: Never.self) { try WeightLoadingError.checkContent(ofFile: directory.path) }
    }
}
