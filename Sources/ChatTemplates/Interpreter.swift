import JSON

/// One rendering of a template: its variables, its output, and what is left of its limits.
final class Interpreter {
    let program: TemplateProgram
    let clock: TemplateClock
    let limits: TemplateLimits
    /// The variables that the caller passes to the template.
    var given: [Text: Value] = [:]
    var scope = Scope(values: [], parent: nil)
    /// The scope of the whole template.
    private(set) var root = Scope(values: [], parent: nil)
    var output: [UInt8] = []
    /// The current line of the template, for errors.
    var line = 1
    var namespaces: [[(key: Text, value: Value)]] = []
    var macros: [Macro] = []
    /// The last arguments of each loop's `changed`, by the loop's serial number.
    var changes: [Int: [Value]] = [:]
    var loopCount = 0
    private var stepsLeft: Int
    private var valueBytesLeft: Int
    private var depth = 0

    /// A macro with the scope in which it was defined.
    struct Macro {
        let declaration: MacroDeclaration
        let scope: Scope
    }

    init(_ program: TemplateProgram, clock: TemplateClock, limits: TemplateLimits) {
        self.program = program
        self.clock = clock
        self.limits = limits
        stepsLeft = limits.stepCount
        valueBytesLeft = limits.valueByteCount
    }

    /// Executes the template; returns the text that it writes.
    func run(_ variables: [Text: JSONValue]) throws(TemplateError) -> String {
        for (name, value) in variables { given[name] = try imported(value) }
        scope = try enter(0, parent: nil)
        root = scope
        _ = try execute(program.body)
        return String(decoding: output, as: UTF8.self)
    }

    func failure(_ reason: String) -> TemplateError { .evaluation(line: line, reason: reason) }

    func exceeded(_ reason: String) -> TemplateError { .limit(line: line, reason: reason) }

    /// Counts `count` steps of work; throws when the limit is exceeded.
    @inline(__always)
    func step(_ count: Int = 1) throws(TemplateError) {
        guard count <= stepsLeft else { throw exceeded("takes more than \(limits.stepCount) steps") }
        stepsLeft -= count
    }

    /// Counts the bytes of a value before it is created; throws when the limit is exceeded.
    func allocate(_ byteCount: Int) throws(TemplateError) {
        guard byteCount <= valueBytesLeft else {
            valueBytesLeft = 0
            throw exceeded("makes more than \(limits.valueByteCount) bytes of values")
        }
        valueBytesLeft -= byteCount
    }

    /// Runs `work` one level deeper; throws when the nesting exceeds the limit.
    @inline(__always)
    func deeper<Result>(_ work: () throws(TemplateError) -> Result) throws(TemplateError) -> Result {
        depth += 1
        defer { depth -= 1 }
        if depth > limits.evaluationDepth { throw exceeded("nests more than \(limits.evaluationDepth) deep") }
        return try work()
    }

    func write(_ bytes: [UInt8]) throws(TemplateError) {
        guard bytes.count <= limits.outputByteCount - output.count else {
            throw exceeded("writes more than \(limits.outputByteCount) bytes")
        }
        try allocate(bytes.count)
        output.append(contentsOf: bytes)
    }

    /// Runs `work` and returns what it writes instead of appending it to the output.
    func captured(_ work: () throws(TemplateError) -> Void) throws(TemplateError) -> Text {
        let outer = output
        output = []
        defer { output = outer }
        try work()
        return Text(output)
    }
}

/// The values of one scope's variables; `nil`: not set.
final class Scope {
    var values: [Value?]
    let parent: Scope?
    init(values: [Value?], parent: Scope?) {
        self.values = values
        self.parent = parent
    }
}

extension Interpreter {
    /// A new scope with the initial values of its variables.
    func enter(_ number: Int, parent: Scope?) throws(TemplateError) -> Scope {
        let count = program.layouts[number].variables.count
        try allocate(64 + 32 * count)
        let scope = Scope(values: Array(repeating: nil, count: count), parent: parent)
        try reset(scope, number)
        return scope
    }

    /// Gives a scope's variables their initial values, except for parameters, which the caller sets.
    func reset(_ scope: Scope, _ number: Int) throws(TemplateError) {
        try step(1 + program.layouts[number].variables.count / 4)
        for (index, initial) in program.layouts[number].variables.enumerated() {
            switch initial {
            case .parameter: break
            case .undefined: scope.values[index] = nil
            case .given(let name): scope.values[index] = given[name] ?? Interpreter.global(name)
            case .outer(let location): scope.values[index] = owner(location, from: scope).values[location.index]
            }
        }
    }

    private static func global(_ name: Text) -> Value? { GlobalFunction(rawValue: name.string).map { .function($0) } }

    func owner(_ location: VariableLocation, from scope: Scope) -> Scope {
        var owner = scope
        for _ in 0..<location.hops { if let parent = owner.parent { owner = parent } }
        return owner
    }

    /// Runs `work` in a new scope.
    func inScope<Result>(
        _ number: Int, parent: Scope? = nil, _ work: () throws(TemplateError) -> Result
    ) throws(TemplateError) -> Result {
        let outer = scope
        scope = try enter(number, parent: parent ?? outer)
        defer { scope = outer }
        return try work()
    }

    func value(ofName use: Int) -> Value {
        let location = program.locations[use]
        return owner(location, from: scope).values[location.index]
            ?? .undefined(UndefinedValue(.name(program.names[use])))
    }

    func set(_ use: Int, _ value: Value) {
        let location = program.locations[use]
        owner(location, from: scope).values[location.index] = value
    }
}

/// Creating values, which are counted against the limits first.
extension Interpreter {
    func text(_ text: Text) throws(TemplateError) -> Value {
        try allocate(32 + text.bytes.count)
        return .text(text)
    }

    /// A list, tuple or other sequence. Its nesting is limited, because releasing a very deep value overflows the
    /// stack.
    func sequence(_ kind: SequenceValue.Kind, _ elements: [Value]) throws(TemplateError) -> Value {
        try checked(.sequence(SequenceValue(kind, elements)), count: elements.count)
    }

    func list(_ elements: [Value]) throws(TemplateError) -> Value { try sequence(.list, elements) }

    func texts(_ texts: [Text]) throws(TemplateError) -> Value {
        var elements: [Value] = []
        elements.reserveCapacity(texts.count)
        for text in texts { elements.append(try self.text(text)) }
        return try list(elements)
    }

    func dictionary(_ entries: [DictionaryValue.Entry]) throws(TemplateError) -> Value {
        for entry in entries {
            guard entry.key.isHashable else { throw failure("a '\(entry.key.typeName)' cannot be a key") }
            try step(entry.key.weight)
        }
        return try checked(.dictionary(DictionaryValue(entries)), count: entries.count * 3)
    }

    func method(_ receiver: Value, _ name: MethodName) throws(TemplateError) -> Value {
        try checked(.method(MethodValue(receiver, name)), count: 1)
    }

    func checked(_ value: Value, count: Int) throws(TemplateError) -> Value {
        try allocate(64 + 16 * count)
        guard value.depth <= limits.valueDepth else {
            throw exceeded("makes values that nest more than \(limits.valueDepth) deep")
        }
        return value
    }

    func undefined(_ message: String) -> Value { .undefined(UndefinedValue(.other(message))) }

    /// A variable of the caller as a value of the interpreter.
    func imported(_ value: JSONValue, depth: Int = 0) throws(TemplateError) -> Value {
        guard depth < limits.valueDepth else {
            throw exceeded("is given values that nest more than \(limits.valueDepth) deep")
        }
        switch value {
        case .null: return .none
        case .bool(let bool): return .bool(bool)
        case .integer(let int): return .int(int)
        case .bigInteger(let digits):
            guard let integer = BigInteger(digits) else { throw failure("'\(digits.prefix(40))' is no integer") }
            try step(digits.utf8.count)
            return try number(integer)
        case .number(let double): return .double(double)
        case .string(let string): return .string(string)
        case .array(let elements):
            var values: [Value] = []
            values.reserveCapacity(elements.count)
            for element in elements { values.append(try imported(element, depth: depth + 1)) }
            return .sequence(SequenceValue(.list, values))
        case .object(let object):
            var entries: [DictionaryValue.Entry] = []
            entries.reserveCapacity(object.members.count)
            for member in object.members {
                entries.append((.string(member.key), try imported(member.value, depth: depth + 1)))
            }
            return .dictionary(DictionaryValue(entries))
        }
    }

    /// The elements over which a loop over `value` iterates.
    func elements(_ value: Value) throws(TemplateError) -> [Value] {
        switch value {
        case .undefined: return []
        case .sequence(let sequence): return sequence.elements
        case .text(let text):
            try step(text.bytes.count / 8)
            try allocate(text.bytes.count * 48)
            return text.marked(false).characters.map { .text($0) }
        case .dictionary(let dictionary):
            try step(dictionary.entries.count / 8)
            try allocate(dictionary.entries.count * 16)
            return dictionary.entries.map(\.key)
        case .loop: throw failure("loops cannot be looped over")
        default: throw failure("'\(value.typeName)' object is not iterable")
        }
    }
}

/// Converting values to text.
extension Interpreter {
    /// Python's `str(value)`, which is also what `{{ value }}` writes.
    func string(of value: Value) throws(TemplateError) -> Text {
        switch value {
        case .text(let text): return text
        case .undefined: return ""
        default:
            var bytes: [UInt8] = []
            try represent(value, &bytes)
            return Text(bytes)
        }
    }

    /// Appends Python's `repr(value)`.
    func represent(_ value: Value, _ bytes: inout [UInt8]) throws(TemplateError) {
        let start = bytes.count
        try step()
        switch value {
        case .undefined: bytes += "Undefined".utf8
        case .none: bytes += "None".utf8
        case .bool(let bool): bytes += (bool ? "True" : "False").utf8
        case .int(let int): bytes += String(int).utf8
        case .bigInteger(let integer): bytes += try digits(of: integer).utf8
        case .double(let double): bytes += PythonNumber.repr(double).utf8
        case .text(let text):
            bytes += text.isMarkup ? "Markup(\(text.quoted))".utf8 : text.quoted.utf8
        case .sequence(let sequence): return try represent(sequence, &bytes)
        case .dictionary(let dictionary): return try represent(dictionary.entries, &bytes)
        case .namespace(let index):
            bytes += "<Namespace ".utf8
            try represent(namespaces[index].map { (.text($0.key), $0.value) }, &bytes)
            bytes += ">".utf8
        case .macro(let index): bytes += "<Macro '\(macros[index].declaration.name)'>".utf8
        case .loop(let loop): bytes += "<LoopContext \(loop.index + 1)/\(loop.elements.count)>".utf8
        case .helper(let helper): bytes += "<jinja2.utils.\(helper.typeName) object>".utf8
        case .function(let function): bytes += "<function \(function.rawValue)>".utf8
        case .method(let method):
            bytes += "<built-in method \(method.name.rawValue) of \(method.receiver.typeName) object>".utf8
        }
        try allocate(bytes.count - start)
    }

    private func represent(_ sequence: SequenceValue, _ bytes: inout [UInt8]) throws(TemplateError) {
        let (opening, closing): (String, String)
        switch sequence.kind {
        case .list: (opening, closing) = ("[", "]")
        case .tuple: (opening, closing) = ("(", sequence.elements.count == 1 ? ",)" : ")")
        case .keys, .values, .items: (opening, closing) = ("\(sequence.kind.rawValue)([", "])")
        case .range:
            let (start, stop, step) = sequence.bounds
            bytes += "range(\(start), \(stop)\(step == 1 ? "" : ", \(step)"))".utf8
            return
        case .bytes:
            try allocate(4 * sequence.elements.count)
            bytes += EncodedBytes(sequence).quoted.utf8
            return
        case .generator:
            bytes += "<generator object>".utf8
            return
        }
        bytes += opening.utf8
        try deeper { () throws(TemplateError) in
            for (index, element) in sequence.elements.enumerated() {
                if index > 0 { bytes += ", ".utf8 }
                try represent(element, &bytes)
            }
        }
        bytes += closing.utf8
        try allocate(opening.utf8.count + closing.utf8.count + 2 * sequence.elements.count)
    }

    private func represent(_ entries: [DictionaryValue.Entry], _ bytes: inout [UInt8]) throws(TemplateError) {
        bytes += "{".utf8
        try deeper { () throws(TemplateError) in
            for (index, entry) in entries.enumerated() {
                if index > 0 { bytes += ", ".utf8 }
                try represent(entry.key, &bytes)
                bytes += ": ".utf8
                try represent(entry.value, &bytes)
            }
        }
        bytes += "}".utf8
        try allocate(2 + 4 * entries.count)
    }
}

extension Interpreter {
    /// How a statement ends.
    enum Flow { case normal, `break`, `continue` }

    func execute(_ body: [Statement]) throws(TemplateError) -> Flow {
        for statement in body {
            let flow = try deeper { () throws(TemplateError) in try execute(statement) }
            if flow != .normal { return flow }
        }
        return .normal
    }

    private func execute(_ statement: Statement) throws(TemplateError) -> Flow {
        try step()
        switch statement {
        case .text(let text): try write(text.bytes)
        case .output(let expression): try print(expression)
        case .conditional(let branches, let otherwise): return try choose(branches, otherwise)
        case .loop(let loop): return try run(loop)
        case .set(let target, let value, let line):
            let value = try evaluate(value)
            self.line = line
            try assign(value, to: target)
        case .setBlock(let target, let filter, let body, let scope, let line):
            let (text, flow) = try block(body, scope: scope, filter: filter)
            guard flow == .normal else { return flow }
            self.line = line
            try assign(text, to: target)
        case .macro(let name, let declaration): set(name, try define(declaration))
        case .call(let call, let declaration): try write(call, declaration)
        case .filterBlock(let filter, let body, let scope):
            let (text, flow) = try block(body, scope: scope, filter: filter)
            guard flow == .normal else { return flow }
            try write(string(of: text).bytes)
        case .with(let assignments, let body, let scope): return try run(assignments, body, scope)
        case .generation(let body, let scope):
            _ = try inScope(scope) { () throws(TemplateError) in try execute(body) }
        case .block(let body, let scope, let isScoped):
            _ = try inScope(scope, parent: isScoped ? nil : root) { () throws(TemplateError) in try execute(body) }
        case .break: return .break
        case .continue: return .continue
        }
        return .normal
    }

    private func print(_ expression: Expression) throws(TemplateError) {
        let value = try evaluate(expression)
        if case .text(let text) = value { return try write(text.bytes) }
        try write(string(of: value).bytes)
    }

    private func choose(
        _ branches: [(test: Expression, body: [Statement])], _ otherwise: [Statement]
    ) throws(TemplateError) -> Flow {
        for branch in branches where try isTrue(branch.test) { return try execute(branch.body) }
        return try execute(otherwise)
    }

    func isTrue(_ expression: Expression) throws(TemplateError) -> Bool { try evaluate(expression).isTrue }

    /// The text that a block writes, after its filters.
    private func block(
        _ body: [Statement], scope: Int, filter: Expression?
    ) throws(TemplateError) -> (Value, Flow) {
        try inScope(scope) { () throws(TemplateError) -> (Value, Flow) in
            var flow = Flow.normal
            let text = try captured { () throws(TemplateError) in flow = try execute(body) }
            guard let filter, flow == .normal else { return (.text(text), flow) }
            return (try apply(filter, toBlock: .text(text)), flow)
        }
    }

    private func write(_ call: Expression, _ declaration: MacroDeclaration) throws(TemplateError) {
        guard case .call(let callee, let arguments) = call.node else { return }
        let caller = try define(declaration)
        let value = try evaluateCall(callee, arguments, line: call.line, caller: caller)
        try write(string(of: value).bytes)
    }

    private func run(
        _ assignments: [(target: Target, value: Expression)], _ body: [Statement], _ scope: Int
    ) throws(TemplateError) -> Flow {
        var values: [Value] = []
        for assignment in assignments { values.append(try evaluate(assignment.value)) }
        return try inScope(scope) { () throws(TemplateError) in
            for (assignment, value) in zip(assignments, values) { try assign(value, to: assignment.target) }
            return try execute(body)
        }
    }

    func assign(_ value: Value, to target: Target) throws(TemplateError) {
        switch target {
        case .name(let name): set(name, value)
        case .namespaceAttribute(let name, let attribute):
            guard case .namespace(let index) = self.value(ofName: name) else {
                throw failure("cannot set an attribute of '\(program.names[name])', which is no namespace")
            }
            try allocate(attribute.bytes.count + 32)
            try step(namespaces[index].count / 8)
            setAttribute(attribute, ofNamespace: index, value)
        case .tuple(let targets):
            let elements = try elements(value)
            guard elements.count == targets.count else {
                throw failure("cannot unpack \(elements.count) values into \(targets.count)")
            }
            for (target, element) in zip(targets, elements) { try assign(element, to: target) }
        }
    }

    private func setAttribute(_ attribute: Text, ofNamespace namespace: Int, _ value: Value) {
        if let index = namespaces[namespace].firstIndex(where: { $0.key == attribute }) {
            namespaces[namespace][index].value = value
        } else {
            namespaces[namespace].append((attribute, value))
        }
    }
}

/// Loops.
extension Interpreter {
    func run(_ loop: Loop) throws(TemplateError) -> Flow {
        line = loop.line
        let sequence = try evaluate(loop.sequence)
        line = loop.line
        return try run(loop, over: sequence, level: 0)
    }

    private func run(_ loop: Loop, over sequence: Value, level: Int) throws(TemplateError) -> Flow {
        var elements = try elements(sequence)
        if let filter = loop.filter { elements = try filtered(elements, filter) }
        // Jinja executes `else` unless an iteration reached the end of the body. `continue` and `break` skip that end,
        // so a loop whose iterations all do so executes `else` as well.
        if try !iterate(loop, over: elements, depth: sequence.depth + 1, level: level) {
            return try inScope(loop.otherwiseScope) { () throws(TemplateError) in try execute(loop.otherwise) }
        }
        return .normal
    }

    /// Executes the body for each element. Returns whether at least one iteration reached the end of the body.
    private func iterate(
        _ loop: Loop, over elements: [Value], depth: Int, level: Int
    ) throws(TemplateError) -> Bool {
        guard !elements.isEmpty else { return false }
        loopCount += 1
        let state = LoopState(
            elements, depth: depth, serial: loopCount, level: level, recursion: loop.isRecursive ? (loop, scope) : nil)
        _ = try checked(.loop(state), count: 0)
        return try inScope(loop.scope) { () throws(TemplateError) in
            var reachesEnd = false
            for (index, element) in elements.enumerated() {
                try step()
                if index > 0 { try reset(scope, loop.scope) }
                state.index = index
                set(loop.loopName, .loop(state))
                line = loop.line
                try assign(element, to: loop.target)
                let flow = try execute(loop.body)
                if flow == .normal { reachesEnd = true }
                if flow == .break { break }
            }
            return reachesEnd
        }
    }

    /// The text that a recursive loop writes when the template calls it with other elements.
    func call(_ state: LoopState, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["iterable"], required: 1, "loop")
        guard let (loop, outer) = state.recursion else {
            throw failure("The loop must have the 'recursive' marker to be called recursively.")
        }
        let inner = scope
        scope = outer
        defer { scope = inner }
        return try deeper { () throws(TemplateError) in
            .text(
                try captured { () throws(TemplateError) in
                    _ = try run(loop, over: values[0] ?? .none, level: state.level + 1)
                })
        }
    }

    private func filtered(
        _ elements: [Value], _ filter: (target: Target, test: Expression, scope: Int)
    ) throws(TemplateError) -> [Value] {
        try inScope(filter.scope) { () throws(TemplateError) in
            var kept: [Value] = []
            for element in elements {
                try step()
                try assign(element, to: filter.target)
                if try isTrue(filter.test) { kept.append(element) }
            }
            return kept
        }
    }

    /// The attribute `name` of `loop`; `nil`: there is none.
    func attribute(_ name: Text, of loop: LoopState) -> Value? {
        let count = loop.elements.count
        switch name.string {
        case "index": return .int(loop.index + 1)
        case "index0": return .int(loop.index)
        case "revindex": return .int(count - loop.index)
        case "revindex0": return .int(count - loop.index - 1)
        case "first": return .bool(loop.index == 0)
        case "last": return .bool(loop.index == count - 1)
        case "length": return .int(count)
        case "depth": return .int(loop.level + 1)
        case "depth0": return .int(loop.level)
        case "previtem":
            return loop.index > 0 ? loop.elements[loop.index - 1] : undefined("there is no previous item")
        case "nextitem":
            return loop.index + 1 < count ? loop.elements[loop.index + 1] : undefined("there is no next item")
        default: return nil
        }
    }

    /// `loop.cycle` and `loop.changed`.
    func call(_ name: MethodName, of loop: LoopState, _ arguments: CallArguments) throws(TemplateError) -> Value {
        guard arguments.named.isEmpty else { throw failure("'\(name.rawValue)' takes no named arguments") }
        let values = arguments.positional
        if name == .cycle {
            guard !values.isEmpty else { throw failure("no items for cycling given") }
            return values[loop.index % values.count]
        }
        let last = changes[loop.serial]
        for value in values { try step(value.weight) }
        try allocate(16 * values.count)
        changes[loop.serial] = values
        return .bool(last != values)
    }
}

/// The evaluated arguments of a call.
struct CallArguments {
    var positional: [Value] = []
    var named: [(name: String, value: Value)] = []

    /// Removes and returns the argument `name`.
    mutating func take(_ name: String) -> Value? {
        guard let index = named.firstIndex(where: { $0.name == name }) else { return nil }
        return named.remove(at: index).value
    }
}

extension Interpreter {
    /// Stores a macro with the scope in which it is defined, and returns a reference to it.
    func define(_ declaration: MacroDeclaration) throws(TemplateError) -> Value {
        try allocate(256)
        macros.append(Macro(declaration: declaration, scope: scope))
        return .macro(macros.count - 1)
    }

    /// Calls a macro; returns the text that it writes.
    func call(macro index: Int, _ given: CallArguments) throws(TemplateError) -> Value {
        let macro = macros[index]
        let declaration = macro.declaration
        var arguments = given
        let parameters = declaration.parameters
        return try deeper { () throws(TemplateError) in
            try inScope(declaration.scope, parent: macro.scope) { () throws(TemplateError) in
                var missing: [Int] = []
                for (index, parameter) in parameters.enumerated() {
                    if index < given.positional.count {
                        set(parameter.variable, given.positional[index])
                    } else if let value = arguments.take(parameter.name) {
                        set(parameter.variable, value)
                    } else {
                        missing.append(index)
                    }
                }
                for index in missing { try setDefault(parameters[index]) }
                try setSpecial(declaration, &arguments)
                return .text(try captured { () throws(TemplateError) in _ = try execute(declaration.body) })
            }
        }
    }

    private func setDefault(
        _ parameter: (name: String, variable: Int, defaultValue: Expression?)
    ) throws(TemplateError) {
        if let value = parameter.defaultValue {
            set(parameter.variable, try evaluate(value))
        } else {
            set(parameter.variable, undefined("parameter '\(parameter.name)' was not provided"))
        }
    }

    /// Sets `caller`, `kwargs` and `varargs` if the macro uses them. Throws for arguments that no parameter takes.
    private func setSpecial(
        _ declaration: MacroDeclaration, _ arguments: inout CallArguments
    ) throws(TemplateError) {
        if let caller = declaration.caller {
            let value = arguments.take("caller")
            if case .some(let value) = value, !isNone(value) {
                set(caller, value)
            } else {
                set(caller, undefined("No caller defined"))
            }
        }
        if let keywords = declaration.keywords {
            var entries: [DictionaryValue.Entry] = []
            for argument in arguments.named { entries.append((.string(argument.name), argument.value)) }
            set(keywords, try dictionary(entries))
        } else if let extra = arguments.named.first {
            throw failure("macro '\(declaration.name)' takes no keyword argument '\(extra.name)'")
        }
        let rest = arguments.positional.dropFirst(declaration.parameters.count)
        if let variable = declaration.rest {
            set(variable, try sequence(.tuple, Array(rest)))
        } else if !rest.isEmpty {
            throw failure(
                "macro '\(declaration.name)' takes not more than \(declaration.parameters.count) argument(s)")
        }
    }

    private func isNone(_ value: Value) -> Bool { if case .none = value { true } else { false } }
}
