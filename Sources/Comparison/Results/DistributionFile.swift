import CLibrary

/// The reference's next-token distributions on disk: a header, then natural logarithms of probabilities, one row of
/// `[vocabularySize]` 32-bit floats after another.
///
/// The header is 64 bytes: the magic, the vocabulary's size as a 32-bit and the number of rows as a 64-bit integer, and
/// from byte 32 on the identity of what was measured, 32 characters. Rows are counted when all of them are there.
enum DistributionFile {
    static let magic: [UInt8] = Array("QUIRE-D1".utf8)
    static let headerByteCount = 64

    static func header(identity: String, vocabularySize: Int, rowCount: Int) -> [UInt8] {
        var header = magic
        withUnsafeBytes(of: Int32(truncatingIfNeeded: vocabularySize).littleEndian) { header += $0 }
        header += [0, 0, 0, 0]
        withUnsafeBytes(of: Int64(rowCount).littleEndian) { header += $0 }
        header += [UInt8](repeating: 0, count: 32 - header.count)
        header += Array(identity.utf8.prefix(32))
        return header + [UInt8](repeating: 0, count: headerByteCount - header.count)
    }

    /// Whether `path` has all distributions of `identity`.
    static func isComplete(_ path: String, identity: String) -> Bool {
        (try? DistributionReader(path: path, identity: identity)) != nil
    }
}

/// Writes distributions row by row.
final class DistributionWriter {
    private let path: String
    private let identity: String
    private let vocabularySize: Int
    private let file: UnsafeMutablePointer<FILE>
    private var rowCount = 0

    /// Begins the file anew. Throws `ComparisonError.storage`.
    init(path: String, identity: String, vocabularySize: Int) throws(ComparisonError) {
        guard let file = fopen(path, "wb") else {
            throw .storage(path: path, reason: "cannot be written: \(String(cString: strerror(errno)))")
        }
        self.path = path
        self.identity = identity
        self.vocabularySize = vocabularySize
        self.file = file
        // Incomplete until `finish`: no identity yet.
        try write(DistributionFile.header(identity: "", vocabularySize: vocabularySize, rowCount: 0))
    }

    deinit { fclose(file) }

    func append(_ row: UnsafeMutableBufferPointer<Float>) throws(ComparisonError) {
        guard fwrite(row.baseAddress, 4, row.count, file) == row.count else { throw failure }
        rowCount += 1
    }

    /// Declares the file complete.
    func finish() throws(ComparisonError) {
        guard fflush(file) == 0, fseek(file, 0, SEEK_SET) == 0 else { throw failure }
        try write(
            DistributionFile.header(identity: identity, vocabularySize: vocabularySize, rowCount: rowCount))
        guard fflush(file) == 0 else { throw failure }
    }

    private func write(_ bytes: [UInt8]) throws(ComparisonError) {
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw failure }
    }

    private var failure: ComparisonError {
        .storage(path: path, reason: "cannot be written: \(String(cString: strerror(errno)))")
    }
}

/// Reads distributions row by row.
final class DistributionReader {
    let vocabularySize: Int
    let rowCount: Int
    private let path: String
    private let file: UnsafeMutablePointer<FILE>
    private var row: [Float]

    /// Opens the distributions of `identity`. Throws `ComparisonError.storage` where the file is another's or not whole.
    init(path: String, identity: String) throws(ComparisonError) {
        guard let file = fopen(path, "rb") else { throw .storage(path: path, reason: "cannot be opened") }
        var header = [UInt8](repeating: 0, count: DistributionFile.headerByteCount)
        let count = fread(&header, 1, header.count, file)
        let vocabularySize = header.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 8, as: Int32.self)) }
        let rowCount = header.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 16, as: Int64.self)) }
        let expected = DistributionFile.header(identity: identity, vocabularySize: vocabularySize, rowCount: rowCount)
        var status = stat()
        let (bytes, overflows) = rowCount.multipliedReportingOverflow(by: max(vocabularySize, 0) * 4)
        guard count == header.count, header == expected, rowCount > 0, vocabularySize > 0, !overflows,
            fstat(fileno(file), &status) == 0, Int(status.st_size) == header.count + bytes
        else {
            fclose(file)
            throw .storage(path: path, reason: "not the reference's distributions, or not all of them")
        }
        self.vocabularySize = vocabularySize
        self.rowCount = rowCount
        self.path = path
        self.file = file
        row = [Float](repeating: 0, count: vocabularySize)
    }

    deinit { fclose(file) }

    /// Lends the next row.
    func next<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) throws -> Result {
        guard fread(&row, 4, row.count, file) == row.count else {
            throw ComparisonError.storage(path: path, reason: "ends too early")
        }
        return try row.withUnsafeBufferPointer(body)
    }
}
