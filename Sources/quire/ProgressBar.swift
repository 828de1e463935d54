import Assembly
import Synchronization

/// A bar on the terminal for what takes long; silent when standard error is not one.
final class ProgressBar: Sendable {
    private let width = 30
    private let isShown = Console.isErrorTerminal
    private let shownPercent = Atomic(-1)

    /// Draws `fraction`, 0 to 1, of `label`, where it is another percent than before; at 1 the line is cleared.
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
