import FoundationEssentials
import Testing

@testable import EngineConfig

@Suite struct ShippedConfigurationTests {
    /// The repository's `Configs`.
    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Configs").path

    static func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }.sorted()
    }

    @Test("Every shipped configuration loads", arguments: try files())
    func loads(_ name: String) throws {
        let configuration = try EngineConfiguration.load(path: "\(Self.folder)/\(name)", homeDirectory: "/ada")
        #expect(configuration.model.path.hasPrefix("/ada/"))
    }

    @Test("The shipped configurations are there")
    func areThere() throws {
        #expect(Set(["full.yaml", "quickstart.yaml", "reference.yaml"]).isSubset(of: try Self.files()))
    }

    @Test("full.yaml is what `quire config schema` prints, and says no more than the defaults")
    func fullIsTheSchema() throws {
        let path = "\(Self.folder)/full.yaml"
        let data = try Data(contentsOf: URL(filePath: path))
        #expect(String(decoding: data, as: UTF8.self) == EngineConfiguration.schema())
        let full = try EngineConfiguration.load(path: path, homeDirectory: "/ada")
        let minimal = try EngineConfiguration.parse("model: {path: \"\(full.model.path)\"}", file: "c.yaml")
        #expect(full == minimal)
    }

    @Test("Configs/README.md is what `quire config schema --markdown` prints")
    func referenceIsGenerated() throws {
        let data = try Data(contentsOf: URL(filePath: "\(Self.folder)/README.md"))
        #expect(String(decoding: data, as: UTF8.self) == EngineConfiguration.markdownReference())
    }

    @Test("Every key is a row of the reference, which says who reads it")
    func reference() throws {
        let lines = EngineConfiguration.markdownReference().split(separator: "\n")
        for section in EngineConfiguration.sections {
            for key in section.keys {
                let row = try #require(lines.first { $0.hasPrefix("| `\(section.path(of: key.name))` |") })
                #expect(row.contains(key.explanation))
                for reader in key.scope { #expect(row.contains(reader)) }
            }
        }
    }

    @Test("Every documented example of an optional key is one that the key takes")
    func examples() throws {
        for section in EngineConfiguration.sections {
            for key in section.keys {
                guard let example = key.example else { continue }
                let lines = complaints(about: minimal, overrides: ["\(section.path(of: key.name))=\(example)"])
                #expect(lines == [], "\(section.name).\(key.name)")
            }
        }
    }
}
