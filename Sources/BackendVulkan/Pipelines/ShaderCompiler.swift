import Backends
import CGlslang
import Synchronization

/// GLSL to SPIR-V by glslang, with a cache on disk by the hash of the whole source.
final class ShaderCompiler: Sendable {
    private let cache: CacheDirectory?
    private let counters: SharedCounters
    private let faults: FaultInjector
    // glslang's tables are shared by the process, and its documentation promises no thread safety for them.
    private static let lock = Mutex(())

    init(cache: CacheDirectory?, counters: SharedCounters, faults: FaultInjector) {
        self.cache = cache
        self.counters = counters
        self.faults = faults
        Self.lock.withLock { _ in _ = glslang_initialize_process() }
    }

    deinit { Self.lock.withLock { _ in glslang_finalize_process() } }

    /// The words of `source`. Throws `kernel` with glslang's log where it does not compile.
    func compile(_ source: KernelSource) throws(BackendError) -> [UInt32] {
        if faults.strike(.compile(source.name)) != nil {
            throw .kernel(name: source.name, reason: "the compiler was told to fail")
        }
        var hash = ContentHash()
        hash.combine("Vulkan 1.2, SPIR-V 1.3")
        hash.combine(source.text)
        let file = "\(source.name)-\(hash.text).spv"
        if let bytes = cache?.read(file), bytes.count % 4 == 0, !bytes.isEmpty {
            counters.add(to: \.shaderCacheHits)
            return bytes.withUnsafeBytes { Array($0.bindMemory(to: UInt32.self)) }
        }
        counters.add(to: \.shaderCompilations)
        let words = try Self.lock.withLock { _ throws(BackendError) in try Self.compileNow(source) }
        cache?.write(words.withUnsafeBytes { Array($0) }, to: file)
        return words
    }

    private static func compileNow(_ source: KernelSource) throws(BackendError) -> [UInt32] {
        let outcome: Result<[UInt32], BackendError> = source.text.withCString { code in
            var input = glslang_input_t()
            input.language = GLSLANG_SOURCE_GLSL
            input.stage = GLSLANG_STAGE_COMPUTE
            input.client = GLSLANG_CLIENT_VULKAN
            input.client_version = GLSLANG_TARGET_VULKAN_1_2
            input.target_language = GLSLANG_TARGET_SPV
            input.target_language_version = GLSLANG_TARGET_SPV_1_3
            input.code = code
            input.default_version = 450
            input.default_profile = GLSLANG_NO_PROFILE
            input.messages = GLSLANG_MSG_DEFAULT_BIT
            input.resource = glslang_default_resource()
            guard let shader = glslang_shader_create(&input) else {
                return .failure(.kernel(name: source.name, reason: "glslang has no memory left"))
            }
            defer { glslang_shader_delete(shader) }
            guard glslang_shader_preprocess(shader, &input) != 0, glslang_shader_parse(shader, &input) != 0 else {
                return .failure(.kernel(name: source.name, reason: text(glslang_shader_get_info_log(shader))))
            }
            guard let program = glslang_program_create() else {
                return .failure(.kernel(name: source.name, reason: "glslang has no memory left"))
            }
            defer { glslang_program_delete(program) }
            glslang_program_add_shader(program, shader)
            let messages = GLSLANG_MSG_SPV_RULES_BIT.rawValue | GLSLANG_MSG_VULKAN_RULES_BIT.rawValue
            guard glslang_program_link(program, Int32(bitPattern: UInt32(messages))) != 0 else {
                return .failure(.kernel(name: source.name, reason: text(glslang_program_get_info_log(program))))
            }
            glslang_program_SPIRV_generate(program, GLSLANG_STAGE_COMPUTE)
            let count = glslang_program_SPIRV_get_size(program)
            guard count > 0, let words = glslang_program_SPIRV_get_ptr(program) else {
                return .failure(.kernel(name: source.name, reason: "no code was generated"))
            }
            return .success(Array(UnsafeBufferPointer(start: words, count: count)))
        }
        return try outcome.get()
    }

    private static func text(_ log: UnsafePointer<CChar>?) -> String {
        log.map { String(cString: $0) } ?? "no reason given"
    }
}
