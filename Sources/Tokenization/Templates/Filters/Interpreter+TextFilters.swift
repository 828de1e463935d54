extension Interpreter {
    func applyToText(
        _ filter: FilterName, _ input: Value, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        let name = filter.rawValue
        switch filter {
        case .upper, .lower, .capitalize, .title, .wordcount:
            _ = try bind(arguments, [], name)
            let subject = try string(of: input)
            switch filter {
            case .upper: return try text(subject.uppercased)
            case .lower: return try text(subject.lowercased)
            case .capitalize: return try text(subject.capitalized)
            case .title: return try text(subject.titledWords)
            default: return .int(subject.wordCount)
            }
        case .string:
            _ = try bind(arguments, [], name)
            return try text(try string(of: input))
        case .safe:
            _ = try bind(arguments, [], name)
            return try text(try string(of: input).marked(true))
        case .escape, .forceescape:
            _ = try bind(arguments, [], name)
            let subject = try string(of: input)
            return try text(subject.isMarkup && filter == .escape ? subject : subject.escaped)
        case .trim:
            let values = try bind(arguments, ["chars"], name)
            return try text(try string(of: input).stripped(try characters(values[0]), leading: true, trailing: true))
        case .replace:
            let values = try bind(arguments, ["old", "new", "count"], required: 2, name)
            let count = values[2]?.isSomething == true ? try integer(values[2], missing: -1) : -1
            return try replaced(
                try string(of: input), try text(values[0], missing: ""), try text(values[1], missing: ""), count)
        case .format:
            guard arguments.positional.isEmpty || arguments.named.isEmpty else {
                throw failure("can't handle positional and keyword arguments at the same time")
            }
            let format = try string(of: input)
            guard !arguments.named.isEmpty else {
                return try formatted(format, try sequence(.tuple, arguments.positional))
            }
            var entries: [DictionaryValue.Entry] = []
            for argument in arguments.named { entries.append((.string(argument.name), argument.value)) }
            return try formatted(format, try dictionary(entries))
        case .center:
            let values = try bind(arguments, ["width"], name)
            return try centered(try string(of: input), try integer(values[0], missing: 80), fill: " ")
        case .indent: return try indented(input, try bind(arguments, ["width", "first", "blank"], name))
        default: return try truncated(input, arguments)
        }
    }

    /// A set of characters to strip; none: white space.
    func characters(_ value: Value?) throws(TemplateError) -> Text? {
        guard let value, value.isSomething else { return nil }
        guard case .text(let text) = value else { throw failure("strip arg must be None or str") }
        return text
    }

    func replaced(_ subject: Text, _ old: Text, _ new: Text, _ count: Int) throws(TemplateError) -> Value {
        let growth = new.bytes.count - old.bytes.count
        if growth > 0 {
            let places = old.isEmpty ? subject.bytes.count + 1 : subject.bytes.count / old.bytes.count
            let most = growth.multipliedReportingOverflow(by: count < 0 ? places : min(places, count))
            // Counting exactly costs time, so only where the estimate is large.
            if most.overflow || most.partialValue > 1 << 20 {
                let exact = growth.multipliedReportingOverflow(by: subject.occurrences(of: old))
                try allocate(exact.overflow ? Int.max : exact.partialValue)
            }
        }
        return try text(subject.replacing(old, with: new, limit: count < 0 ? nil : count))
    }

    private func indented(_ input: Value, _ values: [Value?]) throws(TemplateError) -> Value {
        guard case .text(let subject) = input else { throw failure("'indent' needs a string") }
        let prefix: Text
        if case .text(let width) = values[0] {
            prefix = width
        } else {
            let count = max(try integer(values[0], missing: 4), 0)
            try allocate(count)
            prefix = Text([UInt8](repeating: UInt8(ascii: " "), count: count))
        }
        let indentsFirst = values[1]?.isTrue ?? false
        let indentsBlank = values[2]?.isTrue ?? false
        var bytes: [UInt8] = indentsFirst ? prefix.bytes : []
        let lines = Text(subject.bytes + [UInt8(ascii: "\n")]).lines(keepingEnds: false)
        for (index, line) in lines.enumerated() {
            try allocate(prefix.bytes.count + line.bytes.count + 1)
            if index > 0 {
                bytes.append(UInt8(ascii: "\n"))
                if indentsBlank || !line.isEmpty { bytes += prefix.bytes }
            }
            bytes += line.bytes
        }
        return .text(Text(bytes, isMarkup: subject.isMarkup))
    }

    private func truncated(_ input: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["length", "killwords", "end", "leeway"], "truncate")
        let length = try integer(values[0], missing: 255)
        let end = try text(values[2], missing: "...")
        let leeway = values[3]?.isSomething == true ? try integer(values[3], missing: 5) : 5
        guard case .text(let subject) = input else { throw failure("'truncate' needs a string") }
        let keptCount = length.subtractingReportingOverflow(end.count)
        guard length >= end.count, leeway >= 0, !keptCount.overflow else {
            throw failure("'truncate' needs a length of at least \(end.count)")
        }
        if subject.count <= length.addingSaturating(leeway) { return input }
        let kept = Text(subject.scalars.prefix(keptCount.partialValue))
        if values[1]?.isTrue == true { return try text(Text(kept.bytes + end.bytes)) }
        return try text(Text(kept.splitFromRight(" ", limit: 1)[0].bytes + end.bytes))
    }

    func centered(_ subject: Text, _ width: Int, fill: Text) throws(TemplateError) -> Value {
        let count = subject.count
        guard width > count else { return .text(subject) }
        let padding = width - count
        let left = padding / 2 + (padding & width & 1)
        return try padded(subject, left: left, right: padding - left, fill: fill)
    }

    func padded(_ subject: Text, left: Int, right: Int, fill: Text) throws(TemplateError) -> Value {
        let size = fill.bytes.count.multipliedReportingOverflow(by: left.addingSaturating(right))
        try allocate(size.overflow ? Int.max : size.partialValue.addingSaturating(subject.bytes.count))
        var bytes: [UInt8] = []
        for _ in 0..<left { bytes += fill.bytes }
        bytes += subject.bytes
        for _ in 0..<right { bytes += fill.bytes }
        return .text(Text(bytes))
    }
}

extension Text {
    /// The number of runs of letters, digits and underscores.
    fileprivate var wordCount: Int {
        var count = 0
        var isInside = false
        for scalar in scalars {
            let isWord = scalar == "_" || scalar.isPythonAlphanumeric
            if isWord, !isInside { count += 1 }
            isInside = isWord
        }
        return count
    }
}
