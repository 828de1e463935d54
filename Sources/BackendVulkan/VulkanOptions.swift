public import Backends

/// What a configuration says about the Vulkan backend.
public struct VulkanOptions: Sendable {
    /// An index, a UUID, a part of a name, or `auto`: discrete before integrated before virtual before CPU.
    public var device = "auto"
    /// Kernel variants not to use, by the names that `quire devices` prints.
    public var disabledKernels: Set<String> = []
    /// Whether a row's result must be the same bits whatever else is in its batch. Without that, prompts may be computed in
    /// 16-bit arithmetic.
    public var isBatchInvariant = true
    /// The precision of activations in quantized matrix products. Integers take `VK_KHR_shader_integer_dot_product`; without it, or where a
    /// kernel fails its self-test, activations stay 32-bit floats.
    public var activations = ActivationType.f32
    /// Capabilities of the device to ignore.
    public var limits = CapabilityLimits()
    /// Where compiled kernels are kept between starts; nil keeps none.
    public var cacheDirectory: String?
    /// Whether to enable the validation layer, where there is one.
    public var isValidating = false
    /// Called with each fallback, in a sentence.
    public var onFallback: @Sendable (String) -> Void = { _ in }

    /// The best device, with everything it has.
    public init() {}
}
