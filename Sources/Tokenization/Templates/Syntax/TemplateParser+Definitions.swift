extension TemplateParser {
    /// A name, an attribute of a namespace, or several of them with commas between.
    mutating func target(allowsNamespace: Bool) throws(TemplateError) -> Target {
        var parts: [Target] = []
        var isTuple = false
        while true {
            switch current.kind {
            case .blockEnd, .variableEnd, .symbol(.closeParenthesis): break
            default:
                parts.append(try singleTarget(allowsNamespace: allowsNamespace))
                if skip(.comma) {
                    isTuple = true
                    continue
                }
            }
            break
        }
        if !isTuple, let only = parts.first { return only }
        guard isTuple else { throw unexpected("a name") }
        return .tuple(parts)
    }

    private mutating func singleTarget(allowsNamespace: Bool) throws(TemplateError) -> Target {
        let line = line
        if skip(.openParenthesis) {
            let inner = try nested { (parser) throws(TemplateError) in
                try parser.target(allowsNamespace: allowsNamespace)
            }
            try expect(.closeParenthesis)
            return inner
        }
        let name = try expectName()
        guard Self.literal(name) == nil else { throw .syntax(line: line, reason: "'\(name)' cannot be set") }
        if allowsNamespace, skip(.dot) {
            let attribute = Text(try expectName())
            return .namespaceAttribute(name: use(name, line: line), attribute: attribute)
        }
        return .name(use(name, line: line))
    }

    mutating func loop() throws(TemplateError) -> Statement {
        let line = line
        advance()
        let target = try target(allowsNamespace: false)
        guard skip("in") else { throw unexpected("'in'") }
        let sequence = try tuple(allowsConditional: false)
        var filter: (target: Target, test: Expression, scope: Int)?
        if skip("if") { filter = (again(target), try expression(), newScope()) }
        let isRecursive = skip("recursive")
        let loopName = use("loop", line: line)
        loopDepth += 1
        let body = try body(until: "endfor", "else")
        loopDepth -= 1
        let hasElse = isAt("else")
        advance()
        // The loop around a recursive one cannot be left from it, as it is a function.
        let depth = loopDepth
        if isRecursive { loopDepth = 0 }
        let otherwise = hasElse ? try wholeBody(until: "endfor") : []
        loopDepth = depth
        return .loop(
            Loop(
                line: line, target: target, loopName: loopName, sequence: sequence, filter: filter, body: body,
                scope: newScope(), isRecursive: isRecursive, otherwise: otherwise, otherwiseScope: newScope()))
    }

    /// The same target, used once more.
    private mutating func again(_ target: Target) -> Target {
        switch target {
        case .name(let name): return .name(use(names[name].name, line: names[name].line))
        case .namespaceAttribute: return target
        case .tuple(let parts):
            var copies: [Target] = []
            for part in parts { copies.append(again(part)) }
            return .tuple(copies)
        }
    }

    mutating func macro() throws(TemplateError) -> Statement {
        let line = line
        advance()
        let name = try expectName()
        guard Self.literal(name) == nil else { throw syntax("'\(name)' cannot be set") }
        let place = use(name, line: line)
        let parameters = try signature()
        return .macro(name: place, try declaration(name, line, parameters, end: "endmacro"))
    }

    mutating func block() throws(TemplateError) -> Statement {
        advance()
        let name = try expectName()
        guard blockNames.insert(name).inserted else { throw syntax("block '\(name)' defined twice") }
        let isScoped = skip("scoped")
        guard !isAt("required") else { throw syntax("required blocks are not supported") }
        let body = try outsideLoops { (parser) throws(TemplateError) in try parser.wholeBody(until: "endblock") }
        _ = skip(name)
        return .block(body: body, scope: newScope(), isScoped: isScoped)
    }

    mutating func callBlock() throws(TemplateError) -> Statement {
        let line = line
        advance()
        let parameters = isAt(.openParenthesis) ? try signature() : []
        let call = try expression()
        guard case .call = call.node else { throw .syntax(line: line, reason: "expected a call") }
        return .call(call, try declaration("caller", line, parameters, end: "endcall"))
    }

    private typealias Parameter = (name: String, place: Int, defaultValue: Expression?)

    private mutating func signature() throws(TemplateError) -> [Parameter] {
        try expect(.openParenthesis)
        var parameters: [Parameter] = []
        while !isAt(.closeParenthesis) {
            if !parameters.isEmpty { try expect(.comma) }
            let line = line
            let name = try expectName()
            guard Self.literal(name) == nil, !parameters.contains(where: { $0.name == name }) else {
                throw .syntax(line: line, reason: "'\(name)' cannot be a parameter here")
            }
            let place = use(name, line: line)
            let defaultValue = skip(.assign) ? try expression() : nil
            guard defaultValue != nil || parameters.last?.defaultValue == nil else {
                throw .syntax(
                    line: line, reason: "the parameter '\(name)' needs a default, as the one before it has one")
            }
            parameters.append((name, place, defaultValue))
        }
        try expect(.closeParenthesis)
        return parameters
    }

    private mutating func declaration(
        _ name: String, _ line: Int, _ parameters: [Parameter], end: String
    ) throws(TemplateError) -> MacroDeclaration {
        let outer = specialNames
        specialNames = []
        let body = try outsideLoops { (parser) throws(TemplateError) in try parser.wholeBody(until: end) }
        let used = specialNames.subtracting(parameters.map(\.name))
        specialNames = outer.union(specialNames)
        return MacroDeclaration(
            name: name, line: line, parameters: parameters, body: body, scope: newScope(),
            caller: used.contains("caller") ? use("caller", line: line) : nil,
            keywords: used.contains("kwargs") ? use("kwargs", line: line) : nil,
            rest: used.contains("varargs") ? use("varargs", line: line) : nil)
    }
}
