import FoundationEssentials

/// Where a command's results go, beside the table: a file, or standard output for `-`.
struct ResultFile {
    private let path: String

    init(_ path: String) { self.path = path }

    /// Whether results take the place of the table on standard output.
    var isStandardOutput: Bool { path == "-" }

    /// Writes `text`, whole or not at all. Throws `ResultFileError`, which names the file.
    func write(_ text: String) throws(ResultFileError) {
        guard !isStandardOutput else { return Console.write(text) }
        do { try Data(text.utf8).write(to: URL(filePath: path), options: .atomic) } catch {
            throw ResultFileError(path: path)
        }
    }

    /// Writes every figure of `report` as JSON, keys in snake_case.
    func writeJSON(of report: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try write(String(decoding: try encoder.encode(report), as: UTF8.self) + "\n")
    }
}

/// A file that results cannot be written to.
struct ResultFileError: Error, CustomStringConvertible {
    let path: String

    var description: String { "\(path): cannot be written" }
}
