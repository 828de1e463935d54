import Testing

@testable import EngineConfig

@Suite struct PolicyOptionsTests {
    private static let text = """
        model: {path: /m}
        policy_options:
          levels: 3
          window: 16
          weights: {a: 2}
        """

    private static func unread(_ policies: [String], overrides: [String] = []) throws -> [String] {
        let configuration = try EngineConfiguration.parse(
            bytes: Array(text.utf8), file: "c.yaml", overrides: overrides, homeDirectory: nil)
        return configuration.unreadPolicyOptions(by: policies).map(\.description)
    }

    @Test("A parameter of another policy is named with its position; one that has its default is not")
    func named() throws {
        #expect(
            try Self.unread(["fcfs"]) == [
                "c.yaml:5:12: policy_options.weights: not read by fcfs, only by fair",
                "c.yaml:3:11: policy_options.levels: not read by fcfs, only by mlfq",
            ])
    }

    @Test("One that any of several policies reads is not")
    func several() throws {
        #expect(try Self.unread(["fcfs", "mlfq", "fair"]).isEmpty)
        #expect(
            try Self.unread(["sjf", "fair"]) == [
                "c.yaml:3:11: policy_options.levels: not read by sjf, fair, only by mlfq"
            ])
    }

    @Test("One that the command line gave is reported there")
    func override() throws {
        let unread = try Self.unread(["mlfq", "fair"], overrides: ["policy_options.window=4"])
        #expect(unread == ["--set policy_options.window: not read by mlfq, fair, only by prefix"])
    }

    @Test("What a plugin's policy reads is not known")
    func unknown() throws {
        #expect(try Self.unread(["mine"]).isEmpty)
    }

    @Test("Every key names the policies that read it")
    func documented() {
        for key in PolicyOptionsSection.keys { #expect(!key.scope.isEmpty, "\(key.name)") }
    }
}
