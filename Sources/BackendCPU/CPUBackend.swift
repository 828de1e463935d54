public import Backends
import CPUKernels

/// Threads and SIMD on the host's processor.
///
/// A row's result depends, bit for bit, only on that row's own sequence and on the instruction set: never on the
/// rest of the batch, on the number of threads, or on how a prompt is cut into chunks.
public final class CPUBackend: Backend {
    /// The processor and its free memory; the detail names the instruction set and the thread count.
    public let device: DeviceInfo
    /// The instruction set in use.
    public let instructionSet: InstructionSet
    let workers: WorkerPool
    private let activations: ActivationType

    /// Starts `threadCount` threads (the calling one included). `instructionSet` nil: the fastest that the CPU has.
    /// `activations`: the type of activations in products with quantized weights; `.f32` chooses by the weights' type.
    /// Throws `unavailable` for an instruction set that the CPU lacks, for integers where it has no integer products,
    /// and for less than one thread.
    public init(
        threadCount: Int, instructionSet: InstructionSet? = nil, activations: ActivationType = .f32
    ) throws(BackendError) {
        let name = HostMachine.processorName()
        let chosen = instructionSet ?? .best
        guard let kernels = chosen.kernels else {
            throw .unavailable(device: "cpu", reason: "\(name) has no \(chosen.rawValue)")
        }
        guard (1...1024).contains(threadCount) else {
            throw .unavailable(device: "cpu", reason: "\(threadCount) threads; from 1 to 1024 are possible")
        }
        self.instructionSet = chosen
        _ = try QuantizedKernels(kernels, activations)
        self.activations = activations
        workers = try WorkerPool(threadCount: threadCount)
        device = DeviceInfo(
            name: name, detail: "\(chosen.rawValue), \(threadCount) threads",
            freeByteCount: HostMachine.freeByteCount())
    }

    /// Allocates host memory.
    public func makeBuffer(byteCount: Int, usage: BufferUsage) throws(BackendError) -> any DeviceBuffer {
        try HostBuffer(byteCount: byteCount, usage: usage)
    }

    /// Prepacks the weights, fuses neighbours, lays out scratch memory.
    public func prepare(
        _ plan: ForwardPlan, limits: BatchLimits, pool: MemoryPool
    ) throws(BackendError) -> sending any PreparedPlan {
        guard let kernels = instructionSet.kernels else {
            throw .unavailable(device: "cpu", reason: "no \(instructionSet.rawValue)")
        }
        return try CPUPlan(
            plan, limits: limits, pool: pool, kernels: kernels,
            quantizedKernels: QuantizedKernels(kernels, activations),
            workers: workers)
    }
}
