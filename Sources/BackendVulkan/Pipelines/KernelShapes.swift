/// How kernels are tiled for a device: sizes of workgroups and what an invocation computes, in an extension beside each
/// kernel. The device and the model decide, never the batch, so that a row's sums are always formed in one order.
struct KernelShapes {
    let capabilities: DeviceCapabilities

    init(_ capabilities: DeviceCapabilities) { self.capabilities = capabilities }
}
