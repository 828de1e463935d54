extension Backend {
    /// For backends whose devices have no clock for kernels.
    public func measureSpeed() throws(BackendError) -> DeviceSpeed {
        throw .unsupported(operation: "timing kernels", reason: "the backend has no clock for them")
    }
}

extension PreparedPlan {
    /// For backends whose devices have no clock for kernels.
    public func time(_ batch: borrowing ForwardBatch) throws(BackendError) -> [KernelTiming] {
        throw .unsupported(operation: "timing kernels", reason: "the backend has no clock for them")
    }
}

/// What one kernel did in one step, and how long that took.
public struct KernelTiming: Sendable, Hashable {
    /// The kernel variant.
    public let kernel: String
    /// What it computed, with shapes, such as `linear 576 to 960 bf16`.
    public let label: String
    /// From its start to its end.
    public let seconds: Double
    /// Bytes that it must move at the least: weights and cached numbers once, rows in and out.
    public let byteCount: Int
    /// Bytes that it moves if workgroups share no caches, where that is known: matrices that several workgroups of one
    /// column read count again.
    public let movedByteCount: Int?
    /// Floating-point operations; a function such as an exponential counts as one.
    public let operationCount: Int

    public init(
        kernel: String, label: String, seconds: Double, byteCount: Int, movedByteCount: Int? = nil, operationCount: Int
    ) {
        self.kernel = kernel
        self.label = label
        self.seconds = seconds
        self.byteCount = byteCount
        self.movedByteCount = movedByteCount
        self.operationCount = operationCount
    }
}

/// What a device reached when it did nothing else.
public struct DeviceSpeed: Sendable, Hashable, Codable {
    /// Bytes a second: what reading reached, or a copy with its bytes counted twice.
    public let memoryBytesPerSecond: Double
    /// 32-bit multiplications and additions a second.
    public let operationsPerSecond: Double

    public init(memoryBytesPerSecond: Double, operationsPerSecond: Double) {
        self.memoryBytesPerSecond = memoryBytesPerSecond
        self.operationsPerSecond = operationsPerSecond
    }

    private enum CodingKeys: String, CodingKey {
        case memoryBytesPerSecond = "memory_bytes_per_second"
        case operationsPerSecond = "operations_per_second"
    }
}
