/// Unicode scalars by their names, for the escape `\\N{BULLET}`.
enum ScalarNames {
    /// The scalar of a name in capitals; `nil`: none has it.
    static func scalar(named name: String) -> UInt32? {
        let ideograph = "CJK UNIFIED IDEOGRAPH-"
        if name.hasPrefix(ideograph), let value = UInt32(name.dropFirst(ideograph.count), radix: 16),
            let scalar = Unicode.Scalar(value), scalar.properties.name == name
        {
            return value
        }
        return values[name]
    }

    /// Made when the first template asks for it, as few do.
    private static let values: [String: UInt32] = {
        var values: [String: UInt32] = [:]
        for value in UInt32(0)..<0x2_0000 {
            guard let properties = Unicode.Scalar(value)?.properties else { continue }
            if let name = properties.name, !name.hasPrefix("CJK UNIFIED") { values[name] = value }
            if let alias = properties.nameAlias { values[alias] = value }
        }
        return values
    }()
}
