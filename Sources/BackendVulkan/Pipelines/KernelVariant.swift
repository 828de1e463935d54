/// What a kernel computes; there are one or more ways to do it.
struct KernelOperation: Sendable {
    let name: String
    /// The preferred first.
    let variants: [KernelVariant]

    init(_ name: String, _ variants: [KernelVariant]) {
        self.name = name
        self.variants = variants
    }

    /// An operation with one variant of the same name.
    init(_ name: String, parts: [[UInt8]]) { self.init(name, [KernelVariant(name: name, parts: parts)]) }
}

extension KernelOperation {
    /// The same with a set of matrices of which each row has some: the GLSL is compiled with SELECTED or GROUPED.
    var selecting: KernelOperation {
        KernelOperation(
            "selected_" + name,
            variants.map { variant in
                var variant = variant
                variant.name = "selected_" + variant.name
                return variant
            })
    }
}

/// One way to compute an operation: its GLSL and what the device must have for it.
struct KernelVariant: Sendable {
    /// What the device must have.
    enum Need: Sendable {
        case subgroupArithmetic, subgroupBroadcast
        /// Subgroups of at most this many invocations.
        case subgroupSize(maximum: Int)
        /// Dot products of four signed bytes.
        case integerProducts
        /// Arithmetic in 16-bit floats.
        case float16
        /// Permission to compute a row in another way when many rows share its batch.
        case batchDependence
        /// Invocations that are lanes of a CPU's vector unit.
        case processor
        /// A workgroup of this many invocations.
        case invocations(Int)

        /// Why `capabilities` do not meet the need; nil where they do.
        func lack(in capabilities: DeviceCapabilities) -> String? {
            switch self {
            case .subgroupArithmetic: capabilities.hasSubgroupArithmetic ? nil : "no subgroup arithmetic"
            case .subgroupBroadcast:
                capabilities.hasSubgroupBroadcast && [2, 4, 8].contains(capabilities.subgroupSize)
                    ? nil : "no broadcast in subgroups of 2, 4 or 8"
            case .subgroupSize(let maximum):
                capabilities.subgroupSize <= maximum ? nil : "subgroups of more than \(maximum)"
            case .invocations(let count):
                capabilities.maxInvocationCount >= count ? nil : "no workgroups of \(count) invocations"
            case .integerProducts: capabilities.hasIntegerProducts ? nil : "no integer dot products"
            case .float16: capabilities.hasFloat16 ? nil : "no fp16 arithmetic"
            case .batchDependence: capabilities.isBatchInvariant ? "batch_invariant is true" : nil
            case .processor: capabilities.isProcessor ? nil : "not a processor's vector unit"
            }
        }
    }

    /// The name in `backend.disabled_kernels`, in reports and in the cache of compiled kernels.
    var name: String
    /// GLSL files, one after another: shared parts, then the `.comp` file.
    let parts: [[UInt8]]
    var needs: [Need] = []
    var extensions: [String] = []
    /// Rows that a workgroup computes; nil: the kernel decides.
    var rowsPerGroup: Int?
    /// Tiles of outputs that a workgroup computes.
    var tilesPerGroup = 1

    static let subgroupArithmetic = ["GL_KHR_shader_subgroup_basic", "GL_KHR_shader_subgroup_arithmetic"]
    static let subgroupBroadcast = ["GL_KHR_shader_subgroup_basic", "GL_KHR_shader_subgroup_ballot"]
}

extension [KernelVariant] {
    /// A kernel that calls `group_sum` or `group_max`: with subgroup arithmetic, and through shared memory where a device
    /// lacks it. `before` are parts that the reduction or the kernel builds on.
    static func reducing(_ name: String, _ parts: [[UInt8]], before: [[UInt8]] = []) -> [KernelVariant] {
        [
            KernelVariant(
                name: name + "_subgroup", parts: before + [PackageResources.reduce_subgroup_glsl] + parts,
                needs: [.subgroupArithmetic], extensions: KernelVariant.subgroupArithmetic),
            KernelVariant(name: name + "_shared", parts: before + [PackageResources.reduce_shared_glsl] + parts),
        ]
    }
}
