import Comparison

/// What `quire compare` asks of a worker, as JSON in a file.
struct CompareJob: Codable {
    let part: ComparisonPart
    let config: String
    let overrides: [String]
    let inputs: ComparisonInputs
    let settings: ComparisonSettings
    let distributions: DistributionUse?
}
