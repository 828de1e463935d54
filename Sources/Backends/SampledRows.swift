public import SharedValues

/// What the host wants of one sample row.
public struct RowRequest: Sendable, Hashable {
    /// With a number, the most likely tokens suffice, with the sums behind their probabilities at this inverse
    /// temperature. A device whose logits the host can read anyway may return the logits instead. Nil: all logits.
    public var inverseTemperature: Float?

    public init(inverseTemperature: Float? = nil) { self.inverseTemperature = inverseTemperature }
}

/// Logits of a batch's sample rows, `[samples, vocabularySize]`, or what a device has made of them; a window into the
/// prepared plan's memory, valid until its next `submit`.
public struct SampledRows: Sendable {
    /// As many rows as the batch requests.
    public let rowCount: Int
    /// Numbers in a row.
    public let vocabularySize: Int
    private let logits: MemoryRange
    private let candidates: CandidateTable?

    /// `rowCount` rows at the start of `logits`, 32-bit floats the host can address; `candidates` stands for those that
    /// the device has reduced.
    public init(rowCount: Int, vocabularySize: Int, logits: MemoryRange, candidates: CandidateTable? = nil) {
        precondition(rowCount * vocabularySize * 4 <= logits.byteCount && logits.hostPointer != nil)
        self.rowCount = rowCount
        self.vocabularySize = vocabularySize
        self.logits = logits
        self.candidates = candidates
    }

    /// Lends the logits of row `row`, `[vocabularySize]`; a sampler may overwrite them. Where `rankedTokens(of:)` has an
    /// answer, they are not there before `PreparedPlan.fetchLogits(of:)`.
    public func withRow<R, E: Error>(
        _ row: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws(E) -> R
    ) throws(E) -> R {
        precondition(row >= 0 && row < rowCount, "row \(row) of \(rowCount)")
        let start = logits.hostPointer?.advanced(by: row * vocabularySize * 4).assumingMemoryBound(to: Float.self)
        return try body(UnsafeMutableBufferPointer(start: start, count: vocabularySize))
    }

    /// The most likely tokens of row `row`, where the device has found them; nil where its logits are there. Valid until
    /// the plan's next run.
    public func rankedTokens(of row: Int) -> RankedTokens? {
        precondition(row >= 0 && row < rowCount, "row \(row) of \(rowCount)")
        return candidates?.rankedTokens(of: row, vocabularySize: vocabularySize)
    }
}

/// Records of reduced rows, one after another, in memory that the host can address; and which row has which.
public struct CandidateTable: Sendable {
    /// Words before a record's ids: the two sums, how many candidates there are, and one unused.
    public static let headerCount = 4
    /// Words of a record: the header, ids, logits.
    public static let recordCount = headerCount + 2 * RankedTokens.maximumCount

    private let records: MemoryRange
    private let indices: [Int32]

    /// Row `r` has record `indices[r]`, or none where that is negative.
    public init(records: MemoryRange, indices: [Int32]) {
        precondition(records.hostPointer != nil, "records out of the host's reach")
        self.records = records
        self.indices = indices
    }

    func rankedTokens(of row: Int, vocabularySize: Int) -> RankedTokens? {
        let index = Int(indices[row])
        guard index >= 0, let start = records.hostPointer else { return nil }
        let record = start + index * Self.recordCount * 4
        let count = Int(record.load(fromByteOffset: 8, as: UInt32.self))
        let ids = record + Self.headerCount * 4
        let logits = ids + RankedTokens.maximumCount * 4
        return RankedTokens(
            tokens: UnsafeBufferPointer(start: ids.assumingMemoryBound(to: Int32.self), count: count),
            logits: UnsafeBufferPointer(start: logits.assumingMemoryBound(to: Float.self), count: count),
            sum: record.load(as: Float.self), temperedSum: record.load(fromByteOffset: 4, as: Float.self),
            vocabularySize: vocabularySize)
    }
}
