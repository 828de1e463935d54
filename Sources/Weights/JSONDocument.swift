public import JSON
internal import Tensors

/// A JSON file of a checkpoint whose root is an object, or an object inside of it.
typealias JSONDocument = JSONReader<WeightLoadingError>

extension JSONReader where Failure == WeightLoadingError {
    /// Reads and parses `file`. Throws `malformed` where it has more than `maxByteCount` bytes.
    public init(file: String, maxByteCount: Int = .max) throws(WeightLoadingError) {
        let memory = try mapFile(file)
        guard memory.bytes.count <= maxByteCount else {
            throw .malformed(file: file, reason: "it has \(memory.bytes.count) bytes, expected at most \(maxByteCount)")
        }
        guard !memory.bytes.isEmpty else { throw .malformed(file: file, reason: "the file is empty") }
        let value: JSONValue
        do {
            value = try withExtendedLifetime(memory) { () throws(JSONError) in
                try JSONParser.parse(memory.bytes, options: .configurations)
            }
        } catch {
            let isCutOff = error.byteOffset >= memory.bytes.count
            throw .malformed(
                file: file,
                reason: error.description + (isCutOff ? "; it was cut off, so download or copy it again" : ""))
        }
        guard case .object = value else {
            throw .malformed(file: file, reason: "the root is \(value.summary), not an object")
        }
        self.init(value, file: file)
    }

    /// The keys of the object, each once.
    var keys: Set<String> { Set(members.map(\.key)) }
}

extension JSONParser.Options {
    /// Options for configurations, as in Python: of repeated keys the last one counts, and `NaN` is a number, because
    /// `json.dump` writes it.
    static var configurations: JSONParser.Options {
        var options = JSONParser.Options()
        options.acceptsNonFiniteNumbers = true
        return options
    }

    /// Options for headers of safetensors files: a repeated name is an error.
    static var headers: JSONParser.Options {
        var options = JSONParser.Options.configurations
        options.rejectsDuplicateKeys = true
        return options
    }
}

extension JSONObject {
    /// The members by key; of repeated keys the last one counts.
    var dictionary: [String: JSONValue] {
        Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }
}
