import CLibrary
import Testing

@testable import BackendVulkan

/// Manifests and device nodes in a folder of their own, which is removed at the end.
final class DriverCheckTests {
    private let folder: String

    init() throws {
        var template = Array("/tmp/quire-drivers-XXXXXX\0".utf8CString)
        folder = try #require(
            template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) }.map { String(cString: $0) })
    }

    deinit { _ = system("chmod -R u+rwx '\(folder)'; rm -rf '\(folder)'") }

    private func write(_ text: String, to name: String) throws -> String {
        let path = "\(folder)/\(name)"
        let file = try #require(fopen(path, "w"))
        fputs(text, file)
        fclose(file)
        return path
    }

    private func obstacles(manifest text: String) throws -> [VulkanObstacle] {
        let path = try write(text, to: "driver.json")
        mkdir("\(folder)/dri", 0o755)
        _ = try write("", to: "dri/renderD128")
        return DriverCheck.obstacles(environment: { $0 == "VK_DRIVER_FILES" ? path : nil }, deviceFolder: folder)
    }

    @Test(
        "a file that is no manifest is named with the reason",
        arguments: ["", "{", "{}", #"{"ICD": {"library_path": 7}}"#])
    func manifests(text: String) throws {
        let found = try obstacles(manifest: text)
        #expect(found.count == 1)
        guard case .manifest(let path, let reason)? = found.first else { throw Unexpected(found) }
        #expect(path == "\(folder)/driver.json" && !reason.isEmpty)
    }

    @Test("a library that is missing is named as the system names it")
    func missingLibrary() throws {
        let found = try obstacles(manifest: #"{"ICD": {"library_path": "./libmissing_driver.so"}}"#)
        guard case .library(_, let library, let reason)? = found.first else { throw Unexpected(found) }
        #expect(library == "\(folder)/./libmissing_driver.so")
        #expect(reason.contains("libmissing_driver.so"))
    }

    @Test("a library that is no driver is told from one that is missing")
    func noDriver() throws {
        let found = try obstacles(manifest: #"{"ICD": {"library_path": "libm.so.6"}}"#)
        #expect(found == [.noEntryPoint(manifest: "\(folder)/driver.json", library: "libm.so.6")])
    }

    @Test("a driver with a device has no obstacle")
    func working() throws {
        let manifest = DriverManifest.paths { _ in nil }.first { $0.contains("lvp_icd") }
        let path = try #require(manifest, "lavapipe is installed by make deps")
        mkdir("\(folder)/dri", 0o755)
        _ = try write("", to: "dri/renderD128")
        #expect(
            DriverCheck.obstacles(environment: { $0 == "VK_DRIVER_FILES" ? path : nil }, deviceFolder: folder) == [])
    }

    @Test("folders and variables are read as the loader reads them")
    func folders() throws {
        for name in ["a", "a/vulkan", "a/vulkan/icd.d", "b"] { mkdir("\(folder)/\(name)", 0o755) }
        let data = try write("{}", to: "a/vulkan/icd.d/x.json")
        _ = try write("{}", to: "a/vulkan/icd.d/x.i686.json")
        let more = try write("{}", to: "b/y.json")
        let variables = ["XDG_DATA_DIRS": "\(folder)/a", "VK_ADD_DRIVER_FILES": "\(folder)/b"]
        let paths = DriverManifest.paths { variables[$0] }
        #expect(paths.first == more && paths.contains(data) && !paths.contains { $0.contains("i686") })
        #expect(DriverManifest.paths { $0 == "VK_ICD_FILENAMES" ? "\(more):\(data)" : variables[$0] } == [more, data])
    }

    @Test("a machine without a GPU, and a device with an older Vulkan")
    func devices() throws {
        let found = DriverCheck.obstacles(environment: { $0 == "VK_DRIVER_FILES" ? "" : nil }, deviceFolder: folder)
        #expect(found == [.noNode(folder: "\(folder)/dri")])
        let facts = VulkanDeviceFacts(
            index: 0, name: "Old GPU", kind: .discrete, uuid: [], driver: "", apiVersion: 1 << 22 | 1 << 12 | 7,
            memoryByteCount: 0)
        #expect(facts.obstacle == .oldVersion(device: "Old GPU", found: "1.1.7", needed: "1.2"))
    }
}

private struct Unexpected: Error {
    let obstacles: [VulkanObstacle]
    init(_ obstacles: [VulkanObstacle]) { self.obstacles = obstacles }
}
