internal import JSON

/// What an AWQ checkpoint says about itself (casper-hansen/AutoAWQ, `awq/models/_config.py`).
public struct AWQConfiguration: Sendable, Hashable {
    /// The file that says so.
    public let file: String
    /// Inputs that share a scale; nil for a whole column.
    public let groupSize: Int?
    /// Parts of names of modules that stay dense.
    public let modulesToNotConvert: [String]

    init(_ document: JSONDocument) throws(WeightLoadingError) {
        file = document.file
        let bits = document.value("bits") == nil ? "w_bit" : "bits"
        _ = try document.bitCount(bits, [4])
        let group = document.value("group_size") == nil ? "q_group_size" : "group_size"
        groupSize = try document.groupSize(group)
        try document.require("version", oneOf: ["gemm"])
        // gptqmodel says it under GPTQ's names.
        try document.require("checkpoint_format", oneOf: ["gemm"])
        try document.require("format", oneOf: ["gemm"])
        try document.require("pack_dtype", oneOf: ["int32"])
        modulesToNotConvert = try document.strings("modules_to_not_convert")
    }

    /// Whether `module` has a packed matrix, if it is a linear one.
    func isQuantized(_ module: String) -> Bool {
        // As AutoAWQ does: any module whose name has one of these in it.
        !modulesToNotConvert.contains { module.hasPart($0) }
    }
}

extension String {
    /// Whether `part` stands somewhere in it.
    func hasPart(_ part: String) -> Bool {
        let (text, part) = (Array(utf8), Array(part.utf8))
        guard part.count <= text.count else { return false }
        return (0...text.count - part.count).contains { text[$0...].starts(with: part) }
    }
}
