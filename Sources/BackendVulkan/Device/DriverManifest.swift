import CLibrary
import JSON

/// A file that tells the Vulkan loader of a driver (Khronos, LoaderDriverInterface.md, "Driver Manifest File Format").
public struct DriverManifest: Sendable, Hashable {
    /// Its path.
    public let path: String
    /// The driver's library as the loader opens it: a path, or a name to search for.
    public let library: String

    /// Reads the manifest at `path`. Throws `VulkanObstacle.manifest` for what is no manifest.
    init(path: String) throws(VulkanObstacle) {
        func bad(_ reason: String) -> VulkanObstacle { .manifest(path: path, reason: reason) }
        guard let text = Self.text(of: path) else { throw bad("it cannot be read") }
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(text) } catch { throw bad("\(error)") }
        guard case .string(let library)? = value["ICD"]?["library_path"], !library.isEmpty else {
            throw bad(
                "expected a text in ICD.library_path, found \(value["ICD"]?["library_path"]?.summary ?? "nothing")")
        }
        self.path = path
        // A path with a slash starts at the manifest's folder, a name alone is searched for.
        if library.hasPrefix("/") || !library.contains("/") {
            self.library = library
        } else {
            self.library = String(path[...(path.lastIndex(of: "/") ?? path.startIndex)]) + library
        }
    }

    /// The manifests that the loader reads, in its order; of those for processors of another width none.
    ///
    /// - Parameter environment: the values of environment variables.
    public static func paths(environment: (String) -> String?) -> [String] {
        func files(_ variable: String) -> [String] {
            (environment(variable) ?? "").split(separator: ":").flatMap { entry in
                entry.hasSuffix(".json") ? [String(entry)] : manifests(in: String(entry))
            }
        }
        for variable in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] where environment(variable) != nil {
            return files(variable)
        }
        func list(_ variable: String, _ fallback: String) -> [String] {
            (environment(variable) ?? fallback).split(separator: ":").map { String($0) }
        }
        let home = environment("HOME")
        var folders = [environment("XDG_CONFIG_HOME") ?? home.map { $0 + "/.config" }].compactMap(\.self)
        folders += list("XDG_CONFIG_DIRS", "/etc/xdg") + ["/etc"]
        folders += [environment("XDG_DATA_HOME") ?? home.map { $0 + "/.local/share" }].compactMap(\.self)
        folders += list("XDG_DATA_DIRS", "/usr/local/share:/usr/share")
        var paths = files("VK_ADD_DRIVER_FILES")
        for folder in folders { paths += manifests(in: folder + "/vulkan/icd.d") }
        var seen: Set<String> = []
        return paths.filter { seen.insert($0).inserted && !isForOtherWidth($0) }
    }

    private static func manifests(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".json") { names.append("\(folder)/\(name)") }
        }
        return names.sorted()
    }

    /// Distributions name the processor in the file: `radeon_icd.i686.json`.
    private static func isForOtherWidth(_ path: String) -> Bool {
        ["i386", "i586", "i686", "armv7", "armhf"].contains { path.contains(".\($0).") || path.contains("_\($0).") }
    }

    private static func text(of path: String) -> [UInt8]? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        let maximumByteCount = 1 << 20
        let bytes = [UInt8](unsafeUninitializedCapacity: maximumByteCount) { buffer, count in
            count = fread(buffer.baseAddress, 1, maximumByteCount, file)
        }
        return ferror(file) == 0 && !bytes.isEmpty ? bytes : nil
    }
}
