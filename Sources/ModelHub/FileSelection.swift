import CLibrary
import SharedValues

/// Which files of a repository serving needs: weights in safetensors with the files beside them, or one GGUF model. Never
/// pickles, code, or weights in other formats.
struct FileSelection: Equatable {
    /// Files that are needed in any case.
    var files: [String]
    /// The index that names the shards, which are needed too; nil where the weights are among `files`.
    var index: String?

    /// Files of a Hugging Face directory that Quire or another tool reads, beside weights.
    private static let companions: Set = [
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json",
        "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja",
        "chat_template.json", "quantize_config.json", "quant_config.json",
    ]

    /// Chooses among the files of `listing`. Throws `noWeights`, `ambiguous` or `noMatch`.
    ///
    /// - Parameter pattern: which GGUF model: a path or file name with `*`, `?` and `[…]`, or a part of it. Nil for weights
    ///   in safetensors where there are any, else for the only GGUF model.
    init(_ listing: HubListing, _ model: ModelReference, pattern: String?) throws(HubError) {
        let paths = listing.files.map(\.path)
        let single = paths.contains("model.safetensors")
        let index = "model.safetensors.index.json"
        let models = GGUFParts.models(among: paths)
        if pattern == nil, single || paths.contains(index) {
            files = paths.filter { Self.companions.contains($0) || Self.isTemplate($0) }
            if single { files.append("model.safetensors") } else { self.index = index }
            return
        }
        let sizes = Dictionary(listing.files.map { ($0.path, $0.byteCount ?? 0) }) { first, _ in first }
        func choices(_ models: [GGUFParts]) -> [String] {
            models.map { model in
                let size = ByteCountText.text(model.paths.reduce(0) { $0 + (sizes[$1] ?? 0) })
                return model.paths.count == 1
                    ? "\(model.paths[0]) (\(size))" : "\(model.paths[0]) and \(model.paths.count - 1) more (\(size))"
            }
        }
        let matching = pattern.map { pattern in models.filter { $0.matches(pattern) } } ?? models
        // Q4_K_M is a part of UD-Q4_K_M too: an end of the name that is exactly this one decides.
        let exact = pattern.map { pattern in matching.filter { $0.isNamed(exactly: pattern) } } ?? []
        guard let chosen = matching.count == 1 ? matching.first : exact.count == 1 ? exact.first : nil else {
            if let pattern, matching.isEmpty {
                throw .noMatch(model: model, pattern: pattern, choices: choices(models))
            }
            guard !models.isEmpty else { throw .noWeights(model: model, found: paths) }
            throw .ambiguous(model: model, pattern: pattern, choices: choices(matching))
        }
        if let missing = chosen.missingPart {
            throw .notFound(model: model, what: .file(missing), reason: ", a part of the model")
        }
        files = chosen.paths
    }

    private static func isTemplate(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        return parts.count == 2 && parts[0] == "additional_chat_templates" && parts[1].hasSuffix(".jinja")
    }
}

/// A model in one GGUF file, or in parts called `NAME-00001-of-00003.gguf`.
struct GGUFParts: Equatable {
    /// In the order of their numbers.
    private(set) var paths: [String]
    /// The path without its number and ending.
    let stem: String
    private let partCount: Int

    /// The models among `paths`, in their order. Projectors of images and calibration data are no models.
    static func models(among paths: [String]) -> [GGUFParts] {
        var models: [GGUFParts] = []
        for path in paths.sorted() where path.lowercased().hasSuffix(".gguf") {
            let name = fileName(path).lowercased()
            guard !name.hasPrefix("mmproj"), !name.contains("imatrix") else { continue }
            let part = SplitFileName(path)
            let (stem, count) = (part?.stem ?? String(path.dropLast(".gguf".count)), part?.count ?? 1)
            if let index = models.firstIndex(where: { $0.stem == stem && $0.partCount == count }) {
                models[index].paths.append(path)
            } else {
                models.append(GGUFParts(paths: [path], stem: stem, partCount: count))
            }
        }
        return models
    }

    /// The first part that is not among the paths; nil: all are.
    var missingPart: String? {
        guard partCount > 1 else { return nil }
        let numbers = Set(paths.map { SplitFileName($0)?.number ?? 1 })
        return (1...partCount).first { !numbers.contains($0) }
            .map { SplitFileName.path(stem, part: $0, of: partCount) }
    }

    /// Whether a pattern with `*`, `?` or `[…]` matches the whole path or file name of a part, or another one is in them.
    func matches(_ pattern: String) -> Bool {
        let pattern = pattern.lowercased()
        return paths.contains { path in
            let path = path.lowercased()
            guard pattern.contains(where: { "*?[".contains($0) }) else { return path.contains(pattern) }
            return fnmatch(pattern, path, 0) == 0 || fnmatch(pattern, Self.fileName(path), 0) == 0
        }
    }

    /// Whether `pattern` is the path, the file name, or all that follows the name's last `-` or `.`.
    func isNamed(exactly pattern: String) -> Bool {
        let (pattern, stem) = (pattern.lowercased(), stem.lowercased())
        if paths.contains(where: { $0.lowercased() == pattern || Self.fileName($0.lowercased()) == pattern }) {
            return true
        }
        let ends = Self.fileName(stem).split { $0 == "-" || $0 == "." }
        guard let last = ends.last, last == pattern else { return false }
        // Of NAME-UD-Q4_K_M, the part before the last is no part of the model's name.
        return ends.dropLast().last != "ud"
    }

    private static func fileName(_ path: String) -> String {
        path.split(separator: "/").last.map { String($0) } ?? path
    }

}
