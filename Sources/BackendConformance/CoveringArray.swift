/// How many combinations of choices the suite runs.
public enum Coverage: Sendable {
    /// Every two choices that may depend on each other occur together in some case.
    case pairs
    /// Every choice occurs in some case: for devices and variants beside one that runs `pairs`.
    case each
}

/// Few combinations of the levels of several factors, which stand for all of them: pairwise testing (Cohen et al., "The AETG
/// system", 1997). Almost every fault of a kernel depends on one choice or on two, so the product of all choices finds
/// little more at many times the cost.
///
/// ```swift
/// // Types × shapes × numbers of rows: 35 of the 105 combinations have all pairs.
/// let rows = CoveringArray(levelCounts: [3, 7, 5]).rows(.pairs)
/// ```
struct CoveringArray {
    /// Levels of each factor; a factor without levels leaves no rows.
    let levelCounts: [Int]
    /// Pairs of factors whose levels need not meet, as nothing in a kernel depends on both.
    var unrelated: [(Int, Int)] = []

    /// Combinations, a level of each factor, always the same ones.
    func rows(_ coverage: Coverage) -> [[Int]] {
        guard let largest = levelCounts.max(), !levelCounts.contains(0) else { return [] }
        var search = Search(levelCounts: levelCounts, missing: Set(pairs()))
        switch coverage {
        case .pairs:
            for pair in pairs() where search.missing.contains(pair) { search.addRow(beginningWith: pair) }
            // Levels of factors that are related to none.
            while let level = search.unused { search.addRow(with: level) }
        case .each:
            for _ in 0..<largest { search.addBalancedRow() }
        }
        return search.rows
    }

    /// The pairs of levels that must occur.
    private func pairs() -> [LevelPair] {
        levelCounts.indices.flatMap { right in
            (0..<right).filter { left in
                !unrelated.contains { $0 == (left, right) || $0 == (right, left) }
            }.flatMap { left in
                (0..<levelCounts[left]).flatMap { level in
                    (0..<levelCounts[right]).map { LevelPair(factors: [left, right], levels: [level, $0]) }
                }
            }
        }
    }
}

/// Levels of two factors, the first of which is the one with the lower number.
private struct LevelPair: Hashable {
    let factors: SIMD2<Int>
    let levels: SIMD2<Int>
}

/// Rows so far, and what they leave missing.
private struct Search {
    private(set) var rows: [[Int]] = []
    private(set) var missing: Set<LevelPair>
    /// How often each level of each factor was chosen.
    private var uses: [[Int]]

    init(levelCounts: [Int], missing: Set<LevelPair>) {
        self.missing = missing
        uses = levelCounts.map { [Int](repeating: 0, count: $0) }
    }

    /// A factor and a level of it that no row has.
    var unused: (factor: Int, level: Int)? {
        for factor in uses.indices {
            if let level = uses[factor].firstIndex(of: 0) { return (factor, level) }
        }
        return nil
    }

    /// Every further factor gets the level that makes up most missing pairs with the levels chosen so far; of several, the
    /// one that was chosen least.
    mutating func addRow(beginningWith pair: LevelPair) {
        var chosen = [Int?](repeating: nil, count: uses.count)
        for index in 0..<2 { chosen[pair.factors[index]] = pair.levels[index] }
        add(chosen) { gain, useCount in (-gain, useCount) }
    }

    mutating func addRow(with level: (factor: Int, level: Int)) {
        var chosen = [Int?](repeating: nil, count: uses.count)
        chosen[level.factor] = level.level
        add(chosen) { gain, useCount in (-gain, useCount) }
    }

    /// A row of the levels that were chosen least; of several, those that make up most missing pairs.
    mutating func addBalancedRow() {
        add([Int?](repeating: nil, count: uses.count)) { gain, useCount in (useCount, -gain) }
    }

    /// Completes `chosen` by the level of each factor that comes first in the order of `rank`.
    private mutating func add(_ chosen: [Int?], rank: (_ gain: Int, _ useCount: Int) -> (Int, Int)) {
        var row = chosen
        for factor in row.indices where row[factor] == nil {
            let ranks = uses[factor].enumerated().map { level, useCount in
                rank(gain(of: level, factor, besides: row), useCount)
            }
            row[factor] = ranks.indices.min { ranks[$0] < ranks[$1] }
        }
        let levels = row.compactMap { $0 }
        for (factor, level) in levels.enumerated() {
            uses[factor][level] += 1
            for other in 0..<factor {
                missing.remove(LevelPair(factors: [other, factor], levels: [levels[other], level]))
            }
        }
        rows.append(levels)
    }

    /// Missing pairs that level `level` of factor `factor` makes up with the levels of `row`.
    private func gain(of level: Int, _ factor: Int, besides row: [Int?]) -> Int {
        row.enumerated().count { other, known in
            guard let known else { return false }
            return missing.contains(
                other < factor
                    ? LevelPair(factors: [other, factor], levels: [known, level])
                    : LevelPair(factors: [factor, other], levels: [level, known]))
        }
    }
}
