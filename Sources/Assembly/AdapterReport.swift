import Adapters
import Weights

/// What a LoRA adapter is, for people; made without reading its matrices.
public struct AdapterReport: Sendable, CustomStringConvertible {
    public let description: String

    /// Opens the adapter at `path`; nil where that is no adapter. Throws for an adapter that Quire cannot read.
    public init?(path: String) throws {
        switch PathKind(of: path) {
        case .directory where PathKind(of: path + "/adapter_config.json") == .file: break
        case .file where path.hasSuffix(".gguf"):
            guard let metadata = try? GGUFSource(file: path).metadata, metadata["general.type"] == .string("adapter")
            else { return nil }
        default: return nil
        }
        let adapter = try AssemblyError.blaming(path) { try AdapterFile(path: path) }
        let scales = Set(adapter.products.map(\.scale)).sorted().map { "\($0)" }
        let lines = [
            ("path", path), ("kind", "LoRA adapter, \(adapter.format == .gguf ? "GGUF" : "PEFT")"),
            ("base model", adapter.baseModel ?? "not stated"), ("rank", "at most \(adapter.rank)"),
            ("modules", "\(adapter.products.count), scaled by \(scales.prefix(4).joined(separator: ", "))"),
            ("tensors", "\(2 * adapter.products.count), \(adapter.byteCount >> 10) KiB"),
        ]
        description = lines.map { $0 + String(repeating: " ", count: 14 - $0.count) + $1 + "\n" }.joined()
    }
}
