import Backends
import CVulkan
import Synchronization

/// Every kernel of a device, compiled when first asked for and kept: the best variant that the device can run, that
/// the configuration allows, that compiles and that passes its self-test.
final class KernelLibrary: Sendable {
    private struct Key: Hashable {
        let variant: String
        let definitions: ShaderDefinitions
    }

    private struct State: Sendable {
        var pipelines: [Key: Pipeline] = [:]
        var failed: [String: String] = [:]
    }

    /// The definition that has 16-bit scales unpacked by integers.
    static let halvesByIntegers = "HALVES_BY_INTEGERS"

    private let device: VulkanDevice
    private let compiler: ShaderCompiler
    private let cache: PipelineCache
    private let disabled: Set<String>
    /// Called with each fallback, in a sentence.
    let onFallback: @Sendable (String) -> Void
    private let selfTest: KernelSelfTest
    private let state = Mutex(State())

    init(
        _ device: VulkanDevice, compiler: ShaderCompiler, cache: PipelineCache, disabled: Set<String>,
        onFallback: @escaping @Sendable (String) -> Void
    ) {
        self.device = device
        selfTest = KernelSelfTest(device)
        self.compiler = compiler
        self.cache = cache
        self.disabled = disabled
        self.onFallback = onFallback
    }

    /// The pipeline of `kernel`. Throws `kernel` where no variant is left.
    func pipeline(_ kernel: some Kernel) throws(BackendError) -> Pipeline {
        while true {
            let (variant, rejections) = selection(of: kernel.operation)
            guard let variant else {
                let reasons = rejections.map { "\($0.variant): \($0.reason)" }.joined(separator: "; ")
                throw .kernel(name: kernel.operation.name, reason: reasons)
            }
            let key = Key(variant: variant.name, definitions: kernel.definitions)
            if let known = state.withLock({ $0.pipelines[key] }) { return known }
            do throws(BackendError) {
                let pipeline = try tested(kernel, variant)
                state.withLock { $0.pipelines[key] = pipeline }
                return pipeline
            } catch {
                guard case .kernel(_, let reason) = error else { throw error }
                reject(variant.name, reason)
            }
        }
    }

    /// A pipeline that has passed its self-test. Where one that unpacks 16-bit scales does not, it is compiled once more to
    /// unpack them by integers: the driver may flush subnormal halves to zero.
    private func tested<K: Kernel>(_ kernel: K, _ variant: KernelVariant) throws(BackendError) -> Pipeline {
        var definitions = kernel.definitions
        if kernel.unpacksHalfScales, !device.capabilities.triesHalfSubnormals {
            definitions[Self.halvesByIntegers] = 1
        }
        let pipeline = try compile(K.self, variant, definitions)
        do throws(BackendError) {
            try selfTest.check(pipeline, of: kernel, definitions: definitions)
            return pipeline
        } catch {
            guard case .kernel(_, let reason) = error, kernel.unpacksHalfScales,
                definitions[Self.halvesByIntegers] == nil
            else { throw error }
            definitions[Self.halvesByIntegers] = 1
            let other = try compile(K.self, variant, definitions)
            try selfTest.check(other, of: kernel, definitions: definitions)
            onFallback("kernel \(variant.name) unpacks scales by integers: \(reason)")
            return other
        }
    }

    /// The variant of `operation` in use, and why those before it are not.
    func selection(of operation: KernelOperation) -> (variant: KernelVariant?, rejections: [KernelRejection]) {
        var rejections: [KernelRejection] = []
        let failed = state.withLock { $0.failed }
        for variant in operation.variants {
            let lack = variant.needs.compactMap { $0.lack(in: device.capabilities) }.first
            guard
                let reason = lack ?? (disabled.contains(variant.name) ? "switched off" : nil) ?? failed[variant.name]
            else { return (variant, rejections) }
            rejections.append(KernelRejection(variant: variant.name, reason: reason))
        }
        return (nil, rejections)
    }

    /// Takes a variant out of use. Pipelines made from it before stay valid for who holds them.
    func reject(_ variant: String, _ reason: String) {
        state.withLock { state in
            state.failed[variant] = reason
            state.pipelines = state.pipelines.filter { $0.key.variant != variant }
        }
        onFallback("kernel \(variant) is not used: \(reason)")
    }

    /// Keeps what was compiled for the next start.
    func save() { cache.save() }

    /// A pipeline without a self-test.
    func compile<K: KernelInterface>(
        _ kernel: K.Type, _ variant: KernelVariant, _ definitions: ShaderDefinitions
    ) throws(BackendError) -> Pipeline {
        try Pipeline(
            try compiler.compile(KernelSource(kernel, variant, definitions)), variant: variant,
            bindingCount: K.Binding.allCases.count, cache: cache.handle, device: device)
    }
}
