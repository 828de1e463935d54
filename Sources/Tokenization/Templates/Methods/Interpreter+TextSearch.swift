extension Interpreter {
    /// `startswith`, `endswith`, `find`, `index`, their mirror images and `count`.
    func search(_ method: MethodName, _ text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let name = method.rawValue
        guard arguments.named.isEmpty else { throw failure("\(name)() takes no keyword arguments") }
        let values = try bind(arguments, ["sub", "start", "end"], required: 1, name)
        guard let range = try range(of: text, values[1], values[2]) else {
            switch method {
            case .startswith, .endswith: return .bool(false)
            case .count: return .int(0)
            case .find, .rfind: return .int(-1)
            default: throw failure("substring not found")
            }
        }
        if method == .startswith || method == .endswith {
            return .bool(try touches(method, text.bytes[range], values[0] ?? .none))
        }
        guard case .text(let part)? = values[0] else { throw failure("\(name)() argument must be str") }
        if method == .count { return .int(Text(text.bytes[range]).occurrences(of: part)) }
        let isForward = method == .find || method == .index
        let found =
            isForward
            ? Text.firstIndex(of: part.bytes, in: text.bytes[range])
            : Text.lastIndex(of: part.bytes, in: text.bytes[range])
        if let found { return .int(Text.count(text.bytes[..<found])) }
        guard method == .find || method == .rfind else { throw failure("substring not found") }
        return .int(-1)
    }

    private func touches(
        _ method: MethodName, _ bytes: ArraySlice<UInt8>, _ affixes: Value
    ) throws(TemplateError) -> Bool {
        var candidates = [affixes]
        if case .sequence(let sequence) = affixes, sequence.kind == .tuple { candidates = sequence.elements }
        for candidate in candidates {
            guard case .text(let affix) = candidate else {
                throw failure("\(method.rawValue) first arg must be str or a tuple of str, not \(candidate.typeName)")
            }
            try step(1 + affix.bytes.count / 32)
            if method == .startswith ? bytes.starts(with: affix.bytes) : Text(bytes).ends(with: affix.bytes) {
                return true
            }
        }
        return false
    }

    /// The bytes between two places, counted in code points; `nil`: the start is beyond the end.
    private func range(of text: Text, _ start: Value?, _ end: Value?) throws(TemplateError) -> Range<Int>? {
        let bounds = [start, end].map { $0?.isSomething == true ? $0 : nil }
        guard bounds[0] != nil || bounds[1] != nil else { return 0..<text.bytes.count }
        let count = text.count
        func clamped(_ bound: Value?, missing: Int) throws(TemplateError) -> Int {
            let place = try integer(bound, missing: missing)
            return place < 0 ? max(place.addingSaturating(count), 0) : place
        }
        let first = try clamped(bounds[0], missing: 0)
        let last = min(try clamped(bounds[1], missing: count), count)
        guard first <= last else { return nil }
        return text.offset(of: first)..<text.offset(of: last)
    }
}

extension Text {
    /// Where the code point at a place begins.
    fileprivate func offset(of place: Int) -> Int {
        var left = place
        for (index, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 {
            if left == 0 { return index }
            left -= 1
        }
        return bytes.count
    }
}
