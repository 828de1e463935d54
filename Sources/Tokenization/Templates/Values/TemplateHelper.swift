/// What `joiner` and `cycler` make: values that change as they are used.
final class TemplateHelper {
    enum Kind {
        /// Gives nothing at first and then its separator, each time it is called.
        case joiner(separator: Value)
        /// Gives its items in turn.
        case cycler(items: SequenceValue)
    }
    let kind: Kind
    /// How often a joiner was called, up to once; where a cycler stands.
    var position = 0

    init(_ kind: Kind) { self.kind = kind }

    var typeName: String {
        switch kind {
        case .joiner: "Joiner"
        case .cycler: "Cycler"
        }
    }

    var depth: Int {
        switch kind {
        case .joiner(let separator): separator.depth + 1
        case .cycler(let items): items.depth + 1
        }
    }

    /// The attribute of that name, if it has one.
    func attribute(_ name: String) -> Value? {
        switch (kind, name) {
        case (.joiner(let separator), "sep"): separator
        case (.joiner, "used"): .bool(position > 0)
        case (.cycler(let items), "items"): .sequence(items)
        case (.cycler(let items), "current"): items.elements[position]
        case (.cycler, "pos"): .int(position)
        default: nil
        }
    }
}

extension Interpreter {
    func makeJoiner(_ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["sep"], "joiner")
        return try checked(.helper(TemplateHelper(.joiner(separator: values[0] ?? .text(", ")))), count: 1)
    }

    func makeCycler(_ arguments: CallArguments) throws(TemplateError) -> Value {
        guard arguments.named.isEmpty, !arguments.positional.isEmpty else {
            throw failure("at least one item has to be provided")
        }
        let items = SequenceValue(.tuple, arguments.positional)
        return try checked(.helper(TemplateHelper(.cycler(items: items))), count: items.elements.count)
    }

    func call(_ helper: TemplateHelper, _ arguments: CallArguments) throws(TemplateError) -> Value {
        guard case .joiner(let separator) = helper.kind else { throw failure("'Cycler' object is not callable") }
        _ = try bind(arguments, [], "joiner")
        defer { helper.position = 1 }
        return helper.position == 0 ? .text("") : separator
    }

    /// A cycler's `next` and `reset`.
    func call(
        _ method: MethodName, of helper: TemplateHelper, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        guard case .cycler(let items) = helper.kind else { throw failure("'Joiner' object has no method '\(method)'") }
        _ = try bind(arguments, [], method.rawValue)
        guard method == .next else {
            helper.position = 0
            return .none
        }
        defer { helper.position = (helper.position + 1) % items.elements.count }
        return items.elements[helper.position]
    }
}
