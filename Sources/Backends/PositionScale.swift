import CLibrary

/// The factor of `DeviceOperation.positionScale`: `1 + beta * log(1 + floor(position / originalLength))`.
public struct PositionScale: Sendable, Hashable {
    public let beta: Float
    /// Positions of the first stretch, in which the factor is 1.
    public let originalLength: Int

    /// Precondition: `originalLength > 0`.
    public init(beta: Float, originalLength: Int) {
        precondition(originalLength > 0, "a length of training that is not positive")
        self.beta = beta
        self.originalLength = originalLength
    }

    /// The number of the stretch of `originalLength` positions that `position` lies in; positions of one stretch have
    /// one factor.
    public func stretch(of position: Int) -> Int { position / originalLength }

    /// The factor of `stretch`, rounded to 32 bits once.
    public func factor(ofStretch stretch: Int) -> Float {
        Float(1 + Double(beta) * log(1 + Double(stretch)))
    }

    /// The factor at `position`.
    public func factor(at position: Int) -> Float { factor(ofStretch: stretch(of: position)) }
}
