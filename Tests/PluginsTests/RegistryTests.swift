import Testing

@testable import Plugins

@Suite struct RegistryTests {
    private func sample() throws -> Registry<Int> {
        var registry = Registry<Int>(kind: "backend")
        try registry.register("vulkan", 1)
        try registry.register("cpu", 2)
        try registry.register("reference", 3)
        return registry
    }

    @Test func findsWhatWasRegisteredAndSortsNames() throws {
        let registry = try sample()
        #expect(try registry.factory(named: "cpu") == 2)
        #expect(registry.names == ["cpu", "reference", "vulkan"])
    }

    @Test func copiesAreIndependentValues() throws {
        let original = try sample()
        var copy = original
        try copy.register("metal", 4)
        #expect(original.names.count == 3)
        #expect(copy.names.count == 4)
    }

    @Test func refusesADuplicateAndKeepsTheFirst() throws {
        var registry = try sample()
        #expect(throws: RegistryError.duplicateName(kind: "backend", name: "cpu")) {
            try registry.register("cpu", 9)
        }
        #expect(try registry.factory(named: "cpu") == 2)
    }

    @Test(arguments: [("vulcan", "vulkan"), ("CPU", "cpu"), ("refrence", "reference"), ("quantum", nil), ("", nil)])
    func anUnknownNameListsTheKnownAndTheClosest(name: String, closest: String?) throws {
        let registry = try sample()
        let expected = RegistryError.unknownName(
            kind: "backend", name: name, known: ["cpu", "reference", "vulkan"], closest: closest)
        #expect(throws: expected) { try registry.factory(named: name) }
        #expect(expected.description.contains("cpu, reference, vulkan"))
    }

    @Test(arguments: [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("abc", "abc", 0)])
    func editDistanceIsLevenshteins(left: String, right: String, distance: Int) {
        #expect(editDistance(left, right) == distance)
    }
}
