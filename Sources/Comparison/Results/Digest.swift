import CLibrary
import FoundationEssentials

/// A hash of 128 bits: safe against accidental collisions, not against deliberate ones.
public struct Digest: Sendable {
    private var first: UInt64 = 0x243F_6A88_85A3_08D3
    private var second: UInt64 = 0x1319_8A2E_0370_7344
    private var count: UInt64 = 0

    public init() {}

    /// Takes `bytes` in. Pieces count: two pieces are not the same as one.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index + 8 <= bytes.count {
            mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
            index += 8
        }
        var rest: UInt64 = 0
        for byte in bytes[index...].reversed() { rest = rest << 8 | UInt64(byte) }
        mix(rest)
        count &+= UInt64(bytes.count)
        mix(count)
    }

    public mutating func update(_ text: String) {
        var text = text
        text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
    }

    private mutating func mix(_ word: UInt64) {
        first = (first ^ word) &* 0x9E37_79B9_7F4A_7C15
        first ^= first >> 29
        second = (second &+ word) &* 0xBF58_476D_1CE4_E5B9
        second = (second << 23 | second >> 41) ^ first
    }

    /// 32 hexadecimal digits.
    public var text: String { Self.hexadecimal(first) + Self.hexadecimal(second) }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    public static func text(of content: String) -> String {
        var digest = Digest()
        digest.update(content)
        return digest.text
    }

    /// Of a file's whole content; nil where it cannot be read.
    public static func text(ofFile path: String) -> String? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        var digest = Digest()
        while let piece = read(file), !piece.isEmpty { piece.withUnsafeBytes { digest.update($0) } }
        return ferror(file) == 0 ? digest.text : nil
    }

    /// Of a model: for every file of `path`, its name, size, time of change and 64 pieces of its content, which is the
    /// whole of a small one. Reading all of a large one would take as long as loading it. Nil where it cannot be read.
    public static func text(ofModel path: String) -> String? {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { return nil }
        guard isDirectory else {
            var digest = Digest()
            return digest.sample(path) ? digest.text : nil
        }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return nil }
        var digest = Digest()
        for name in names.sorted() {
            var isFolder = false
            let file = path + "/" + name
            guard FileManager.default.fileExists(atPath: file, isDirectory: &isFolder), !isFolder else { continue }
            digest.update(name)
            guard digest.sample(file) else { return nil }
        }
        return digest.text
    }

    private static let pieceByteCount = 1 << 16

    private mutating func sample(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0, let file = fopen(path, "rb") else { return false }
        defer { fclose(file) }
        let size = Int(status.st_size)
        #if os(Linux)
            update("\(size) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)")
        #else
            update("\(size) \(status.st_mtimespec.tv_sec) \(status.st_mtimespec.tv_nsec)")
        #endif
        let step = max(Self.pieceByteCount, size / 64)
        for offset in stride(from: 0, to: size, by: step) {
            guard fseek(file, offset, SEEK_SET) == 0, let piece = Self.read(file) else { return false }
            piece.withUnsafeBytes { update($0) }
        }
        return true
    }

    private static func read(_ file: UnsafeMutablePointer<FILE>) -> [UInt8]? {
        let piece = [UInt8](unsafeUninitializedCapacity: pieceByteCount) { buffer, count in
            count = fread(buffer.baseAddress, 1, pieceByteCount, file)
        }
        return ferror(file) == 0 ? piece : nil
    }
}
