import Foundation
import PluginLoading
import Requests
import Scheduling
import Testing

@Suite("Plugin libraries")
struct LibraryTests {
    private func message(_ path: String) -> String {
        do throws(PluginError) {
            return "no error, but a policy \(try PluginLibrary(path: path).policyName)"
        } catch {
            return "\(error)"
        }
    }

    @Test("a library of another ABI is refused by name, with both versions")
    func otherABI() throws {
        let path = try BuiltPlugin.c("hostile.c", defines: ["ABI=7"])
        #expect(message(path) == "plugin \(path) speaks ABI 7; this quire speaks 1")
    }

    @Test("a file that is no library, or not there, and a library without the function")
    func unusableFiles() throws {
        #expect(message("/nowhere/libx.so").hasPrefix("plugin /nowhere/libx.so cannot be loaded: "))
        let text = try BuiltPlugin.file("garbage.so", "this is no library")
        #expect(message(text).hasPrefix("plugin \(text) cannot be loaded: "))
        let other = try BuiltPlugin.c("hostile.c", defines: ["SYMBOL=other_function"])
        #expect(message(other).hasPrefix("plugin \(other) has no function quire_plugin"))
    }

    @Test(
        "tables that make no sense are refused, with the file",
        arguments: [
            ("NO_TABLE", "quire_plugin(1) returned no table"), ("SIZE=8", "expected struct_size of at least"),
            ("NAME=\"\"", "expected a name of 1 to 64 letters"), ("NAME=\"a b\"", "expected a name of 1 to 64 letters"),
        ])
    func invalidTables(_ define: String, _ reason: String) throws {
        let path = try BuiltPlugin.c("hostile.c", defines: [define])
        #expect(message(path).hasPrefix("plugin \(path): \(reason)"))
    }

    @Test("a policy whose create fails is refused with its reason and the file; so are unknown options")
    func creation() throws {
        let hostile = try BuiltPlugin.c("hostile.c")
        #expect(throws: PluginError.notCreated(path: hostile, policy: "hostile", reason: "mode: expected one")) {
            try PluginLibrary(path: hostile).makePolicy(options: ["mode": "refuse"], budgetMilliseconds: 100)
        }
        let flags = "policy \"hostile\" answered nonsense: unknown flags 6"
        #expect(throws: PluginError.notCreated(path: hostile, policy: "hostile", reason: flags)) {
            try PluginLibrary(path: hostile).makePolicy(options: ["mode": "flags"], budgetMilliseconds: 100)
        }
        let swift = try BuiltPlugin.swift("ShortestPrompt")
        let reason = "tokens_per_second: expected a number, found \"many\""
        #expect(throws: PluginError.notCreated(path: swift, policy: "shortest_prompt", reason: reason)) {
            try PluginLibrary(path: swift).makePolicy(options: ["tokens_per_second": "many"], budgetMilliseconds: 100)
        }
    }

    @Test("the example in quire_plugin.h compiles and orders by prompt")
    func headerExample() throws {
        let header = try String(contentsOf: BuiltPlugin.header, encoding: .utf8)
        let indent = "//     "
        let lines = header.split(separator: "\n").drop { !$0.hasPrefix(indent + "static") }
            .prefix { $0.hasPrefix(indent) }
        let code = lines.map { $0.dropFirst(indent.count) }.joined(separator: "\n")
        let source = try BuiltPlugin.file("header_example.c", "#include \"quire_plugin.h\"\n\(code)\n")
        let library = try PluginLibrary(path: BuiltPlugin.c(source))
        #expect(library.policyName == "shortest_prompt")
        var policy = try library.makePolicy(budgetMilliseconds: ExternalPolicyTests.patience)
        let ranks = try [7, 3].map { count in
            try policy.queuePosition(
                of: RequestView(id: RequestID(1), arrival: EngineInstant(nanoseconds: 5), promptCount: count),
                at: EngineInstant(nanoseconds: 9)
            ).rank
        }
        #expect(ranks == [7, 3])
    }
}
