import Comparison

/// A worker's task in `quire compare`, as JSON in a file.
struct CompareJob: Codable {
    let part: ComparisonPart
    let config: String
    let overrides: [String]
    let inputs: ComparisonInputs
    let settings: ComparisonSettings
    let distributions: DistributionUse?
}
