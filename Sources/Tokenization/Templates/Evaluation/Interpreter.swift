/// One rendering of a template: its variables, its output, and what it may still take.
final class Interpreter {
    let program: TemplateProgram
    let clock: TemplateClock
    let limits: TemplateLimits
    /// The variables that the template was given.
    var given: [Text: Value] = [:]
    var scope = Scope(slots: [], parent: nil)
    /// The scope of the whole template.
    private(set) var root = Scope(slots: [], parent: nil)
    var output: [UInt8] = []
    /// The line that runs, for errors.
    var line = 1
    var namespaces: [[(key: Text, value: Value)]] = []
    var macros: [Macro] = []
    /// What each loop's `changed` was last given, by the loop's number.
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

    /// The text that the template writes.
    func run(_ variables: [Text: TemplateValue]) throws(TemplateError) -> String {
        for (name, value) in variables { given[name] = try imported(value) }
        scope = try enter(0, parent: nil)
        root = scope
        _ = try execute(program.body)
        return String(decoding: output, as: UTF8.self)
    }

    func failure(_ reason: String) -> TemplateError { .evaluation(line: line, reason: reason) }

    func exceeded(_ reason: String) -> TemplateError { .limit(line: line, reason: reason) }

    /// Counts work.
    @inline(__always)
    func step(_ count: Int = 1) throws(TemplateError) {
        guard count <= stepsLeft else { throw exceeded("takes more than \(limits.stepCount) steps") }
        stepsLeft -= count
    }

    /// Counts bytes of values, before they are made.
    func allocate(_ byteCount: Int) throws(TemplateError) {
        guard byteCount <= valueBytesLeft else {
            valueBytesLeft = 0
            throw exceeded("makes more than \(limits.valueByteCount) bytes of values")
        }
        valueBytesLeft -= byteCount
    }

    /// Does `work` one level deeper.
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

    /// What `work` writes, instead of writing it.
    func captured(_ work: () throws(TemplateError) -> Void) throws(TemplateError) -> Text {
        let outer = output
        output = []
        defer { output = outer }
        try work()
        return Text(output)
    }
}

/// The values of one scope; `nil`: not set.
final class Scope {
    var slots: [Value?]
    let parent: Scope?
    init(slots: [Value?], parent: Scope?) {
        self.slots = slots
        self.parent = parent
    }
}

extension Interpreter {
    /// A scope as it is when it is entered.
    func enter(_ number: Int, parent: Scope?) throws(TemplateError) -> Scope {
        let count = program.layouts[number].slots.count
        try allocate(64 + 32 * count)
        let scope = Scope(slots: Array(repeating: nil, count: count), parent: parent)
        try reset(scope, number)
        return scope
    }

    /// Makes a scope what it is when it is entered, except for what whoever enters it sets.
    func reset(_ scope: Scope, _ number: Int) throws(TemplateError) {
        try step(1 + program.layouts[number].slots.count / 4)
        for (slot, initial) in program.layouts[number].slots.enumerated() {
            switch initial {
            case .parameter: break
            case .undefined: scope.slots[slot] = nil
            case .given(let name): scope.slots[slot] = given[name] ?? Interpreter.global(name)
            case .outer(let place): scope.slots[slot] = owner(place, from: scope).slots[place.slot]
            }
        }
    }

    private static func global(_ name: Text) -> Value? { GlobalFunction(rawValue: name.string).map { .function($0) } }

    func owner(_ place: NamePlace, from scope: Scope) -> Scope {
        var owner = scope
        for _ in 0..<place.hops { if let parent = owner.parent { owner = parent } }
        return owner
    }

    /// Does `work` in a scope of its own.
    func inScope<Result>(
        _ number: Int, parent: Scope? = nil, _ work: () throws(TemplateError) -> Result
    ) throws(TemplateError) -> Result {
        let outer = scope
        scope = try enter(number, parent: parent ?? outer)
        defer { scope = outer }
        return try work()
    }

    func value(ofName use: Int) -> Value {
        let place = program.places[use]
        return owner(place, from: scope).slots[place.slot] ?? .undefined(UndefinedValue(.name(program.names[use])))
    }

    func set(_ use: Int, _ value: Value) {
        let place = program.places[use]
        owner(place, from: scope).slots[place.slot] = value
    }
}
