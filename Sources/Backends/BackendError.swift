/// Why a device failed.
public enum BackendError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Memory for `use` ran out: requested and available bytes.
    case outOfMemory(use: String, byteCount: Int, available: Int)
    /// One range is larger than the device can allocate or address, in bytes.
    case rangeTooLarge(use: String, byteCount: Int, limit: Int)
    /// The device has no kernel for an operation of the plan.
    case unsupported(operation: String, reason: String)
    /// An operation of the plan does not fit its values or weights: a fault of the model's encoder.
    case malformedPlan(operation: String, reason: String)
    /// The device cannot be used at all.
    case unavailable(device: String, reason: String)
    /// The device failed during work and cannot go on. The submitted work and the content of its memory are lost.
    case deviceLost(device: String, reason: String)
    /// A call of the device's driver failed with a result that has no case of its own.
    case driver(call: String, result: String)
    /// A kernel cannot be compiled, and no other kernel computes the same.
    case kernel(name: String, reason: String)

    public var description: String {
        switch self {
        case .outOfMemory(let use, let byteCount, let available):
            "out of device memory for \(use): needs \(byteCount) bytes, \(available) available"
        case .rangeTooLarge(let use, let byteCount, let limit):
            "\(use) needs one range of \(byteCount) bytes, the device allows \(limit)"
        case .unsupported(let operation, let reason):
            "operation \(operation) is not supported: \(reason)"
        case .malformedPlan(let operation, let reason):
            "the model's plan is malformed at \(operation): \(reason)"
        case .unavailable(let device, let reason):
            "device \(device) cannot be used: \(reason)"
        case .deviceLost(let device, let reason):
            "device \(device) was lost: \(reason)"
        case .driver(let call, let result):
            "\(call) failed with \(result)"
        case .kernel(let name, let reason):
            "kernel \(name) cannot be used: \(reason)"
        }
    }
}
