/// What a kernel is given: the part of its GLSL that is generated.
protocol KernelInterface {
    /// The storage buffers, in the order of their binding numbers.
    associatedtype Binding: KernelBinding
    /// The push constants.
    associatedtype Parameters: KernelParameters
}

/// A kernel for one device and model: what it computes, the GLSL that it is compiled from, and how it is tested.
///
/// One file of `Kernels` holds a kernel whole: its buffers, its parameters, its variants, its definitions, how it is
/// dispatched and its self-test. The GLSL of its `.comp` file is complete together with what `KernelSource` puts before
/// it: a `#define` for each definition, a `…_BINDING` for each binding, and the block of parameters.
protocol Kernel: KernelInterface, Sendable {
    /// What kernels of this type compute, as `quire devices` lists it.
    static var operations: [KernelOperation] { get }
    /// What this one computes: one of `operations`.
    var operation: KernelOperation { get }
    /// What the GLSL is compiled for.
    var definitions: ShaderDefinitions { get }
    /// Whether it unpacks 16-bit scales, which drivers may get wrong below 2^-14.
    var unpacksHalfScales: Bool { get }
    /// Small inputs of `variant` and what must come out.
    func selfTest(of variant: KernelVariant) -> SelfTestCase
}

extension Kernel {
    var operation: KernelOperation { Self.operations[0] }
    var definitions: ShaderDefinitions { [:] }
    var unpacksHalfScales: Bool { false }
}

/// The names of a kernel's buffers: case `blockTables` is `BLOCK_TABLES_BINDING` in GLSL.
protocol KernelBinding: CaseIterable, Hashable, Sendable {}

extension KernelBinding {
    /// The binding number.
    var index: Int { Array(Self.allCases).firstIndex(of: self) ?? 0 }

    static var definitions: ShaderDefinitions {
        var definitions: ShaderDefinitions = [:]
        for binding in allCases { definitions["\("\(binding)".snakeCased.uppercased())_BINDING"] = binding.index }
        return definitions
    }

    /// `buffers` in the order of their binding numbers. Precondition: every binding has one.
    static func ordered<Buffer>(_ buffers: [Self: Buffer]) -> [Buffer] {
        allCases.map { binding in
            guard let buffer = buffers[binding] else { preconditionFailure("no buffer for binding \(binding)") }
            return buffer
        }
    }
}

/// The `#define`s that GLSL is compiled with, by name.
struct ShaderDefinitions: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    private(set) var values: [String: Int]

    init(dictionaryLiteral elements: (String, Int)...) {
        values = Dictionary(uniqueKeysWithValues: elements)
    }

    subscript(_ name: String) -> Int? {
        get { values[name] }
        set { values[name] = newValue }
    }

    /// Both. Precondition: they share no name.
    static func + (_ left: Self, _ right: Self) -> Self {
        var result = left
        result.values.merge(right.values) { _, _ in preconditionFailure("a name is defined twice") }
        return result
    }
}

/// How kernels are tiled for a device: sizes of workgroups and what an invocation computes, in an extension beside each
/// kernel. The device and the model decide, never the batch, so that a row's sums are always formed in one order.
struct KernelShapes {
    let capabilities: DeviceCapabilities

    init(_ capabilities: DeviceCapabilities) { self.capabilities = capabilities }
}

extension String {
    /// `blockShift` as `block_shift`.
    var snakeCased: String {
        var result = ""
        for character in self {
            if character.isUppercase, !result.isEmpty { result.append("_") }
            result += character.lowercased()
        }
        return result
    }
}
