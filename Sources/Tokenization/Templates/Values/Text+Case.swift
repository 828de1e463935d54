extension Text {
    var uppercased: Text {
        if isASCII { return Text(bytes.map { (0x61...0x7A).contains($0) ? $0 - 32 : $0 }) }
        return Text(scalars.flatMap { Array($0.properties.uppercaseMapping.unicodeScalars) })
    }

    var lowercased: Text {
        if isASCII { return Text(bytes.map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 }) }
        let scalars = scalars
        return Text(scalars.indices.flatMap { Text.lowercase(scalars, $0) })
    }

    /// Python's `str.title`: upper case after anything that has no case.
    var titlecased: Text {
        let scalars = scalars
        var result: [Unicode.Scalar] = []
        var followsCased = false
        for index in scalars.indices {
            result += followsCased ? Text.lowercase(scalars, index) : Text.titlecase(scalars[index])
            followsCased = scalars[index].properties.isCased
        }
        return Text(result)
    }

    /// Python's `str.capitalize`.
    var capitalized: Text {
        let scalars = scalars
        return Text(scalars.indices.flatMap { $0 == 0 ? Text.titlecase(scalars[0]) : Text.lowercase(scalars, $0) })
    }

    /// Jinja's `title`: upper case after space, hyphen and opening brackets only.
    var titledWords: Text {
        let scalars = scalars
        var result: [Unicode.Scalar] = []
        var wordStart = 0
        func flush(_ end: Int) {
            guard wordStart < end else { return }
            let word = Array(scalars[wordStart..<end])
            result += word[0].properties.uppercaseMapping.unicodeScalars
            let rest = Array(word.dropFirst())
            result += rest.indices.flatMap { Text.lowercase(rest, $0) }
        }
        for (index, scalar) in scalars.enumerated() {
            guard scalar.isPythonSpace || "-({[<".unicodeScalars.contains(scalar) else { continue }
            flush(index)
            result.append(scalar)
            wordStart = index + 1
        }
        flush(scalars.count)
        return Text(result)
    }

    /// Upper case lowered, lower case raised.
    var swapcased: Text {
        let scalars = scalars
        return Text(
            scalars.indices.flatMap { index in
                let properties = scalars[index].properties
                if properties.isUppercase { return Text.lowercase(scalars, index) }
                return properties.isLowercase ? Array(properties.uppercaseMapping.unicodeScalars) : [scalars[index]]
            })
    }

    /// Whether there is a cased code point and every one is of that case.
    func isAllCase(upper: Bool) -> Bool {
        var found = false
        for scalar in scalars {
            let properties = scalar.properties
            if upper ? properties.isLowercase : properties.isUppercase { return false }
            if properties.generalCategory == .titlecaseLetter { return false }
            found = found || (upper ? properties.isUppercase : properties.isLowercase)
        }
        return found
    }

    private static func titlecase(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        Array(scalar.properties.titlecaseMapping.unicodeScalars)
    }

    /// The lower case of one code point; a capital sigma that ends a word becomes a final sigma.
    private static func lowercase(_ scalars: [Unicode.Scalar], _ index: Int) -> [Unicode.Scalar] {
        guard scalars[index] == "\u{3A3}" else {
            return Array(scalars[index].properties.lowercaseMapping.unicodeScalars)
        }
        let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        let isFinal = before?.properties.isCased == true && after?.properties.isCased != true
        return [isFinal ? "\u{3C2}" : "\u{3C3}"]
    }
}

extension Text {
    /// Python's `str.istitle`: capitals only, and always, after anything that has no case.
    var isTitle: Bool {
        var hasCased = false
        var followsCased = false
        for scalar in scalars {
            let isCapital = scalar.properties.isUppercase || scalar.properties.generalCategory == .titlecaseLetter
            guard isCapital || scalar.properties.isLowercase else {
                followsCased = false
                continue
            }
            if isCapital == followsCased { return false }
            followsCased = true
            hasCased = true
        }
        return hasCased
    }
}
