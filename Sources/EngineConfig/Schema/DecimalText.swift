/// Finite decimal numbers: no hexadecimal, `nan` or `inf`, which Swift's own parser would take.
enum DecimalText {
    /// The number, or nil.
    static func parse(_ text: String) -> Double? {
        guard text.utf8.allSatisfy({ allowed.contains($0) }) else { return nil }
        return Double(text).flatMap { $0.isFinite ? $0 : nil }
    }

    /// The shortest text that `parse` reads back to the same number; whole numbers without a fraction.
    static func text(_ number: Double) -> String {
        abs(number) < 1e15 ? Int(exactly: number).map { String($0) } ?? String(number) : String(number)
    }

    private static let allowed = Set("0123456789+-.eE".utf8)
}
