import CLibrary

/// Reads a file line by line through a buffer of fixed size.
struct LineReader: ~Copyable {
    /// The greatest length of a line. A file without line ends is refused before it fills the memory.
    private static let maxLineByteCount = 1 << 20

    let path: String
    /// The number of the line that was read last, from 1.
    private(set) var lineNumber = 0
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var position = 0
    private var hasEnded = false

    init(path: String) throws(SimulationError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .unreadable(path: path, reason: "cannot be opened: \(String(cString: strerror(errno)))")
        }
    }

    deinit { _ = close(descriptor) }

    /// The next line without its end, empty ones left out; nil after the last.
    mutating func next() throws(SimulationError) -> String? {
        while true {
            if let end = buffer[position...].firstIndex(of: UInt8(ascii: "\n")) {
                lineNumber += 1
                let line = text(buffer[position..<end])
                position = end + 1
                if let line { return line }
            } else if hasEnded {
                guard position < buffer.count else { return nil }
                lineNumber += 1
                let line = text(buffer[position...])
                position = buffer.count
                return line
            } else {
                try fill()
            }
        }
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> String? {
        let bytes = bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes
        return bytes.allSatisfy { $0 == UInt8(ascii: " ") } ? nil : String(decoding: bytes, as: UTF8.self)
    }

    private mutating func fill() throws(SimulationError) {
        buffer.removeFirst(position)
        position = 0
        guard buffer.count < Self.maxLineByteCount else {
            throw .malformedLine(path: path, line: lineNumber + 1, problem: "longer than a mebibyte")
        }
        let (old, size) = (buffer.count, 1 << 16)
        buffer.append(contentsOf: repeatElement(0, count: size))
        let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + old, size) }
        buffer.removeLast(size - max(count, 0))
        guard count >= 0 else {
            if errno == EINTR { return }
            throw .unreadable(path: path, reason: "cannot be read: \(String(cString: strerror(errno)))")
        }
        hasEnded = count == 0
    }
}
