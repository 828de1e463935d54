import JSON

/// A trace in a file: JSON lines, or CSV with a line of column names; the first line decides which.
///
/// Memory does not grow with the file. Arrivals start at 0 with the first request; one that is earlier than its
/// predecessor arrives with it.
public struct TraceFile: Trace, ~Copyable {
    private var lines: LineReader
    /// Nil for JSON lines.
    private var columns: [TraceColumns.Column?]?
    private var pending: String?
    private var firstArrival: Double?
    private var lastArrival = 0.0

    /// Opens `path` and reads its first line. Throws if it is not a trace.
    public init(path: String) throws(SimulationError) {
        var reader = try LineReader(path: path)
        guard let first = try reader.next() else { throw .unreadable(path: path, reason: "is empty") }
        if first.first != "{" { columns = try Self.columns(first, path: path) } else { pending = first }
        lines = reader
    }

    private static func columns(_ line: String, path: String) throws(SimulationError) -> [TraceColumns.Column?] {
        let names = TraceFields.split(line)
        let columns = names.map { TraceColumns.column(named: $0) }
        for needed in [TraceColumns.Column.arrival, .prompt, .output] where !columns.contains(needed) {
            throw .missingColumn(path: path, column: needed.rawValue, found: names)
        }
        return columns
    }

    /// The next line's request. Throws the number of a malformed line and its problem.
    public mutating func next() throws(SimulationError) -> TraceRequest? {
        while let line = try nextLine() {
            let fields = try fields(of: line)
            var request = TraceRequest(
                arrivalSeconds: try arrival(fields[.arrival]), promptCount: try count(fields[.prompt], .prompt),
                outputCount: try count(fields[.output], .output))
            // Failed requests of BurstGPT and similar traces have no answer: nothing to simulate.
            guard request.promptCount > 0, request.outputCount > 0 else { continue }
            request.tenant = fields[.tenant] ?? ""
            if let text = fields[.priority] { request.priority = try integer(text, .priority) }
            if let text = fields[.deadline] { request.deadlineSeconds = Double(try integer(text, .deadline)) / 1000 }
            if let prefix = fields[.prefix] {
                request.prefixID = prefix
                let given = try fields[.prefixTokens].map { text throws(SimulationError) in
                    try integer(text, .prefixTokens)
                }
                request.prefixCount = min(max(given ?? request.promptCount / 2, 0), request.promptCount)
            }
            return request
        }
        return nil
    }

    private mutating func nextLine() throws(SimulationError) -> String? {
        if let line = pending {
            pending = nil
            return line
        }
        return try lines.next()
    }

    private func fields(of line: String) throws(SimulationError) -> [TraceColumns.Column: String] {
        var fields: [TraceColumns.Column: String] = [:]
        guard let columns else {
            for (name, text) in try members(of: line) {
                if let column = TraceColumns.column(named: name) { fields[column] = text }
            }
            return fields
        }
        for (column, text) in zip(columns, TraceFields.split(line)) {
            if let column, !text.isEmpty { fields[column] = text }
        }
        return fields
    }

    private func members(of line: String) throws(SimulationError) -> [String: String] {
        let members: [String: String]?
        do throws(JSONError) { members = try TraceFields.object(line) } catch { throw problem(error.description) }
        guard let members else { throw problem("expected a JSON object") }
        return members
    }

    private mutating func arrival(_ text: String?) throws(SimulationError) -> Double {
        guard let text, let seconds = Double(text) ?? CalendarTime.seconds(text), seconds.isFinite,
            abs(seconds) < 1e12
        else { throw problem("expected seconds or a date as arrival, found '\(text ?? "nothing")'") }
        let start = firstArrival ?? seconds
        firstArrival = start
        lastArrival = max(lastArrival, seconds - start)
        return lastArrival
    }

    private func count(_ text: String?, _ column: TraceColumns.Column) throws(SimulationError) -> Int {
        let value = try integer(text ?? "", column)
        guard (0...(1 << 24)).contains(value) else {
            throw problem("expected 0 to \(1 << 24) tokens as \(column.rawValue), found \(value)")
        }
        return value
    }

    private func integer(_ text: String, _ column: TraceColumns.Column) throws(SimulationError) -> Int {
        guard let value = Int(text) ?? Double(text).flatMap({ Int(exactly: $0.rounded()) }) else {
            throw problem("expected a number as \(column.rawValue), found '\(text)'")
        }
        return value
    }

    private func problem(_ sentence: String) -> SimulationError {
        .malformedLine(path: lines.path, line: lines.lineNumber, problem: sentence)
    }
}
