import FoundationEssentials
import Testing

@testable import Comparison

@Suite("The reference's distributions on disk")
struct DistributionFileTests {
    private func write(_ path: String, rows: Int = 3, finishes: Bool = true) throws {
        let writer = try DistributionWriter(path: path, identity: "me", vocabularySize: 4)
        for row in 0..<rows {
            var numbers = (0..<4).map { Float(row * 4 + $0) }
            try numbers.withUnsafeMutableBufferPointer { try writer.append($0) }
        }
        if finishes { try writer.finish() }
    }

    @Test("what was written is read, row by row, and no further")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/d"
        try write(path)
        let reader = try DistributionReader(path: path, identity: "me")
        #expect(reader.vocabularySize == 4 && reader.rowCount == 3)
        for row in 0..<3 {
            let numbers = try reader.next { Array($0) }
            #expect(numbers == (0..<4).map { Float(row * 4 + $0) })
        }
        #expect(throws: ComparisonError.self) { try reader.next { $0.count } }
    }

    @Test("another's, an unfinished, a shortened, a longer or a damaged file is not taken")
    func refused() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/d"
        #expect(!DistributionFile.isComplete(path, identity: "me"))
        try write(path)
        #expect(
            DistributionFile.isComplete(path, identity: "me") && !DistributionFile.isComplete(path, identity: "you"))
        let whole = try #require(FileManager.default.contents(atPath: path))
        for bytes in [whole.dropLast(), whole + [0], whole.prefix(63), whole.prefix(0)] {
            let other = try folder.file("other", bytes)
            #expect(!DistributionFile.isComplete(other, identity: "me"))
        }
        // Sizes that are negative, zero or so large that their product overflows.
        for place in 0..<DistributionFile.headerByteCount {
            for value: UInt8 in [0x00, 0x7F, 0xFF] where whole[place] != value {
                var bytes = whole
                bytes[place] = value
                let other = try folder.file("other", bytes)
                #expect(!DistributionFile.isComplete(other, identity: "me"), "byte \(place) as \(value)")
            }
        }
        try write(path, finishes: false)
        #expect(!DistributionFile.isComplete(path, identity: "me"))
    }
}
