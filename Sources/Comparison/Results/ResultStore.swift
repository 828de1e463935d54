import CLibrary
import FoundationEssentials

/// The folder in which a comparison keeps what it has measured: one JSON file for each configuration. One comparison at
/// a time has it.
final class ResultStore {
    /// A part's outcome with everything it depends on, by name.
    struct StoredPart: Codable {
        var key: [String: String]
        var outcome: PartOutcome
    }

    private struct File: Codable {
        var version: Int
        var parts: [String: StoredPart]
    }

    /// Changes with the meaning of what is stored.
    private static let version = 1
    private static let distributionsName = "reference.distributions"
    private static let lockName = "lock"

    let directory: String
    private let lock: CInt
    private var files: [String: File] = [:]
    private var written: Set<String> = []

    /// Takes `directory`, made where it is missing. Throws `ComparisonError.folder` where it cannot be had.
    init(directory: String) throws(ComparisonError) {
        self.directory = directory
        do { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) } catch {
            throw .folder(path: directory, reason: "cannot be made a folder")
        }
        lock = open(directory + "/" + Self.lockName, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
        guard lock >= 0 else { throw .folder(path: directory, reason: "cannot be written") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw .folder(path: directory, reason: "another comparison is using it")
        }
    }

    deinit { if lock >= 0 { close(lock) } }

    /// Where the reference's distributions are kept.
    var distributionsPath: String { directory + "/" + Self.distributionsName }

    /// What is stored of `part` of the configuration that is called `name` here; nil where there is nothing, or the file
    /// is not one of ours.
    func part(_ part: ComparisonPart, of name: String) -> StoredPart? {
        if files[name] == nil {
            guard let data = FileManager.default.contents(atPath: path(name)),
                let file = try? JSONDecoder().decode(File.self, from: data), file.version == Self.version
            else { return nil }
            files[name] = file
        }
        return files[name]?.parts[part.name].flatMap { $0.outcome.answers(part) ? $0 : nil }
    }

    /// Stores `part` of the configuration `name`. After a crash the file holds either its old or its new content.
    func store(_ stored: StoredPart, as part: ComparisonPart, of name: String) throws(ComparisonError) {
        _ = self.part(part, of: name)
        files[name, default: File(version: Self.version, parts: [:])].parts[part.name] = stored
        written.insert(name)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        do {
            try encoder.encode(files[name]).write(to: URL(filePath: path(name)), options: .atomic)
        } catch { throw .storage(path: path(name), reason: "cannot be written") }
    }

    /// Removes the distributions, which are large and quickly made again.
    func removeDistributions() {
        try? FileManager.default.removeItem(atPath: distributionsPath)
    }

    /// Removes the results of `names` and, where nothing else is left in it, the folder.
    func removeAll(_ names: [String]) {
        removeDistributions()
        for name in names { try? FileManager.default.removeItem(atPath: path(name)) }
        try? FileManager.default.removeItem(atPath: directory + "/" + Self.lockName)
        // Only an empty folder goes.
        rmdir(directory)
    }

    private func path(_ name: String) -> String { directory + "/" + name + ".json" }
}
