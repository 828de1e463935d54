import CPUKernels

/// An instruction set that there are kernels for, slowest first.
public enum InstructionSet: String, Sendable, Hashable, CaseIterable {
    case portable, avx2, avx512, avx512vnni, avx512bf16

    /// The fastest one that this CPU has.
    public static var best: InstructionSet {
        allCases.last(where: \.isAvailable) ?? .portable
    }

    /// Whether this CPU has it.
    public var isAvailable: Bool { kernels != nil }

    /// Its kernels; nil where this CPU lacks it.
    var kernels: UnsafePointer<quire_kernels>? {
        switch self {
        case .portable: quire_kernels_for(.portable)
        case .avx2: quire_kernels_for(.avx2)
        case .avx512: quire_kernels_for(.avx512)
        case .avx512vnni: quire_kernels_for(.avx512vnni)
        case .avx512bf16: quire_kernels_for(.avx512bf16)
        }
    }
}
