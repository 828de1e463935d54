extension TemplateLexer {
    /// Reads text up to and including the next tag; `false`: there is no more.
    mutating func readRoot() throws(TemplateError) -> Bool {
        guard index < source.count else { return false }
        guard let tag = nextTag(from: index) else {
            emit(.data(Text(source[index...])))
            advance(to: source.count)
            return true
        }
        let kind = source[tag + 1]
        let sign = byte(at: tag + 2)
        emitData(upTo: tag, sign: sign, isVariable: kind == UInt8(ascii: "{"))
        let isSigned = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
        if kind == UInt8(ascii: "%"), let end = endOfRawBegin(tag) {
            advance(to: end)
            try readRaw()
            return true
        }
        if kind != UInt8(ascii: "#") { emit(kind == UInt8(ascii: "{") ? .variableBegin : .blockBegin) }
        advance(to: tag + (isSigned ? 3 : 2))
        if kind == UInt8(ascii: "#") {
            try readComment()
        } else {
            try readExpression(isVariable: kind == UInt8(ascii: "{"))
        }
        return true
    }

    private func nextTag(from start: Int) -> Int? {
        var position = start
        while let brace = source[position...].firstIndex(of: UInt8(ascii: "{")), brace + 1 < source.count {
            if "{%#".utf8.contains(source[brace + 1]) { return brace }
            position = brace + 1
        }
        return nil
    }

    /// Emits the text before a tag, without what the tag strips.
    private mutating func emitData(upTo tag: Int, sign: UInt8?, isVariable: Bool) {
        var data = source[index..<tag]
        if sign == UInt8(ascii: "-") {
            data = Text(data).stripped(nil, leading: false, trailing: true).bytes[...]
        } else if sign != UInt8(ascii: "+"), !isVariable {
            let newline = data.lastIndex(of: UInt8(ascii: "\n"))
            let lineStart = newline.map { $0 + 1 } ?? index
            if newline != nil || isAtLineStart, endOfSpace(lineStart) >= tag { data = source[index..<lineStart] }
        }
        if !data.isEmpty { emit(.data(Text(Array(data)))) }
        advance(to: tag)
    }

    /// Where `{% raw %}` at `tag` ends; `nil`: it is another tag.
    private func endOfRawBegin(_ tag: Int) -> Int? {
        var position = tag + 2
        if let sign = byte(at: position), sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { position += 1 }
        position = endOfSpace(position)
        guard starts(with: "raw", at: position) else { return nil }
        position = endOfSpace(position + 3)
        if starts(with: "-%}", at: position) { return endOfSpace(position + 3) }
        return starts(with: "%}", at: position) ? position + 2 : nil
    }

    private mutating func readRaw() throws(TemplateError) {
        // Jinja takes one that ends where the template ends for an empty one.
        if index == source.count { return }
        var position = index
        while let brace = source[position...].firstIndex(of: UInt8(ascii: "{")) {
            position = brace + 1
            guard byte(at: brace + 1) == UInt8(ascii: "%") else { continue }
            let sign = byte(at: brace + 2)
            var end = brace + 2
            if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { end += 1 }
            end = endOfSpace(end)
            guard starts(with: "endraw", at: end) else { continue }
            guard let after = endOfTag("%}", at: endOfSpace(end + 6)) else { continue }
            emitData(upTo: brace, sign: sign, isVariable: false)
            advance(to: after)
            return
        }
        throw syntax("'raw' does not end")
    }

    private mutating func readComment() throws(TemplateError) {
        // As with `raw`, nothing at all may follow.
        if index == source.count { return }
        var position = index
        while position < source.count {
            guard let hash = source[position...].firstIndex(of: UInt8(ascii: "#")) else { break }
            position = hash + 1
            guard byte(at: hash + 1) == UInt8(ascii: "}") else { continue }
            let signed =
                hash > index && (source[hash - 1] == UInt8(ascii: "-") || source[hash - 1] == UInt8(ascii: "+"))
            guard let end = endOfTag("#}", at: signed ? hash - 1 : hash) else { continue }
            advance(to: end)
            return
        }
        throw syntax("a comment does not end")
    }
}
