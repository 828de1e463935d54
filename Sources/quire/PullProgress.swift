import ModelHub

/// Shows a download: a bar with rate and time left on a terminal, else a line for each file and for every half minute.
final class PullProgress {
    private let isTerminal = Console.isErrorTerminal
    private var totalByteCount = 0
    private var byteCount = 0
    private var meter = RateMeter()
    private var lastShown = ContinuousClock.now
    private var isBarVisible = false
    private static let width = 24

    func show(_ event: PullEvent) {
        switch event {
        case .started(let commit, let fileCount, let total, let present):
            totalByteCount = total
            byteCount = present
            meter = RateMeter()
            let rest = present == 0 ? "" : ", of which \(ByteCountText.text(present)) are there"
            line("\(fileCount) files of commit \(commit.prefix(12)), \(ByteCountText.text(total))\(rest)")
        case .progress(let file, let count):
            byteCount = count
            meter.add(count, at: .now)
            let pause: Duration = isTerminal ? .milliseconds(100) : .seconds(30)
            guard lastShown.duration(to: .now) >= pause else { return }
            lastShown = .now
            if isTerminal { showBar() } else { line("\(file): \(state)") }
        case .finished(let file, let count): line("\(file)  \(ByteCountText.text(count))")
        case .retrying(let reason, let seconds):
            line("\(reason); next attempt in \(Int(seconds.rounded(.up))) s")
        case .waiting(let file): line("\(file): waiting for another process that downloads it")
        }
    }

    /// Removes the bar.
    func end() {
        if isBarVisible { Console.errorText("\r\u{1B}[K") }
        isBarVisible = false
    }

    private func line(_ text: String) {
        end()
        Console.error(text)
    }

    private func showBar() {
        let fraction = min(Double(byteCount) / Double(max(totalByteCount, 1)), 1)
        let filled = Int(fraction * Double(Self.width))
        let bar = String(repeating: "━", count: filled) + String(repeating: "─", count: Self.width - filled)
        Console.errorText("\r\u{1B}[K\(bar) \(state)")
        isBarVisible = true
    }

    /// `42 %  2.10 GB of 4.92 GB  54 MB/s  0:52 left`
    private var state: String {
        let percent = byteCount / max(totalByteCount / 100, 1)
        var text = "\(min(percent, 100)) %  \(ByteCountText.text(byteCount)) of \(ByteCountText.text(totalByteCount))"
        guard let rate = meter.bytesPerSecond, rate > 0 else { return text }
        text += "  \(ByteCountText.text(Int(rate)))/s"
        let left = Int(min(Double(totalByteCount - byteCount) / rate, 359_999))
        let (minutes, seconds) = (left / 60 % 60, left % 60)
        let hours = left / 3600 > 0 ? "\(left / 3600):\(minutes < 10 ? "0" : "")" : ""
        return text + "  \(hours)\(minutes):\(seconds < 10 ? "0" : "")\(seconds) left"
    }
}

/// The rate of the last seconds: a moving average over samples of half a second.
struct RateMeter {
    private var sample: (byteCount: Int, instant: ContinuousClock.Instant)?
    private(set) var bytesPerSecond: Double?

    /// Takes how many bytes there are at an instant. A count below the last one starts anew.
    mutating func add(_ byteCount: Int, at instant: ContinuousClock.Instant) {
        guard let last = sample, byteCount >= last.byteCount else {
            sample = (byteCount, instant)
            bytesPerSecond = nil
            return
        }
        let seconds = last.instant.duration(to: instant) / .seconds(1)
        guard seconds >= 0.5 else { return }
        let rate = Double(byteCount - last.byteCount) / seconds
        bytesPerSecond = bytesPerSecond.map { 0.8 * $0 + 0.2 * rate } ?? rate
        sample = (byteCount, instant)
    }
}
