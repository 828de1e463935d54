/// The name in `names` that `name` most likely meant: the least edits away, and at most a third of its length.
func closestName(to name: String, among names: [String]) -> String? {
    let ranked = names.map { (name: $0, distance: editDistance(name.lowercased(), $0.lowercased())) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, max(name.count, best.name.count) / 3) ? best.name : nil
}

/// Insertions, deletions and substitutions that turn `left` into `right` (Wagner and Fischer, 1974).
func editDistance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var previous = Array(0...right.count)
    for (row, character) in left.enumerated() {
        var current = [row + 1]
        for column in right.indices {
            let substitution = previous[column] + (right[column] == character ? 0 : 1)
            current.append(min(substitution, previous[column + 1] + 1, current[column] + 1))
        }
        previous = current
    }
    return previous[right.count]
}
