import FoundationEssentials
import Testing

@testable import Comparison

/// A comparison whose measurements are made up, and counted.
private final class Laboratory {
    let folder: TemporaryFolder
    var settings = ComparisonSettings()
    var inputs: ComparisonInputs
    var circumstances = ["quire": "1"]
    var configurations = ["first", "second", "third"].map { name in
        var configuration = ComparedConfiguration(name: name, path: name + ".yaml")
        configuration.dependencies = ["the model": name]
        return configuration
    }
    var keepsResults = true
    /// Whether reports are written in the end.
    var cleans = true
    /// Parts that fail, as `name: part`.
    var failing: Set<String> = []
    /// What was measured in the last run, and said.
    private(set) var measured: [String] = []
    private(set) var messages: [String] = []

    var path: String { folder.path + "/work" }

    init() throws {
        folder = try TemporaryFolder()
        inputs = try ComparisonInputs(text: "some text")
    }

    func run() throws -> ComparisonMeasurements {
        (measured, messages) = ([], [])
        let run = ComparisonRun(
            configurations, inputs, settings, circumstances: circumstances, directory: path,
            keepsResults: keepsResults)
        let result = try run.run(onMessage: { messages.append($0) }) { measure($0, $1, $2) }
        if cleans { try run.clean(after: result) }
        return result
    }

    private func measure(
        _ configuration: ComparedConfiguration, _ part: ComparisonPart, _ use: DistributionUse?
    ) -> PartOutcome {
        let name = "\(configuration.name): \(part.name)"
        measured.append(name)
        if failing.contains(name) {
            return PartOutcome(failure: .init(reason: "broken", isUserError: true))
        }
        var outcome = PartOutcome()
        switch part {
        case .text: outcome.text = scores(use)
        case .continuations: outcome.continuations = [Continuation()]
        case .load: outcome.load = LoadFigures(batches: [], memory: MemoryFigures())
        }
        return outcome
    }

    private func scores(_ use: DistributionUse?) -> TextScores? {
        try? TextMeasurement(inputs, settings, distributions: use).run(
            OpeningTokenizer(), vocabularySize: 129, maxTokenCount: 100, score: ScriptedModel.successor(1).score)
    }

    static let everything =
        ["text", "continuations", "load, round 1"].flatMap { part in
            ["first", "second", "third"].map { "\($0): \(part)" }
        }
}

@Suite("Running a comparison, again and after interruptions")
struct RunTests {
    @Test("every part of every configuration in turn, the texts first")
    func whole() throws {
        let laboratory = try Laboratory()
        laboratory.settings.roundCount = 2
        let result = try laboratory.run()
        let rounds = ["first", "second", "third"].map { "\($0): load, round 2" }
        #expect(laboratory.measured == Laboratory.everything + rounds && laboratory.messages.isEmpty)
        #expect(result.referenceIndex == 0 && result.entries.allSatisfy { $0.failure == nil && $0.loads.count == 2 })
        #expect(result.entries[1].text?.against?.divergences.allSatisfy { $0 == 0 } == true)
        #expect(result.entries[0].text?.against == nil)
    }

    @Test("the second time nothing is measured, and the result is the same")
    func again() throws {
        let laboratory = try Laboratory()
        let first = try laboratory.run()
        let second = try laboratory.run()
        #expect(laboratory.measured.isEmpty && laboratory.messages.count == 9)
        #expect(laboratory.messages.allSatisfy { $0.hasSuffix("taken from an earlier run") })
        #expect(first.entries.map(\.text) == second.entries.map(\.text))
        #expect(first.entries.map(\.continuations) == second.entries.map(\.continuations))
    }

    @Test("results that need not be kept are gone at the end, and the folder with them")
    func cleaning() throws {
        let laboratory = try Laboratory()
        laboratory.keepsResults = false
        _ = try laboratory.run()
        #expect(!FileManager.default.fileExists(atPath: laboratory.path))
        // Until reports are written everything is there.
        laboratory.cleans = false
        _ = try laboratory.run()
        _ = try laboratory.run()
        #expect(laboratory.measured.isEmpty)
        laboratory.cleans = true
        _ = try laboratory.run()
        #expect(!FileManager.default.fileExists(atPath: laboratory.path))
        // What is not ours stays.
        try FileManager.default.createDirectory(atPath: laboratory.path, withIntermediateDirectories: true)
        try Data().write(to: URL(filePath: laboratory.path + "/mine"))
        _ = try laboratory.run()
        #expect(try FileManager.default.contentsOfDirectory(atPath: laboratory.path) == ["mine"])
    }

    @Test("what has changed is measured again, said, and nothing else")
    func changes() throws {
        let laboratory = try Laboratory()
        _ = try laboratory.run()
        laboratory.configurations[1].dependencies["the model"] = "another"
        _ = try laboratory.run()
        // The reference's distributions are gone by then.
        #expect(
            laboratory.measured == [
                "first: text", "second: text", "second: continuations", "second: load, round 1",
            ])
        #expect(laboratory.messages.contains("second: text: measured again: the model has changed"))
        #expect(
            laboratory.messages.contains("first: text: measured again: its distributions are needed for the others"))
        #expect(laboratory.messages.contains("third: text: taken from an earlier run"))

        laboratory.inputs = try ComparisonInputs(text: "other text")
        _ = try laboratory.run()
        #expect(laboratory.measured == ["first: text", "second: text", "third: text"])
        #expect(laboratory.messages.contains("third: text: measured again: reference, text have changed"))

        laboratory.inputs = try ComparisonInputs(text: "other text", prompts: ["q"])
        _ = try laboratory.run()
        #expect(laboratory.measured == Laboratory.everything.filter { $0.hasSuffix("continuations") })

        laboratory.settings.loadOutputTokenCount = 3
        laboratory.settings.windowTokenCount = 4
        _ = try laboratory.run()
        #expect(laboratory.measured == Laboratory.everything.filter { !$0.hasSuffix("continuations") })

        laboratory.circumstances["quire"] = "2"
        _ = try laboratory.run()
        #expect(laboratory.measured == Laboratory.everything)
    }

    @Test("another first configuration is another reference")
    func otherReference() throws {
        let laboratory = try Laboratory()
        _ = try laboratory.run()
        laboratory.configurations.swapAt(0, 2)
        let result = try laboratory.run()
        #expect(laboratory.measured == ["third: text", "second: text", "first: text"])
        #expect(result.entries[0].text?.against == nil && result.entries[2].text?.against != nil)
    }

    @Test("a configuration that fails is left out, and tried again the next time")
    func failure() throws {
        let laboratory = try Laboratory()
        laboratory.failing = ["second: continuations"]
        laboratory.keepsResults = false
        let result = try laboratory.run()
        #expect(result.entries.map { $0.failure?.reason } == [nil, "broken", nil])
        #expect(!laboratory.measured.contains("second: load, round 1") && laboratory.measured.count == 8)
        #expect(laboratory.messages == ["second: continuations: broken"])
        laboratory.failing = []
        _ = try laboratory.run()
        #expect(laboratory.measured == ["second: continuations", "second: load, round 1"])
    }

    @Test("the first that can be measured is the reference")
    func firstFails() throws {
        let laboratory = try Laboratory()
        laboratory.failing = ["first: text"]
        var result = try laboratory.run()
        #expect(result.referenceIndex == 1 && result.entries[2].text?.against?.divergences.isEmpty == false)
        laboratory.configurations[1].failure = .init(reason: "no such file", isUserError: true)
        result = try laboratory.run()
        #expect(result.referenceIndex == 2 && result.entries[1].failure?.reason == "no such file")
        laboratory.failing.insert("third: text")
        laboratory.circumstances["quire"] = "2"
        result = try laboratory.run()
        #expect(result.referenceIndex == nil && result.entries.allSatisfy { $0.failure != nil })
    }

    @Test("a worker that answers something else is a failure")
    func wrongAnswer() throws {
        let laboratory = try Laboratory()
        let run = ComparisonRun(
            laboratory.configurations, laboratory.inputs, laboratory.settings, circumstances: [:],
            directory: laboratory.path, keepsResults: false)
        let result = try run.run(onMessage: { _ in }) { _, _, _ in PartOutcome() }
        #expect(result.entries.allSatisfy { $0.failure?.reason == "no result of text" })
    }

    @Test("stored files that are not what they should be are measured again")
    func damaged() throws {
        let laboratory = try Laboratory()
        _ = try laboratory.run()
        let name = laboratory.configurations[0].fileName + ".json"
        let whole = try #require(FileManager.default.contents(atPath: laboratory.path + "/" + name))
        let text = String(decoding: whole, as: UTF8.self)
        let damages = [
            "", "null", "[]", "{\"version\": 1}", String(text.dropLast(7)),
            text.replacing("\"version\":1", with: "\"version\":2"), text.replacing("\"text\"", with: "\"txet\""),
        ]
        for damage in damages {
            try Data(damage.utf8).write(to: URL(filePath: laboratory.path + "/" + name))
            let result = try laboratory.run()
            #expect(
                laboratory.measured.contains("first: text") && result.entries[0].text != nil, "\(damage.prefix(40))")
            #expect(!laboratory.measured.contains("second: load, round 1"))
        }
    }

    @Test("a folder has one comparison at a time, and must be a folder")
    func lock() throws {
        let laboratory = try Laboratory()
        do {
            let store = try ResultStore(directory: laboratory.path)
            #expect(throws: ComparisonError.folder(path: laboratory.path, reason: "another comparison is using it")) {
                try laboratory.run()
            }
            #expect(store.directory == laboratory.path)
        }
        _ = try laboratory.run()
        let file = try laboratory.folder.file("file", "")
        #expect(throws: ComparisonError.self) { try ResultStore(directory: file) }
        #expect(throws: ComparisonError.self) { try ResultStore(directory: "/proc/nowhere") }
    }
}
