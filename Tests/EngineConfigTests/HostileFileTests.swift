import CLibrary
import FoundationEssentials
import Testing

@testable import EngineConfig

private let expected = "expected a YAML configuration, a .gguf file or the directory of a checkpoint"

@Suite struct HostileFileTests {
    @Test(
        "What is not one plain YAML document is refused with its position",
        arguments: [
            Complaint("", "c.yaml:1:1: the file is empty; give at least model.path"),
            Complaint("# nothing\n\n", "c.yaml:1:1: the file is empty; give at least model.path"),
            Complaint("---\n...\n", "c.yaml:1:1: the file is empty; give at least model.path"),
            Complaint("model:\n\tpath: m\n", "c.yaml:2:1: YAML forbids tabs in indentation: use spaces"),
            Complaint("model:\n  name: n\n  \tpath: m\n", "c.yaml:3:3: YAML forbids tabs in indentation: use spaces"),
            Complaint(minimal + "---\nserver: {}\n", "c.yaml:2:1: expected one document, found a second one"),
            Complaint(
                "model: {path: m}\nmodel: {path: n}\n", "c.yaml:2:1: model: duplicate key, first given at line 1"),
            Complaint(
                "model:\n  path: m\n  'path': n\n", "c.yaml:3:3: model.path: duplicate key, first given at line 2"),
            Complaint(
                "model: &m {path: m}\nserver: *m\n",
                "c.yaml:2:9: server: expected a value, found an alias; a text that begins with * needs quotes"),
            Complaint(
                "model:\n  <<: *m\n",
                "c.yaml:2:7: model.<<: expected a value, found an alias; a text that begins with * needs quotes"),
            Complaint(
                "model: {path: !!str m}\n",
                "c.yaml:1:15: model.path: expected a value without a tag; a text that begins with ! needs quotes"),
            Complaint(
                "model: {path: !py/exec m}\n",
                "c.yaml:1:15: model.path: expected a value without a tag; a text that begins with ! needs quotes"),
            Complaint(
                "%YAML 1.1\n%TAG !a! b\n---\n" + minimal,
                "c.yaml:2:1: expected no %TAG directive, as tags are refused"),
            Complaint("? [a]\n: b\n", "c.yaml:1:3: expected the name of a key, found a sequence"),
            Complaint(
                "model: {path: m\n",
                "c.yaml:2:1: not valid YAML: did not find expected ',' or '}' while parsing a flow mapping at line 1"),
            Complaint(
                "model:\n  path: m\n   name: n\n",
                "c.yaml:3:8: not valid YAML: mapping values are not allowed in this context"),
            Complaint("model: {path: é\u{1}}\n", "c.yaml:1:16: control characters are not allowed (U+0001)"),
            Complaint("model: {path: m}\u{0}\n", "c.yaml:1:17: control characters are not allowed (U+0000)"),
        ])
    func notOnePlainDocument(_ complaint: Complaint) {
        #expect(complaints(about: complaint.text) == complaint.lines)
    }

    @Test("Bytes that are not UTF-8 are named with their position")
    func notUTF8() {
        #expect(
            complaints(about: Array("model:\n  path: é".utf8) + [0xFF, 0x0A])
                == ["c.yaml:2:10: expected UTF-8 text, found the byte 0xff"])
        #expect(complaints(about: [0xC0, 0x80]) == ["c.yaml:1:1: expected UTF-8 text, found the byte 0xc0"])
        #expect(complaints(about: [0xFF, 0xFE, 0x6D, 0]) == ["c.yaml:1:1: expected UTF-8 text, found UTF-16"])
    }

    @Test("A byte order mark and Windows line ends do no harm")
    func windowsText() {
        let text = minimal + "cache:\r\n  block_size: 24\r\n"
        let lines = ["c.yaml:3:15: cache.block_size: expected a power of two from 1 to 256, found 24"]
        #expect(complaints(about: [0xEF, 0xBB, 0xBF] + Array(text.utf8)) == lines)
    }

    @Test("An alias bomb goes off at its first alias")
    func aliasBomb() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(
            complaints(about: text)
                == ["c.yaml:2:10: a1.[0]: expected a value, found an alias; a text that begins with * needs quotes"])
    }

    @Test("Nesting of ten thousand levels is refused, whatever it is made of", arguments: ["[", "{a: ", "- ", "? "])
    func deepNesting(_ opening: String) throws {
        let lines = complaints(about: String(repeating: opening, count: 10_000))
        #expect(lines.count == 1)
        let line = try #require(lines.first)
        #expect(line.hasPrefix("c.yaml:1:"))
        #expect(line.hasSuffix("expected at most 16 levels of nesting, found more"))
    }

    @Test("More values than any configuration has are refused")
    func manyValues() {
        let text = "model: [" + String(repeating: "0,", count: 20_000) + "]"
        #expect(
            complaints(about: text)
                == ["c.yaml:1:20003: model.[9997]: expected at most 10000 values in one file, found more"])
    }

    @Test("A text of exactly the limit is read, one byte more is not")
    func sizeLimit() {
        let filler = String(repeating: "#", count: YAMLLimits.byteCount - minimal.utf8.count)
        #expect(complaints(about: minimal + filler) == [])
        #expect(
            complaints(about: minimal + filler + "#")
                == ["c.yaml: \(expected), found a file of 1048577 bytes, which is too large for YAML"])
    }
}

@Suite struct ConfigurationFileTests {
    private func complaint(aboutFileAt path: String) -> String? {
        do throws(ConfigurationError) {
            _ = try EngineConfiguration.load(path: path)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("A file of a hundred megabytes is refused by its size")
    func hugeFile() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "quire-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: url) }
        try Data(minimal.utf8).write(to: url)
        try #require(truncate(url.path, 100_000_000) == 0)
        #expect(
            complaint(aboutFileAt: url.path)
                == "\(url.path): \(expected), found a file of 100000000 bytes, which is too large for YAML")
    }

    @Test("A file without an end is refused after the limit")
    func endlessFile() {
        #expect(
            complaint(aboutFileAt: "/dev/zero")
                == "/dev/zero: \(expected), found more than 1048576 bytes, which is too large for YAML")
    }

    @Test("A missing file, a directory and an empty file each say so")
    func notAFile() {
        let folder = FileManager.default.temporaryDirectory.path
        let missing = "\(folder)/quire-\(UUID().uuidString).yaml"
        #expect(complaint(aboutFileAt: missing) == "\(missing): no such file")
        #expect(complaint(aboutFileAt: folder) == "\(folder): \(expected), found a directory without config.json")
        #expect(complaint(aboutFileAt: "/dev/null") == "/dev/null:1:1: the file is empty; give at least model.path")
    }
}
