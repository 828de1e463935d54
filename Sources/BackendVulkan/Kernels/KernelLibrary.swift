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
        /// Whether the driver unpacks the scales of packed weights, and has been right so far.
        var triesHalfSubnormals: Bool
        /// The variant that is being made without it.
        var halvesAreGivenUpFor: String?
    }

    private let device: VulkanDevice
    private let compiler: ShaderCompiler
    private let cache: PipelineCache
    private let disabled: Set<String>
    /// Hears of fallbacks.
    let report: @Sendable (String) -> Void
    private let selfTest: KernelSelfTest
    private let state: Mutex<State>

    init(
        _ device: VulkanDevice, compiler: ShaderCompiler, cache: PipelineCache, disabled: Set<String>,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.device = device
        state = Mutex(State(triesHalfSubnormals: device.capabilities.triesHalfSubnormals))
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
                let pipeline = try make(variant, constants, bindingCount)
                if try isRight(pipeline, of: kind, constants) {
                    state.withLock { state in
                        state.halvesAreGivenUpFor = nil
                        state.pipelines[key] = pipeline
                    }
                    return pipeline
                }
            } catch {
                guard case .kernel(_, let reason) = error else { throw error }
                reject(variant.name, reason)
            }
        }
    }

    /// Whether `pipeline` passes its self-test; false: it does not, and is to be made once more with scales that are unpacked
    /// by integers, as the driver may take the smallest halves for zeros. Throws where that was tried, or cannot be why.
    private func isRight(
        _ pipeline: Pipeline, of kind: KernelKind, _ constants: [String: Int]
    ) throws(BackendError) -> Bool {
        let variant = pipeline.variant
        let unpacksHalves =
            variant.readsPackedWeights && constants["SCALE_BITS"] != 32 && constants["SCALE_IS_BFLOAT"] != 1
        do throws(BackendError) {
            let tries = state.withLock { $0.triesHalfSubnormals }
            if unpacksHalves, tries, device.faults.strike(.halves) != nil {
                throw .kernel(name: variant.name, reason: "its self-test is off")
            }
            try selfTest.check(pipeline, of: kind, constants: constants)
            return true
        } catch {
            guard case .kernel(_, let reason) = error, unpacksHalves else { throw error }
            let triesAgain = state.withLock { state in
                if state.halvesAreGivenUpFor == variant.name {
                    // What integers do not mend is not the driver's unpacking.
                    (state.triesHalfSubnormals, state.halvesAreGivenUpFor) = (true, nil)
                    return false
                }
                guard state.triesHalfSubnormals else { return false }
                (state.triesHalfSubnormals, state.halvesAreGivenUpFor) = (false, variant.name)
                return true
            }
            guard triesAgain else { throw error }
            report("kernel \(variant.name): \(reason); trying it with scales that are unpacked by integers")
            return false
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
        let triesHalves = state.withLock { $0.triesHalfSubnormals }
        let source = KernelSource(
            name: variant.name, files: variant.files,
            constants: constants.merging(["KEEPS_HALF_SUBNORMALS": triesHalves ? 1 : 0]) { $1 },
            extensions: variant.extensions)
        return try Pipeline(
            try compiler.compile(source), variant: variant, bindingCount: bindingCount, cache: cache.handle,
            device: device)
    }
}
