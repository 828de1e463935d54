import CLibrary
import Synchronization

/// The two streams of a command: results and everything else.
enum Console {
    /// Whether standard error is a terminal, where a progress bar makes sense.
    static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Writes `text` to standard output at once, without a line end.
    static func write(_ text: String) {
        write(text, to: STDOUT_FILENO)
    }

    /// Writes a line to standard error.
    static func error(_ line: String) {
        write(line + "\n", to: STDERR_FILENO)
    }

    /// Writes `text` to standard error, without a line end.
    static func errorText(_ text: String) {
        write(text, to: STDERR_FILENO)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let start = rest.baseAddress, !rest.isEmpty {
                #if canImport(Glibc)
                    let count = Glibc.write(descriptor, start, rest.count)
                #else
                    let count = Darwin.write(descriptor, start, rest.count)
                #endif
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }
}

/// A progress bar on standard error; silent where that is no terminal.
final class ProgressBar: Sendable {
    private let width = 30
    private let isShown = Console.isErrorTerminal
    private let shownPercent = Atomic(-1)

    /// Draws `fraction`, 0 to 1, of `label` where its percentage has changed; at 1 the line is cleared.
    func show(_ label: String, _ fraction: Double) {
        let percent = Int(fraction * 100)
        guard isShown, shownPercent.exchange(percent, ordering: .relaxed) != percent else { return }
        guard percent < 100 else {
            Console.errorText("\r\u{1B}[K")
            return
        }
        let filled = Int(fraction * Double(width))
        let bar = String(repeating: "━", count: filled) + String(repeating: "─", count: width - filled)
        Console.errorText("\r\u{1B}[K\(label) \(bar) \(percent) %")
    }
}
