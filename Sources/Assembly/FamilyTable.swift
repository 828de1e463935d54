import Models
import Weights

/// The model families that Quire serves, as a table in Markdown. README has a copy, which a test compares.
public enum FamilyTable {
    public static var markdown: String {
        var lines = [
            "| models, on every backend | `model_type` of safetensors | architecture of GGUF |", "|---|---|---|",
        ]
        let families = ModelArchitectures.builtin.map(\.family).sorted { $0.title < $1.title }
        for family in families {
            func names(_ names: [String]) -> String {
                names.isEmpty ? "–" : names.map { "`\($0)`" }.joined(separator: ", ")
            }
            lines.append(
                "| \(family.title) | \(names(family.modelTypes)) | \(names(family.gguf + family.sharedGGUF)) |")
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The same for a terminal.
    public static var text: String {
        let families = ModelArchitectures.builtin.map(\.family).sorted { $0.title < $1.title }
        let width = families.map(\.title.count).max() ?? 0
        return families.map { family in
            let names = (family.modelTypes + family.gguf.filter { !family.modelTypes.contains($0) })
            return family.title + String(repeating: " ", count: width + 2 - family.title.count)
                + names.joined(separator: ", ") + "\n"
        }.joined()
    }
}
