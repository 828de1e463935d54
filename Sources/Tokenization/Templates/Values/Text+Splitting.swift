extension Text {
    /// The parts between runs of white space, at most `limit` splits, from the right if so asked.
    func splitAtSpace(limit: Int?, fromRight: Bool) -> [Text] {
        let scalars = fromRight ? scalars.reversed() : scalars
        var parts: [Text] = []
        var index = 0
        while true {
            while index < scalars.count, scalars[index].isPythonSpace { index += 1 }
            guard index < scalars.count else { break }
            if let limit, parts.count >= limit {
                let rest = scalars[index...]
                parts.append(Text(fromRight ? rest.reversed() : Array(rest)))
                break
            }
            let start = index
            while index < scalars.count, !scalars[index].isPythonSpace { index += 1 }
            let part = scalars[start..<index]
            parts.append(Text(fromRight ? part.reversed() : Array(part)))
        }
        return fromRight ? parts.reversed() : parts
    }

    /// The parts between occurrences of `separator`, at most `limit` splits.
    func split(_ separator: Text, limit: Int?) -> [Text] {
        var parts: [Text] = []
        var rest = bytes[...]
        while parts.count < limit ?? Int.max, let found = Text.firstIndex(of: separator.bytes, in: rest) {
            parts.append(Text(rest[..<found]))
            rest = bytes[(found + separator.bytes.count)...]
        }
        parts.append(Text(rest))
        return parts
    }

    /// As `split`, but counting splits from the right.
    func splitFromRight(_ separator: Text, limit: Int?) -> [Text] {
        let mirrored = Text(Array(bytes.reversed())).split(Text(Array(separator.bytes.reversed())), limit: limit)
        return mirrored.reversed().map { Text(Array($0.bytes.reversed())) }
    }

    /// The lines, by every line boundary that Python knows.
    func lines(keepingEnds: Bool) -> [Text] {
        var lines: [Text] = []
        let scalars = scalars
        var start = 0
        var index = 0
        while index < scalars.count {
            guard scalars[index].isPythonLineBreak else {
                index += 1
                continue
            }
            let isPair = scalars[index] == "\r" && index + 1 < scalars.count && scalars[index + 1] == "\n"
            let end = index + (isPair ? 2 : 1)
            lines.append(Text(scalars[start..<(keepingEnds ? end : index)]))
            start = end
            index = end
        }
        if start < scalars.count { lines.append(Text(scalars[start...])) }
        return lines
    }

    /// Without leading or trailing code points that are in `set`; `nil`: white space.
    func stripped(_ set: Text?, leading: Bool, trailing: Bool) -> Text {
        let members = set.map { Set($0.scalars) }
        func drops(_ scalar: Unicode.Scalar) -> Bool { members?.contains(scalar) ?? scalar.isPythonSpace }
        let view = string.unicodeScalars
        var start = view.startIndex
        var end = view.endIndex
        if leading { while start < end, drops(view[start]) { start = view.index(after: start) } }
        if trailing {
            while start < end {
                let before = view.index(before: end)
                guard drops(view[before]) else { break }
                end = before
            }
        }
        return Text(Array(String(view[start..<end]).utf8))
    }
}

extension Unicode.Scalar {
    /// What Python's `str.isspace` and a regular expression's `\s` take for white space.
    var isPythonSpace: Bool {
        switch value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000:
            true
        default: false
        }
    }

    /// What Python's `str.splitlines` takes for the end of a line.
    var isPythonLineBreak: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }
}
