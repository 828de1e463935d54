/// The one declaration of a key: reading, checking, showing and documenting it all come from here.
///
/// A key's default is the value that its property has in a fresh `Target`.
struct ConfigurationKey<Target>: Sendable {
    /// The name in YAML.
    var name: String
    /// One sentence for the user, without a full stop.
    var explanation: String
    /// Completes "expected …".
    var expected: String
    /// Where the default is not a value of its own: what happens without the key.
    var unset: String?
    /// A value to show where there is no default.
    var example: String?
    /// Whether the key must be given.
    var isRequired = false
    /// Whether the value must not be shown.
    var isSecret = false
    /// The backends or policies that read the key; empty: all of them.
    var scope: [String] = []
    /// Names that the key had before: still read, with a warning.
    var formerNames: [String] = []
    /// Values that have another name today, as the type knows them.
    var formerValues: [String: String] = [:]
    /// Reads a value into the target.
    var decode: @Sendable (YAMLNode, PathContext, inout Target) throws(ValueMismatch) -> Void
    /// The target's value as YAML; nil when it has none.
    var render: @Sendable (Target) -> String?

    /// A key that always has a value.
    init<Value>(
        _ name: String, _ property: any WritableKeyPath<Target, Value> & Sendable, _ type: ConfigurationType<Value>,
        _ explanation: String
    ) {
        self.init(
            name: name, explanation: explanation, expected: type.expected
        ) { node, context, target throws(ValueMismatch) in
            target[keyPath: property] = try type.decode(node, context)
        } render: {
            type.render($0[keyPath: property])
        }
        formerValues = type.formerValues
    }

    /// A key that may be absent, or null, which is the same.
    init<Value>(
        _ name: String, optional property: any WritableKeyPath<Target, Value?> & Sendable,
        _ type: ConfigurationType<Value>, unset: String, example: String, isSecret: Bool = false,
        _ explanation: String
    ) {
        self.init(
            name: name, explanation: explanation, expected: type.expected, unset: unset, example: example,
            isSecret: isSecret
        ) { node, context, target throws(ValueMismatch) in
            target[keyPath: property] = node.isNull ? nil : try type.decode(node, context)
        } render: {
            $0[keyPath: property].map(type.render)
        }
    }

    /// A key that must be given.
    init<Value>(
        _ name: String, required property: any WritableKeyPath<Target, Value> & Sendable,
        _ type: ConfigurationType<Value>, example: String, _ explanation: String
    ) {
        self.init(name, property, type, explanation)
        isRequired = true
        self.example = example
    }

    private init(
        name: String, explanation: String, expected: String, unset: String? = nil, example: String? = nil,
        isSecret: Bool = false,
        decode: @escaping @Sendable (YAMLNode, PathContext, inout Target) throws(ValueMismatch) -> Void,
        render: @escaping @Sendable (Target) -> String?
    ) {
        self.name = name
        self.explanation = explanation
        self.expected = expected
        self.unset = unset
        self.example = example
        self.isSecret = isSecret
        self.decode = decode
        self.render = render
    }
}

extension ConfigurationKey {
    /// The same key, which only `readers` read.
    func only(for readers: String...) -> ConfigurationKey {
        var key = self
        key.scope = readers
        return key
    }

    /// The same key, which is also read, with a warning, under the names that it had before.
    func formerly(_ names: String...) -> ConfigurationKey {
        var key = self
        key.formerNames = names
        return key
    }

    /// The same key seen from a value that holds the target.
    func lifted<Root>(_ section: any WritableKeyPath<Root, Target> & Sendable) -> ConfigurationKey<Root> {
        let (decode, render) = (decode, render)
        var key = ConfigurationKey<Root>(
            name: name, explanation: explanation, expected: expected, unset: unset, example: example,
            isSecret: isSecret
        ) { node, context, root throws(ValueMismatch) in
            try decode(node, context, &root[keyPath: section])
        } render: {
            render($0[keyPath: section])
        }
        key.isRequired = isRequired
        key.scope = scope
        key.formerNames = formerNames
        key.formerValues = formerValues
        return key
    }
}
