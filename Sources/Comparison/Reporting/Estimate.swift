/// A mean with its standard error, taken as if the values were independent.
public struct Estimate: Sendable, Hashable, Encodable {
    /// The estimate.
    public let value: Double
    /// Its standard error; 0 for a single value.
    public let standardError: Double

    init(value: Double, standardError: Double) {
        self.value = value
        self.standardError = standardError
    }

    /// The mean of `values`; nil where there are none.
    init?(meanOf values: [Double]) {
        guard !values.isEmpty else { return nil }
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        value = mean
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        standardError = values.count > 1 ? (squares / (count - 1) / count).squareRoot() : 0
    }

    /// `exp` of a mean; the error by its derivative.
    var exponential: Estimate {
        let power = Exponential.of(value)
        return Estimate(value: power, standardError: power * standardError)
    }
}
