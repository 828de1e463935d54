import Foundation
import Synchronization

/// Libraries built from `Tests/Plugins` with the compilers of the toolchain, each once.
enum BuiltPlugin {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Plugins")
    static let header = root.appending(path: "Sources/CQuirePlugin/include/quire_plugin.h")
    private static let root = sources.deletingLastPathComponent().deletingLastPathComponent()
    private static let built = Mutex<[String: String]>([:])

    /// The library made of one C file, of `Tests/Plugins` or with a full path; `defines` go to the preprocessor.
    static func c(_ file: String, defines: [String] = []) throws -> String {
        let name = ([file] + defines).joined(separator: "-").filter { $0.isLetter || $0.isNumber || $0 == "-" }
        return try built.withLock { built in
            if let path = built[name] { return path }
            let path = try folder().appending(path: "lib\(name).so").path
            try run(
                ["clang", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC"]
                    + defines.map { "-D\($0)" }
                    + ["-I", header.deletingLastPathComponent().path, "-o", path]
                    + [file.hasPrefix("/") ? file : sources.appending(path: file).path])
            built[name] = path
            return path
        }
    }

    /// The library of a Swift package, built as its README's command does.
    static func swift(_ package: String) throws -> String {
        try built.withLock { built in
            if let path = built[package] { return path }
            let scratch = try folder().appending(path: package).path
            try run([
                "swift", "build", "-c", "release", "--package-path", sources.appending(path: package).path,
                "--scratch-path", scratch,
            ])
            let path = "\(scratch)/release/lib\(package).so"
            built[package] = path
            return path
        }
    }

    /// A text file.
    static func file(_ name: String, _ text: String) throws -> String {
        let path = try folder().appending(path: name)
        try text.write(to: path, atomically: true, encoding: .utf8)
        return path.path
    }

    /// The folder of built libraries: kept from run to run, so that a second one is quick.
    private static func folder() throws -> URL {
        let folder = root.appending(path: ".build/plugins-for-tests")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    private static func run(_ command: [String]) throws {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(command.joined(separator: " ")) failed:\n\(text)")
        }
    }
}
