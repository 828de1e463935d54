/// The filters that templates may use.
enum FilterName: String, CaseIterable, Sendable {
    case abs, attr, batch, capitalize, center, `default`, dictsort, escape, first, float, forceescape, format, groupby
    case indent, int, items, join, last, length, list, lower, map, max, min, reject, rejectattr, replace, reverse
    case round, safe, select, selectattr, sort, string, sum, title, tojson, trim, truncate, unique, upper, wordcount

    /// The filter that a template calls `spelling`.
    init?(spelling: String) {
        switch spelling {
        case "d": self = .default
        case "e": self = .escape
        case "count": self = .length
        default: self.init(rawValue: spelling)
        }
    }
}

/// The tests that templates may use.
enum TestName: String, CaseIterable, Sendable {
    case boolean, callable, defined, divisibleby, escaped, even, `false`, filter, float, `in`, integer, iterable, lower
    case mapping, none, number, odd, sameas, sequence, string, test, `true`, undefined, upper
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual

    /// The test that a template calls `spelling`.
    init?(spelling: String) {
        switch spelling {
        case "==", "eq", "equalto": self = .equal
        case "!=", "ne": self = .notEqual
        case "<", "lt", "lessthan": self = .less
        case "<=", "le": self = .lessOrEqual
        case ">", "gt", "greaterthan": self = .greater
        case ">=", "ge": self = .greaterOrEqual
        case "equal", "notEqual", "less", "lessOrEqual", "greater", "greaterOrEqual": return nil
        default: self.init(rawValue: spelling)
        }
    }

    /// The comparison that it is.
    var comparison: ComparisonOperator? {
        switch self {
        case .equal: .equal
        case .notEqual: .notEqual
        case .less: .less
        case .lessOrEqual: .lessOrEqual
        case .greater: .greater
        case .greaterOrEqual: .greaterOrEqual
        default: nil
        }
    }
}
