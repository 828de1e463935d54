extension BinaryInteger {
    /// The least multiple of `unit` that is not below this number. Precondition: neither is negative, `unit` is not 0.
    @inlinable public func roundedUp(to unit: Self) -> Self { (self + unit - 1) / unit * unit }

    /// The quotient, rounded up. Precondition: neither is negative, `divisor` is not 0.
    @inlinable public func dividedUp(by divisor: Self) -> Self { (self + divisor - 1) / divisor }
}
