import JSON

/// The fields of a JSON object in a request. An error names the field, what was expected and what was found.
///
/// Null counts as absent, and fields that are not read are ignored, as OpenAI's clients expect. `unreadKeys` of the
/// body lists them.
typealias Fields = JSONReader<ServerError>

extension ServerError: JSONReadingError {
    init(_ mismatch: JSONMismatch) {
        let found =
            switch mismatch.found {
            // Where an object was expected, the kind of a value says more than the value.
            case .some(let value) where mismatch.expected == "an object": value.kind
            case .some(let value): value.shown
            case nil: "nothing"
            }
        let problem = "expected \(mismatch.expected), found \(found)"
        self =
            mismatch.path.isEmpty ? .invalidField(nil, "the body: \(problem)") : .invalidField(mismatch.path, problem)
    }
}

extension JSONReader where Failure == ServerError {
    /// The body of a request. Throws `invalidField` if `bytes` is not a JSON object.
    init(body bytes: [UInt8]) throws(ServerError) {
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(bytes) } catch {
            let name = error.path.reduce("") { $0.isEmpty ? $1 : Int($1) == nil ? "\($0).\($1)" : "\($0)[\($1)]" }
            throw .invalidField(
                name.isEmpty ? nil : name, "the body is not valid JSON: \(error.problem) at byte \(error.byteOffset)")
        }
        self = try JSONReader(value, recordsReads: true).object()
    }

    /// The error that `key` has `problem`.
    func error(_ key: String, _ problem: String) -> ServerError { .invalidField(path(key), problem) }

    /// A string of at most `maximumByteCount` bytes of UTF-8.
    func string(_ key: String, maximumByteCount: Int) throws(ServerError) -> String? {
        guard let text = try string(key) else { return nil }
        guard text.utf8.count <= maximumByteCount else {
            throw error(key, "at most \(maximumByteCount) bytes, found \(text.utf8.count)")
        }
        return text
    }

    /// A required string.
    func requiredString(_ key: String) throws(ServerError) -> String {
        guard let text = try string(key) else { throw error(key, "is required and must be a string") }
        return text
    }

    /// An integer in `range`. `2.0` is one, as in pydantic.
    func integer(_ key: String, in range: ClosedRange<Int>) throws(ServerError) -> Int? {
        guard let value = value(key) else { return nil }
        guard let integer = value.exactInteger, range.contains(integer) else {
            throw error(key, expected: Self.integers(range), found: value)
        }
        return integer
    }

    private static func integers(_ range: ClosedRange<Int>) -> String {
        if range == .min ... .max { return "a 64-bit integer" }
        return range.upperBound == .max
            ? "an integer of at least \(range.lowerBound)"
            : "an integer from \(range.lowerBound) to \(range.upperBound)"
    }

    /// A number in `range`.
    func number(_ key: String, in range: ClosedRange<Double>) throws(ServerError) -> Double? {
        guard let value = value(key) else { return nil }
        return try number(value, of: key, in: range)
    }

    /// The value of a member, found while iterating over all of them, as a number in `range`.
    func number(_ value: JSONValue, of key: String, in range: ClosedRange<Double>) throws(ServerError) -> Double {
        guard let number = value.double, range.contains(number) else {
            throw error(key, expected: "a number from \(range.lowerBound) to \(range.upperBound)", found: value)
        }
        return number
    }

    /// Token ids below `vocabularySize`.
    func tokens(_ key: String, vocabularySize: Int) throws(ServerError) -> [Int32]? {
        guard let values = try array(key) else { return nil }
        return try Self.tokens(values, path: path(key), vocabularySize: vocabularySize)
    }

    /// `values` as token ids below `vocabularySize`.
    static func tokens(
        _ values: [JSONValue], path: String, vocabularySize: Int
    ) throws(ServerError) -> [Int32] {
        var tokens: [Int32] = []
        tokens.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            guard let id = value.exactInteger, id >= 0, id < vocabularySize, let token = Int32(exactly: id) else {
                let problem = "expected a token id from 0 to \(vocabularySize - 1), found \(value.shown)"
                throw .invalidField("\(path)[\(index)]", problem)
            }
            tokens.append(token)
        }
        return tokens
    }
}

extension JSONValue {
    /// The value as an integer; `2.0` is one. A floating-point number beyond 2^53 is not, because it may have been
    /// rounded.
    var exactInteger: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value) where value.magnitude <= 0x1p53: Int(exactly: value)
        default: nil
        }
    }

    /// The value in an error message: numbers and booleans as written, others by kind.
    fileprivate var shown: String {
        switch self {
        case .integer(let value): "\(value)"
        case .bigInteger(let digits): String(digits.prefix(40))
        case .number(let value): "\(value)"
        case .bool(let value): "\(value)"
        default: kind
        }
    }
}
