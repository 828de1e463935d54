import SharedValues
import Testing

@Suite("Shared values")
struct SharedValuesTests {
    /// The first numbers of the published generator (Vigna's splitmix64.c) for the seed 1234567.
    @Test("SplitMix64 gives the published numbers")
    func splitMix64() {
        var random = SplitMix64(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect(expected.allSatisfy { random.next() == $0 })
    }

    @Test("drawn numbers stay in their ranges")
    func ranges() {
        var random = SplitMix64(seed: 3)
        #expect((0..<1000).allSatisfy { _ in (0..<7).contains(random.next(below: 7)) })
        #expect(random.floats(1000, bound: 2).allSatisfy { abs($0) <= 2 })
    }

    @Test("rounding up agrees with its definition", arguments: 1...9)
    func rounding(unit: Int) {
        for number in 0...40 {
            let multiple = number.roundedUp(to: unit)
            #expect(multiple % unit == 0 && multiple >= number && multiple - unit < number)
            #expect(number.dividedUp(by: unit) * unit == multiple)
        }
    }
}
