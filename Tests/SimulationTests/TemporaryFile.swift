import FoundationEssentials

/// A file that goes when the value does.
struct TemporaryFile: ~Copyable {
    let path: String

    init(_ text: String, name: String = "trace") throws {
        path =
            FileManager.default.temporaryDirectory
            .appending(path: "\(name)-\(UInt64.random(in: 0 ... .max))").path
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
