internal import JSON

/// What a GPTQ checkpoint says about itself (ModelCloud/GPTQModel, `quantization/config.py`).
public struct GPTQConfiguration: Sendable, Hashable {
    /// How one module's matrix is packed.
    struct Module: Sendable, Hashable {
        var bitCount: Int
        /// Inputs that share a scale; nil for a whole column.
        var groupSize: Int?
    }

    /// One of the rules that single modules out: the first whose pattern matches counts.
    struct Rule: Sendable, Hashable {
        let pattern: ModulePattern
        /// What the module has; nil where it stays dense.
        let module: Module?
    }

    /// The file that says so.
    public let file: String
    /// Whether stored zeros are one too small (version 1), and so one is to be added.
    public let zerosAreMinusOne: Bool
    let module: Module
    let rules: [Rule]

    private static let bitCounts = [2, 3, 4, 8]

    init(_ document: JSONDocument) throws(WeightLoadingError) {
        file = document.file
        let module = Module(
            bitCount: try document.bitCount("bits", Self.bitCounts), groupSize: try document.groupSize("group_size"))
        self.module = module
        if try document.bool("is_marlin_format") == true {
            throw .unsupported(
                file: file, key: document.path("is_marlin_format"), found: "true", supported: "gptq, gptq_v2")
        }
        for key in ["checkpoint_format", "format"] { try document.require(key, oneOf: ["gptq", "gptq_v2"]) }
        try document.require("pack_dtype", oneOf: ["int32"])
        let (new, old) = (try document.string("checkpoint_format"), try document.string("format"))
        zerosAreMinusOne = (new ?? old ?? "gptq").lowercased() == "gptq"
        rules = try Self.rules(document, module)
    }

    /// How the matrix of `module` is packed; nil where it stays dense.
    func packing(of module: String) -> Module? {
        guard let rule = rules.first(where: { $0.pattern.matches(module) }) else { return self.module }
        return rule.module
    }

    private static func rules(
        _ document: JSONDocument, _ base: Module
    ) throws(WeightLoadingError) -> [Rule] {
        guard let value = document.value("dynamic") else { return [] }
        guard case .object(let members) = value, let overrides = try document.object("dynamic") else {
            throw document.error("dynamic", expected: "an object of patterns and what they change", found: value)
        }
        var rules: [Rule] = []
        for member in members.members {
            let isDense = member.key.hasPrefix("-:")
            let text = isDense || member.key.hasPrefix("+:") ? String(member.key.dropFirst(2)) : member.key
            let pattern = try ModulePattern(text, file: document.file, key: overrides.path(member.key))
            var module = base
            if !isDense, let changes = try overrides.object(member.key) {
                if changes.value("bits") != nil { module.bitCount = try changes.bitCount("bits", bitCounts) }
                if changes.value("group_size") != nil { module.groupSize = try changes.groupSize("group_size") }
            }
            rules.append(Rule(pattern: pattern, module: isDense ? nil : module))
        }
        return rules
    }
}
