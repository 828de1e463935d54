/// Splits text into words, inside which byte pairs merge. A pre-tokenizer is a list of steps; each splits the words of
/// the step before it.
struct PreTokenizer: Sendable {
    enum Step: Sendable, Equatable {
        /// Splits numbers from other text: each digit alone, or runs of digits.
        case numbers(individually: Bool)
        /// Splits by a known regular expression.
        case pattern(SplitPattern)
        /// Adds a space before each word that does not begin with one.
        case leadingSpace
    }

    let steps: [Step]
    private let classes = ScalarClasses()

    init(steps: [Step]) { self.steps = steps }

    /// Calls `body` with each word of `text`, which is valid UTF-8, in order.
    func split(_ text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        split(text, step: 0, body)
    }

    private func split(_ text: UnsafeBufferPointer<UInt8>, step: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        guard !text.isEmpty else { return }
        guard step < steps.count else { return body(text) }
        switch steps[step] {
        case .leadingSpace:
            guard text[0] != UInt8(ascii: " ") else { return split(text, step: step + 1, body) }
            ([UInt8(ascii: " ")] + text).withUnsafeBufferPointer { split($0, step: step + 1, body) }
        case .pattern(let pattern):
            var start = 0
            while start < text.count {
                let end = pattern.end(of: text, from: start, classes)
                split(UnsafeBufferPointer(rebasing: text[start..<end]), step: step + 1, body)
                start = end
            }
        case .numbers(let individually):
            var start = 0
            while start < text.count {
                let end = numbersEnd(text, start, individually)
                split(UnsafeBufferPointer(rebasing: text[start..<end]), step: step + 1, body)
                start = end
            }
        }
    }

    private func numbersEnd(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ individually: Bool) -> Int {
        let (first, length) = classes.kind(at: start, of: text)
        let isNumber = first.contains(.numeric)
        var index = start + length
        if isNumber, individually { return index }
        while index < text.count {
            let (kind, length) = classes.kind(at: index, of: text)
            guard kind.contains(.numeric) == isNumber else { break }
            index += length
        }
        return index
    }
}
