/// A value while a template runs: Python's kinds, as far as chat templates meet them.
enum Value {
    case undefined(UndefinedValue)
    case none
    case bool(Bool)
    case int(Int)
    /// An integer that `int` cannot hold.
    case bigInteger(BigInteger)
    case double(Double)
    case text(Text)
    case sequence(SequenceValue)
    case dictionary(DictionaryValue)
    /// A place in the interpreter's table, so that a namespace that holds itself is no cycle of references.
    case namespace(Int)
    /// A place in the interpreter's table.
    case macro(Int)
    case loop(LoopState)
    case helper(TemplateHelper)
    case function(GlobalFunction)
    case method(MethodValue)

    /// How many containers are nested, counting this one.
    var depth: Int {
        switch self {
        case .sequence(let sequence): sequence.depth
        case .dictionary(let dictionary): dictionary.depth
        case .loop(let loop): loop.depth
        case .helper(let helper): helper.depth
        case .method(let method): method.receiver.depth + 1
        default: 0
        }
    }

    /// What comparing or hashing the whole value costs, in steps.
    var weight: Int {
        switch self {
        case .bigInteger(let integer): 1 + integer.digits.count / 8
        case .text(let text): 1 + text.bytes.count / 32
        case .sequence(let sequence): sequence.weight
        case .dictionary(let dictionary): dictionary.weight
        default: 1
        }
    }

    /// What looking at each element once costs, in steps.
    var work: Int {
        switch self {
        case .text(let text): text.bytes.count / 32
        case .sequence(let sequence): sequence.elements.count / 8
        case .dictionary(let dictionary): dictionary.entries.count / 4
        default: 0
        }
    }

    /// The name of its type in Python.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .int, .bigInteger: "int"
        case .double: "float"
        case .text(let text): text.isMarkup ? "Markup" : "str"
        case .sequence(let sequence): sequence.kind.rawValue
        case .dictionary: "dict"
        case .namespace: "Namespace"
        case .macro: "Macro"
        case .loop: "LoopContext"
        case .helper(let helper): helper.typeName
        case .function: "function"
        case .method: "builtin_function_or_method"
        }
    }

    var isUndefined: Bool { if case .undefined = self { true } else { false } }

    static func string(_ string: String) -> Value { .text(Text(string)) }
}

/// A value that is not there, and why: printing it gives nothing, most other uses fail.
final class UndefinedValue: Sendable {
    enum Reason: Sendable {
        case name(String)
        case attribute(of: String, name: Text)
        case unsafeAttribute(of: String, name: Text)
        case other(String)
    }
    let reason: Reason
    init(_ reason: Reason) { self.reason = reason }

    /// What is said when it is used.
    var message: String {
        switch reason {
        case .name(let name): "'\(name)' is undefined"
        case .attribute(let type, let name): "'\(type) object' has no attribute '\(name.string)'"
        case .unsafeAttribute(let type, let name):
            "access to attribute '\(name.string)' of '\(type)' object is unsafe."
        case .other(let message): message
        }
    }
}

/// A method of a value, not yet called.
final class MethodValue {
    let receiver: Value
    let name: MethodName
    init(_ receiver: Value, _ name: MethodName) {
        self.receiver = receiver
        self.name = name
    }
}

/// The functions that every template may call.
enum GlobalFunction: String, CaseIterable, Sendable {
    case range, dict, namespace, joiner, cycler, raiseException = "raise_exception", strftimeNow = "strftime_now"
}
