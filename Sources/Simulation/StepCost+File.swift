import JSON

extension StepCost {
    /// The key of each cost in a file; the curve's key is `curve`.
    private static let fields: [(key: String, property: any WritableKeyPath<StepCost, Double> & Sendable)] = [
        ("fixed_seconds", \.fixedSeconds), ("prompt_token_seconds", \.promptTokenSeconds),
        ("sequence_seconds", \.sequenceSeconds), ("context_token_seconds", \.contextTokenSeconds),
        ("prompt_pair_seconds", \.promptPairSeconds), ("move_block_seconds", \.moveBlockSeconds),
        ("move_token_seconds", \.moveTokenSeconds),
    ]

    /// The `cost` object of a file that `quire bench steps` wrote; the rest of the file is ignored. Missing costs are 0.
    /// Throws the first key that is malformed or unknown; `path` is the file's name in messages.
    public init(file bytes: [UInt8], path: String) throws(SimulationError) {
        func malformed(_ key: String, _ problem: String) -> SimulationError {
            .malformedCost(path: path, key: key, problem: problem)
        }
        let root: JSONValue
        do { root = try JSONParser.parse(bytes) } catch {
            throw .unreadable(path: path, reason: "\(error)")
        }
        guard case .object(let document) = root, case .object(let cost)? = document["cost"] else {
            throw malformed("cost", "expected an object with costs in seconds")
        }
        self.init(fixedSeconds: 0, promptTokenSeconds: 0, sequenceSeconds: 0, contextTokenSeconds: 0)
        for member in cost.members {
            let key = "cost.\(member.key)"
            if member.key == "curve" {
                curve = try Self.curve(member.value, path: path)
            } else if let field = Self.fields.first(where: { $0.key == member.key }) {
                guard let seconds = member.value.double, seconds >= 0, seconds <= 1e6 else {
                    throw malformed(key, "expected seconds from 0 to 1000000, found \(member.value.summary)")
                }
                self[keyPath: field.property] = seconds
            } else {
                throw malformed(key, "unknown; known are curve, \(Self.fields.map(\.key).joined(separator: ", "))")
            }
        }
    }

    /// Points with rising token counts and seconds that do not fall.
    private static func curve(_ value: JSONValue, path: String) throws(SimulationError) -> [Point] {
        guard case .array(let elements) = value else {
            throw .malformedCost(path: path, key: "cost.curve", problem: "expected an array, found \(value.summary)")
        }
        var points: [Point] = []
        for (index, element) in elements.enumerated() {
            guard case .object(let members) = element, case .integer(let tokens)? = members["tokens"],
                let seconds = members["seconds"]?.double, tokens > points.last?.tokenCount ?? 0, tokens <= 1 << 30,
                seconds >= points.last?.seconds ?? 0, seconds <= 1e6
            else {
                throw .malformedCost(
                    path: path, key: "cost.curve[\(index)]",
                    problem: "expected tokens and seconds, more tokens and no less seconds than before")
            }
            points.append(Point(tokenCount: tokens, seconds: seconds))
        }
        return points
    }
}
