import CLibrary

/// Exponentials and roots for files that use Foundation's names.
enum Exponential {
    static func of(_ value: Float) -> Float { expf(value) }
    static func of(_ value: Double) -> Double { exp(value) }
}
