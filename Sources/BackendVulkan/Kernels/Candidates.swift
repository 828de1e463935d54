import Backends
import CLibrary
import SharedValues

/// The most likely tokens of each segment of a row of logits (`candidates_segment.comp`).
struct CandidateSegmentKernel: Kernel {
    enum Binding: KernelBinding { case rows, logits, records }

    struct Parameters: KernelParameters {
        var width: UInt32
        var segmentSize: UInt32
        var segmentCount: UInt32
    }

    static let operations = [
        KernelOperation(
            "candidates_segment",
            .reducing(
                "candidates_segment", [PackageResources.candidates_glsl, PackageResources.candidates_segment_comp]))
    ]

    let segmentSize: Int

    var definitions: ShaderDefinitions { CandidateGroup.definitions(itemCount: segmentSize) }

    /// The second of two rows of 300 numbers, one of which is no number and two of which are equal.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        var row = SelfTestCase.numbers(300, seed: 40).map { $0 * 10 }
        row[7] = .nan
        row[200] = row[11]
        return SelfTestCase(
            Self.self,
            bindings: [
                .rows: [1, CandidateGroup.testScale.bitPattern],
                .logits: SelfTestCase.bits([Float](repeating: 99, count: 300) + row),
                .records: SelfTestCase.unwritten(CandidateTable.recordCount),
            ],
            parameters: Parameters(width: 300, segmentSize: 512, segmentCount: 1), rowCount: 1, output: .records,
            expected: CandidateGroup.record(of: row, ids: Array(0..<300)), read: { CandidateGroup.numbers(of: $0) })
    }
}

/// The most likely tokens of a row, from those of its segments (`candidates_merge.comp`).
struct CandidateMergeKernel: Kernel {
    enum Binding: KernelBinding { case rows, segments, records }

    struct Parameters: KernelParameters {
        var segmentCount: UInt32
    }

    static let operations = [
        KernelOperation(
            "candidates_merge",
            .reducing("candidates_merge", [PackageResources.candidates_glsl, PackageResources.candidates_merge_comp]))
    ]

    let segmentCount: Int

    var definitions: ShaderDefinitions {
        CandidateGroup.definitions(itemCount: segmentCount * RankedTokens.maximumCount)
    }

    /// Two segments of a row, the second of which has few numbers.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let rows = [
            SelfTestCase.numbers(RankedTokens.maximumCount, seed: 41), SelfTestCase.numbers(9, seed: 42),
        ]
        let ids = rows.indices.map { index in Array(index * 512..<index * 512 + rows[index].count) }
        let (first, maxCount) = (CandidateTable.headerCount, RankedTokens.maximumCount)
        var segments: [UInt32] = []
        for (row, ids) in zip(rows, ids) {
            // What lies behind the numbers of a segment must not matter.
            segments += CandidateGroup.record(of: row, ids: ids).enumerated().map { index, number in
                switch index {
                case 2..<4: UInt32(number)
                case first..<first + maxCount: UInt32(number)
                default: Float(number).bitPattern
                }
            }
        }
        return SelfTestCase(
            Self.self,
            bindings: [
                .rows: [0, CandidateGroup.testScale.bitPattern], .segments: segments,
                .records: SelfTestCase.unwritten(CandidateTable.recordCount),
            ],
            parameters: Parameters(segmentCount: 2), rowCount: 1, output: .records,
            expected: CandidateGroup.record(of: rows[0] + rows[1], ids: ids[0] + ids[1]),
            read: { CandidateGroup.numbers(of: $0) })
    }
}

/// What both kernels share, whose workgroups look for the best of some numbers.
enum CandidateGroup {
    /// Invocations of a workgroup; every device takes as many.
    static let size = 128

    static func definitions(itemCount: Int) -> ShaderDefinitions {
        ["GROUP": size, "ITEMS": itemCount.dividedUp(by: size), "COUNT": RankedTokens.maximumCount]
    }

    /// The inverse temperature of self-tests.
    static let testScale: Float = 0.5

    /// The record of a row, every word as a number.
    static func record(of row: [Float], ids: [Int]) -> [Double] {
        let order = row.indices.filter { row[$0] == row[$0] }.sorted { (row[$1], $0) < (row[$0], $1) }
        let largest = Double(row[order[0]])
        func sum(_ scale: Double) -> Double { order.reduce(0) { $0 + exp((Double(row[$1]) - largest) * scale) } }
        let best = order.prefix(RankedTokens.maximumCount)
        let rest = [Double](repeating: 0, count: RankedTokens.maximumCount - best.count)
        return [sum(1), sum(Double(testScale)), Double(best.count), 0] + best.map { Double(ids[$0]) } + rest
            + best.map { Double(row[$0]) } + rest
    }

    /// The words of a record as numbers; what lies behind the candidates as zeros.
    static func numbers(of words: [UInt32]) -> [Float] {
        let (first, maxCount) = (CandidateTable.headerCount, RankedTokens.maximumCount)
        let count = min(Int(words[2]), maxCount)
        return words.enumerated().map { index, word in
            switch index {
            case 0, 1: Float(bitPattern: word)
            case 2: Float(word)
            case first..<first + count: Float(word)
            case first + maxCount..<first + maxCount + count: Float(bitPattern: word)
            default: 0
            }
        }
    }
}

extension KernelShapes {
    /// How a row of logits is split: numbers of a segment, and segments.
    struct Segments: Hashable {
        let size: Int
        let count: Int
    }

    /// As many segments as the merge can take at once, or fewer that are worth a workgroup each.
    static func segments(width: Int) -> Segments {
        let size = max(1024, width.dividedUp(by: 64).roundedUp(to: CandidateGroup.size))
        return Segments(size: size, count: width.dividedUp(by: size))
    }

    /// Whether the device looks for the most likely tokens. Where it is the host's CPU, the host does so faster.
    var reducesSamples: Bool { !capabilities.isProcessor }
}

extension ProgramBuilder {
    /// The most likely tokens of rows whose logits the host does not need: of each segment, then of all.
    mutating func reduceSamples() throws(BackendError) {
        guard let records = memory.segments, let logits = plan.logits else { return }
        let width = plan[logits].width
        let segments = KernelShapes.segments(width: width)
        let rows = batch.range(.reducedSamples)
        let search = Dispatch(
            CandidateSegmentKernel.self, try kernels(for: CandidateSegmentKernel(segmentSize: segments.size)),
            bindings: [.rows: rows, .logits: memory.logits, .records: records],
            parameters: .init(
                width: UInt32(width), segmentSize: UInt32(segments.size), segmentCount: UInt32(segments.count)),
            rows: .reducedSamples, groupCount: segments.count, label: "candidates \(width)",
            bytesPerRow: (width + segments.count * CandidateTable.recordCount) * 4, workPerRow: 4 * width)
        append([search], reading: [memory.logits], writing: [records])
        let merge = Dispatch(
            CandidateMergeKernel.self, try kernels(for: CandidateMergeKernel(segmentCount: segments.count)),
            bindings: [.rows: rows, .segments: records, .records: batch.candidates],
            parameters: .init(segmentCount: UInt32(segments.count)), rows: .reducedSamples, groupCount: 1,
            label: "candidates, merged", bytesPerRow: (segments.count + 1) * CandidateTable.recordCount * 4)
        append([merge], reading: [records], writing: [batch.candidates])
    }
}
