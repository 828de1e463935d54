import EngineConfig
import FoundationEssentials
import Logging
import Synchronization

@testable import Assembly

/// Messages of a logger.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.lines.withLock { $0.append("\(event.level): \(event.message)") }
        }
    }
}

/// A copy of one of the small checkpoints in `Tests/Goldens`, to be changed.
final class ModelDirectory {
    let path: String

    init(_ checkpoint: String, in folder: String = "checkpoints", from test: String = #filePath) throws {
        let goldens = URL(filePath: test).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Goldens/\(folder)/\(checkpoint)")
        path = FileManager.default.temporaryDirectory.appending(path: "assembly-\(UUID().uuidString)").path
        try FileManager.default.copyItem(atPath: goldens.path, toPath: path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes `text` to `name`.
    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
    }

    /// Replaces `old`, which must be there, in `name`.
    func replace(_ old: String, with new: String, in name: String) throws {
        let text = String(decoding: try Data(contentsOf: URL(filePath: path + "/" + name)), as: UTF8.self)
        let parts = text.split(separator: old, omittingEmptySubsequences: false)
        guard parts.count > 1 else { throw CocoaError(.fileReadCorruptFile) }
        try write(parts.joined(separator: new), to: name)
    }

    /// A configuration that serves it, with more lines.
    func configuration(_ more: String = "") throws -> EngineConfiguration {
        try EngineConfiguration.parse("model: {path: \(path)}\n\(more)", file: "test.yaml")
    }
}
