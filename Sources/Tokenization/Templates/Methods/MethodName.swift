/// The methods that Python's own kinds have; those that no template uses are known, so that they hide keys of the
/// same name after a dot as they do in Jinja, but cannot be called.
enum MethodName: String, Sendable {
    case capitalize, casefold, center, count, encode, endswith, expandtabs, find, format, index, isalnum, isalpha
    case isascii, isdecimal, isdigit, isidentifier, islower, isnumeric, isprintable, isspace, istitle, isupper, join
    case ljust, lower, lstrip, maketrans, partition, removeprefix, removesuffix, replace, rfind, rindex, rjust
    case rpartition, rsplit, rstrip, split, splitlines, startswith, strip, swapcase, title, translate, upper, zfill
    case formatMap = "format_map"
    case clear, copy, fromkeys, get, items, keys, pop, popitem, setdefault, update, values
    case append, extend, insert, remove, reverse, sort
    case cycle, changed
    case next, reset, decode

    /// Whether values of this kind have the method.
    func belongs(to value: Value) -> Bool {
        switch value {
        case .text: isOfText
        case .dictionary: isOfDictionary
        case .sequence(let sequence):
            switch sequence.kind {
            case .list: isOfList
            case .tuple, .range: self == .count || self == .index
            case .bytes: self == .decode || self == .count || self == .index
            case .generator, .keys, .values, .items: false
            }
        case .loop: self == .cycle || self == .changed
        case .helper(let helper):
            if case .cycler = helper.kind { self == .next || self == .reset } else { false }
        default: false
        }
    }

    private var isOfText: Bool {
        switch self {
        case .clear, .copy, .fromkeys, .get, .items, .keys, .pop, .popitem, .setdefault, .update, .values: false
        case .append, .extend, .insert, .remove, .reverse, .sort, .cycle, .changed, .next, .reset, .decode: false
        default: true
        }
    }

    private var isOfDictionary: Bool {
        switch self {
        case .clear, .copy, .fromkeys, .get, .items, .keys, .pop, .popitem, .setdefault, .update, .values: true
        default: false
        }
    }

    private var isOfList: Bool {
        switch self {
        case .append, .clear, .copy, .count, .extend, .index, .insert, .pop, .remove, .reverse, .sort: true
        default: false
        }
    }

    /// Whether it would change `value`, which the sandbox forbids.
    func changes(_ value: Value) -> Bool {
        switch value {
        case .dictionary: [.clear, .pop, .popitem, .setdefault, .update].contains(self)
        case .sequence(let sequence) where sequence.kind == .list:
            [.append, .clear, .extend, .insert, .pop, .remove, .reverse, .sort].contains(self)
        default: false
        }
    }
}
