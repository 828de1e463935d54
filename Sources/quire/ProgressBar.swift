import Assembly

/// A bar on the terminal for what takes long; silent when standard error is not one.
struct ProgressBar {
    private let width = 30
    private let isShown = Console.isErrorTerminal

    /// Draws `fraction`, 0 to 1, of `label`; at 1 the line is cleared.
    func show(_ label: String, _ fraction: Double) {
        guard isShown else { return }
        guard fraction < 1 else {
            Console.errorText("\r\u{1B}[K")
            return
        }
        let filled = Int(fraction * Double(width))
        let bar = String(repeating: "━", count: filled) + String(repeating: "─", count: width - filled)
        Console.errorText("\r\u{1B}[K\(label) \(bar) \(Int(fraction * 100)) %")
    }
}
