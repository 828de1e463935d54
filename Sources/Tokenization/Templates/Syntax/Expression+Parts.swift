extension Expression {
    /// The expressions directly in it, in the order of the text.
    var parts: [Expression] {
        switch node {
        case .literal, .name: []
        case .list(let parts), .tuple(let parts), .concatenation(let parts): parts
        case .dictionary(let entries): entries.flatMap { [$0.key, $0.value] }
        case .unary(_, let operand), .attribute(let operand, _): [operand]
        case .arithmetic(_, let left, let right), .and(let left, let right), .or(let left, let right),
            .item(let left, let right):
            [left, right]
        case .comparison(let first, let others): [first] + others.map(\.1)
        case .conditional(let test, let then, let otherwise): [test, then] + (otherwise.map { [$0] } ?? [])
        case .slice(let object, let start, let stop, let step): [object] + [start, stop, step].compactMap { $0 }
        case .call(let callee, let arguments): [callee] + arguments.all
        case .filter(let input, let use): (input.map { [$0] } ?? []) + use.arguments.all
        case .test(let operand, let use): [operand] + use.arguments.all
        }
    }
}
