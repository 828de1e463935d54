public import Backends

/// What a configuration says about the Vulkan backend.
public struct VulkanOptions: Sendable {
    /// An index, a UUID, a part of a name, or `auto`: discrete before integrated before virtual before CPU.
    public var device = "auto"
    /// Kernel variants that shall not be used, by name.
    public var disabledKernels: Set<String> = []
    /// Whether a row's result must be the same bits whoever shares its batch. Without that, prompts may be computed in
    /// 16-bit arithmetic.
    public var isBatchInvariant = true
    /// What packed weights are multiplied with. Integers take `VK_KHR_shader_integer_dot_product`; without it, or where a
    /// kernel fails its self-test, activations stay 32-bit floats.
    public var activations = ActivationType.f32
    /// What the device shall pretend not to have.
    public var limits = CapabilityLimits()
    /// Where compiled kernels are kept between starts; nil keeps none.
    public var cacheDirectory: String?
    /// Whether the validation layer, where there is one, looks on.
    public var isValidating = false
    /// Called with each fallback, in a sentence.
    public var onFallback: @Sendable (String) -> Void = { _ in }

    /// The best device, with everything it has.
    public init() {}
}
