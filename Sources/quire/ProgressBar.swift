import Assembly
import Synchronization

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
