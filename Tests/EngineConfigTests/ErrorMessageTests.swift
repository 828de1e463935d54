import Testing

@testable import EngineConfig

/// A text and every line that must be said about it.
struct Complaint: Sendable, CustomTestStringConvertible {
    var text: String
    var lines: [String]

    init(_ text: String, _ lines: String...) {
        self.text = text
        self.lines = lines
    }

    var testDescription: String { lines.joined(separator: " | ") }
}

@Suite struct ErrorMessageTests {
    @Test(
        "A value that does not fit is named with its position, what was expected and what was found",
        arguments: [
            Complaint(
                "model: {path: m}\ncache:\n  block_size: 24\n",
                "c.yaml:3:15: cache.block_size: expected a power of two from 1 to 256, found 24"),
            Complaint(
                "model: {path: m}\ncache:\n  block_size: 0x10\n",
                "c.yaml:3:15: cache.block_size: expected a power of two from 1 to 256, found 0x10"),
            Complaint(
                "model: {path: m}\ncache:\n  block_size: \"16\"\n",
                "c.yaml:3:15: cache.block_size: expected a power of two from 1 to 256, found \"16\""),
            Complaint(
                "model: {path: m}\ncache:\n  block_size:\n  num_blocks: 0\n",
                "c.yaml:3:14: cache.block_size: expected a power of two from 1 to 256, found no value",
                "c.yaml:4:15: cache.num_blocks: expected an integer from 1 to 268435456, found 0"),
            Complaint(
                "model: {path: m}\nserver: {port: 65536, max_choices: 99999999999999999999}\n",
                "c.yaml:2:16: server.port: expected an integer from 0 to 65535, found 65536",
                "c.yaml:2:36: server.max_choices: expected an integer from 1 to 65536, found 99999999999999999999"),
            Complaint(
                "model: {path: m}\nserver: {port: [80], host: {a: b}}\n",
                "c.yaml:2:16: server.port: expected an integer from 0 to 65535, found a sequence",
                "c.yaml:2:28: server.host: expected a host name or address, found a mapping"),
            Complaint(
                "model: {path: m}\ncache: {memory_utilization: 1.01}\n",
                "c.yaml:2:29: cache.memory_utilization: expected a number from 0.01 to 1, found 1.01"),
            Complaint(
                "model: {path: m}\ncache: {memory_utilization: nan}\n",
                "c.yaml:2:29: cache.memory_utilization: expected a number from 0.01 to 1, found nan"),
            Complaint(
                "model: {path: m}\npolicy_options:\n  weights: {alice: 2, bob: 0}\n  target: finsh\n",
                "c.yaml:3:28: policy_options.weights: expected a number from 0.001 to 1000 for bob, found 0",
                "c.yaml:4:11: policy_options.target: expected first_token or finish, found finsh; "
                    + "did you mean \"finish\"?"),
            Complaint(
                "model: {path: m}\npolicy_options: {weights: [1]}\nscheduler: {victim: newest}\n",
                "c.yaml:2:27: policy_options.weights: expected a mapping of names to numbers from 0.001 to 1000, such as "
                    + "{alice: 2}, found a sequence",
                "c.yaml:3:21: scheduler.victim: expected last_arrived, lowest_priority, least_computed or most_blocks, "
                    + "found newest"),
            Complaint(
                "model: {path: m}\ncache: {memory: 4GB}\n",
                "c.yaml:2:17: cache.memory: expected a size from 1KiB to 1024TiB, such as 4GiB or 512MiB, "
                    + "found 4GB; did you mean \"4GiB\"?"),
            Complaint(
                "model: {path: m}\ncache: {memory: -1}\n",
                "c.yaml:2:17: cache.memory: expected a size from 1KiB to 1024TiB, such as 4GiB or 512MiB, found -1"),
            Complaint(
                "model: {path: m}\nserver: {max_body: 9000000TiB}\n",
                "c.yaml:2:20: server.max_body: expected a size from 1KiB to 1GiB, such as 4GiB or 512MiB, "
                    + "found 9000000TiB"),
            Complaint(
                "model: {path: m}\nserver: {drain_seconds: 2 days}\n",
                "c.yaml:2:25: server.drain_seconds: expected a duration from 0 to 86400 seconds, "
                    + "such as 30, 1.5, 500ms or 2m, found 2 days"),
            Complaint(
                "model: {path: m}\ncache: {enable_prefix_caching: yes}\n",
                "c.yaml:2:32: cache.enable_prefix_caching: expected true or false, found yes; did you mean \"true\"?"),
            Complaint(
                "model: {path: m, dtype: bf61}\nlogging: {level: warn}\n",
                "c.yaml:1:25: model.dtype: expected auto, f32, bf16 or f16, found bf61; did you mean \"bf16\"?",
                "c.yaml:2:18: logging.level: expected trace, debug, info, notice, warning, error or critical, "
                    + "found warn; did you mean \"warning\"?"),
            Complaint(
                "model: {path: ~}\n", "c.yaml:1:15: model.path: expected the path or name of a model, found ~"),
            Complaint(
                "model: {path: \"a\\0b\"}\n",
                "c.yaml:1:15: model.path: expected the path or name of a model, found \"a\\0b\""),
            Complaint(
                "model: {path: m}\nbackend: {name: my backend}\n",
                "c.yaml:2:17: backend.name: expected the name of a backend, found my backend"),
            Complaint(
                "model: {path: m}\nserver: {api_key: open sesame}\n",
                "c.yaml:2:19: server.api_key: expected printable ASCII without spaces, found something else"),
            Complaint(
                "model: {path: m}\ncache: 16\n", "c.yaml:2:8: cache: expected keys such as block_size:, found 16"),
            Complaint("[model]\n", "c.yaml:1:1: expected sections such as model:, found a sequence"),
            Complaint("backend:\n  name: cpu\n", "c.yaml:1:1: model.path: required, but not given"),
            Complaint("# é\nmodel:\n  name: x\n", "c.yaml:2:1: model.path: required, but not given"),
        ])
    func valueThatDoesNotFit(_ complaint: Complaint) {
        #expect(complaints(about: complaint.text) == complaint.lines)
    }

    @Test(
        "An unknown name comes with the name that was probably meant",
        arguments: [
            Complaint(
                minimal + "cache:\n  block_sise: 16\n",
                "c.yaml:3:3: cache.block_sise: unknown key; did you mean \"block_size\"?"),
            Complaint(
                minimal + "cache:\n  Block-Size: 16\n",
                "c.yaml:3:3: cache.Block-Size: unknown key; did you mean \"block_size\"?"),
            Complaint(
                minimal + "cache:\n  gpu_memory_utilization: 0.9\n",
                "c.yaml:3:3: cache.gpu_memory_utilization: unknown key; did you mean \"memory_utilization\"?"),
            Complaint(
                minimal + "cache:\n  port: 1\n", "c.yaml:3:3: cache.port: unknown key; did you mean \"server.port\"?"),
            Complaint(minimal + "cahce: {}\n", "c.yaml:2:1: cahce: unknown section; did you mean \"cache\"?"),
            Complaint(
                minimal + "block_size: 16\n",
                "c.yaml:2:1: block_size: unknown section; did you mean \"cache.block_size\"?"),
            Complaint(
                minimal + "zebra: 1\n",
                "c.yaml:2:1: zebra: unknown section; the sections are "
                    + "model, lora, backend, cache, plugins, scheduler, policy_options, simulation, server, logging"),
            Complaint(
                minimal + "scheduler:\n  plugins: []\n",
                "c.yaml:3:3: scheduler.plugins: unknown key; did you mean \"plugins\"?"),
            Complaint(
                minimal + "logging:\n  zebra: 1\n",
                "c.yaml:3:3: logging.zebra: unknown key; the keys of logging are level, format"),
        ])
    func unknownName(_ complaint: Complaint) {
        #expect(complaints(about: complaint.text) == complaint.lines)
    }

    @Test(
        "Keys that contradict each other are reported at the later one",
        arguments: [
            Complaint(
                minimal + "cache:\n  memory: 4GiB\n  num_blocks: 5\n",
                "c.yaml:4:15: cache.num_blocks: conflicts with cache.memory (line 3): "
                    + "each fixes the size of the cache, give only one"),
            Complaint(
                minimal + "cache:\n  num_blocks: 5\n  memory: 4GiB\n",
                "c.yaml:4:11: cache.memory: conflicts with cache.num_blocks (line 3): "
                    + "each fixes the size of the cache, give only one"),
            Complaint(
                minimal + "scheduler:\n  max_num_batched_tokens: 64\n",
                "c.yaml:3:27: scheduler.max_num_batched_tokens: conflicts with scheduler.max_num_seqs (default): "
                    + "expected max_num_seqs to be at most max_num_batched_tokens, found 128 and 64"),
            Complaint(
                minimal + "scheduler:\n  max_num_seqs: 4096\n",
                "c.yaml:3:17: scheduler.max_num_seqs: conflicts with scheduler.max_num_batched_tokens (default): "
                    + "expected max_num_seqs to be at most max_num_batched_tokens, found 4096 and 2048"),
        ])
    func conflict(_ complaint: Complaint) {
        #expect(complaints(about: complaint.text) == complaint.lines)
    }

    @Test("Everything that is wrong is reported, in the order of the file")
    func everything() {
        let text = """
            cache:
              block_sise: 16
              block_size: 24
              block_size: 16
            modle:
              path: m
            server:
              port: http
            """
        #expect(
            complaints(about: text, overrides: ["cache.dtype=f8"]) == [
                "c.yaml:1:1: model.path: required, but not given",
                "c.yaml:2:3: cache.block_sise: unknown key; did you mean \"block_size\"?",
                "c.yaml:3:15: cache.block_size: expected a power of two from 1 to 256, found 24",
                "c.yaml:4:3: cache.block_size: duplicate key, first given at line 3",
                "c.yaml:5:1: modle: unknown section; did you mean \"model\"?",
                "c.yaml:8:9: server.port: expected an integer from 0 to 65535, found http",
                "--set cache.dtype: expected auto, f32, f16, bf16 or int8, found f8",
            ])
    }

    @Test("A flood of issues prints twenty lines and a count")
    func flood() throws {
        let text = minimal + (0..<50).map { "zebra\($0): 1\n" }.joined()
        let error = try #require(throws: ConfigurationError.self) {
            try EngineConfiguration.parse(text, file: "c.yaml")
        }
        #expect(error.issues.count == 50)
        let lines = error.description.split(separator: "\n")
        #expect(lines.count == 21)
        #expect(lines.last == "… and 30 more")
    }

    @Test("A message stays on one line and short, whatever the value holds")
    func hostileText() throws {
        let value = String(repeating: "x\\n\\e[31m", count: 80)
        let lines = complaints(
            about: "model: {path: m}\nmodel.dtype: 1\n\"\(value)\": 1\nbackend: {isa: \"\(value)\"}\n")
        #expect(lines.count == 3)
        for line in lines {
            #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 })
            #expect(line.count < 400)
        }
    }

    @Test("A name that only a registry can judge gets the same kind of error, at the position where it was given")
    func lateError() throws {
        let names = ["cpu", "reference"]
        let text = "model: {path: m}\nbackend:\n  name: refrence\n"
        let given = try EngineConfiguration.parse(text, file: "c.yaml")
        #expect(
            given.error(at: "backend.name", expected: "a backend", found: "refrence", candidates: names).description
                == "c.yaml:3:9: backend.name: expected a backend, found refrence; did you mean \"reference\"?")
        let overridden = try EngineConfiguration.parse(text, file: "c.yaml", overrides: ["backend.name=x"])
        #expect(
            overridden.error(at: "backend.name", expected: "a backend", found: "x", candidates: names).description
                == "--set backend.name: expected a backend, found x")
        let implied = try EngineConfiguration.parse(minimal, file: "c.yaml")
        #expect(
            implied.error(at: "backend.name", message: "expected AVX2, found none").description
                == "c.yaml: backend.name: expected AVX2, found none")
    }

    @Test(
        "No message repeats what may be a key",
        arguments: [
            "*sesame", "&sesame", "!sesame", "@sesame", "`sesame`", "[sesame]", "{sesame: 1}", "open sesame", "'sesame",
            "- sesame", "sesame: x", "\"open sesame\"",
        ])
    func secret(_ value: String) {
        let inFile = complaints(about: "model: {path: m}\nserver:\n  api_key: \(value)\n")
        let overrides = ["server.api_key=", "server.api_key ", "server.api_key:", "server.api_key: ", "="]
        let given = overrides.flatMap { complaints(about: minimal, overrides: [$0 + value]) }
        #expect(!inFile.isEmpty && given.count >= overrides.count)
        for line in inFile + given { #expect(!line.contains("sesame"), "\(line)") }
    }
}
