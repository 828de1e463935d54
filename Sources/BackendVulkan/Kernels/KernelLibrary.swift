import Backends
import CVulkan
import Synchronization

/// Every kernel of a device, compiled when first asked for and kept: the best variant that the device can run, that
/// the configuration allows, that compiles and that passes its self-test.
final class KernelLibrary: Sendable {
    private struct Key: Hashable {
        let variant: String
        let constants: [String: Int]
    }

    private struct State: Sendable {
        var pipelines: [Key: Pipeline] = [:]
        var failed: [String: String] = [:]
    }

    private let device: VulkanDevice
    private let compiler: ShaderCompiler
    private let cache: PipelineCache
    private let disabled: Set<String>
    /// Hears of fallbacks.
    let report: @Sendable (String) -> Void
    private let selfTest: KernelSelfTest
    private let state = Mutex(State())

    init(
        _ device: VulkanDevice, compiler: ShaderCompiler, cache: PipelineCache, disabled: Set<String>,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.device = device
        selfTest = KernelSelfTest(device)
        self.compiler = compiler
        self.cache = cache
        self.disabled = disabled
        self.report = report
    }

    /// The kernel of `kind` for these constants, over `bindingCount` buffers. Throws `kernel` where no variant is left.
    func pipeline(
        _ kind: KernelKind, constants: [String: Int] = [:], bindingCount: Int
    ) throws(BackendError) -> Pipeline {
        while true {
            let (variant, rejections) = choice(of: kind)
            guard let variant else {
                let reasons = rejections.map { "\($0.variant): \($0.reason)" }.joined(separator: "; ")
                throw .kernel(name: kind.rawValue, reason: reasons)
            }
            let key = Key(variant: variant.name, constants: constants)
            if let known = state.withLock({ $0.pipelines[key] }) { return known }
            do throws(BackendError) {
                let pipeline = try tested(variant, of: kind, constants, bindingCount)
                state.withLock { $0.pipelines[key] = pipeline }
                return pipeline
            } catch {
                guard case .kernel(_, let reason) = error else { throw error }
                reject(variant.name, reason)
            }
        }
    }

    /// A kernel that has passed its self-test. Where one that unpacks halves does not, it is made once more and unpacks them by
    /// integers: its driver may take the smallest for zeros.
    private func tested(
        _ variant: KernelVariant, of kind: KernelKind, _ constants: [String: Int], _ bindingCount: Int
    ) throws(BackendError) -> Pipeline {
        var constants = constants
        let unpacksHalves = variant.unpacksHalves(constants)
        if unpacksHalves, !device.capabilities.triesHalfSubnormals { constants[KernelVariant.halvesByIntegers] = 1 }
        let pipeline = try make(variant, constants, bindingCount)
        do throws(BackendError) {
            try selfTest.check(pipeline, of: kind, constants: constants)
            return pipeline
        } catch {
            guard case .kernel(_, let reason) = error, unpacksHalves,
                constants.updateValue(1, forKey: KernelVariant.halvesByIntegers) == nil
            else { throw error }
            let other = try make(variant, constants, bindingCount)
            try selfTest.check(other, of: kind, constants: constants)
            report("kernel \(variant.name) unpacks scales by integers: \(reason)")
            return other
        }
    }

    /// The variant of `kind` in use, and why those before it are not.
    func choice(of kind: KernelKind) -> (variant: KernelVariant?, rejections: [KernelRejection]) {
        var rejections: [KernelRejection] = []
        let failed = state.withLock { $0.failed }
        for variant in KernelVariant.all(of: kind) {
            let lack = variant.needs.compactMap { $0.lack(in: device.capabilities) }.first
            guard
                let reason = lack ?? (disabled.contains(variant.name) ? "switched off" : nil) ?? failed[variant.name]
            else { return (variant, rejections) }
            rejections.append(KernelRejection(variant: variant.name, reason: reason))
        }
        return (nil, rejections)
    }

    /// Takes a variant out of use; kernels made from it before stay with who has them.
    func reject(_ variant: String, _ reason: String) {
        state.withLock { state in
            state.failed[variant] = reason
            state.pipelines = state.pipelines.filter { $0.key.variant != variant }
        }
        report("kernel \(variant) is not used: \(reason)")
    }

    /// Keeps what was compiled for the next start.
    func save() { cache.save() }

    /// A kernel as it is, without a test.
    func make(
        _ variant: KernelVariant, _ constants: [String: Int], _ bindingCount: Int
    ) throws(BackendError) -> Pipeline {
        let source = KernelSource(
            name: variant.name, files: variant.files, constants: constants, extensions: variant.extensions)
        return try Pipeline(
            try compiler.compile(source), variant: variant, bindingCount: bindingCount, cache: cache.handle,
            device: device)
    }
}
