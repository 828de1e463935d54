/// Cuts text into the words within which byte pairs merge: a list of steps, each on the words of the one before.
struct PreTokenizer: Sendable {
    /// One cut.
    enum Step: Sendable, Equatable {
        /// Numbers apart from all else: each alone, or each run.
        case numbers(individually: Bool)
        /// Words of a known regular expression.
        case pattern(SplitPattern)
        /// A space before each word that has none.
        case leadingSpace
    }

    let steps: [Step]
    private let classes = ScalarClasses()

    /// The pre-tokenizer that applies `steps` in order.
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
