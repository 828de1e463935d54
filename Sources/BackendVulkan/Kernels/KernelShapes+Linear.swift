import SharedValues
import Tensors

extension KernelShapes {
    /// How the kernels of a linear operation for few rows share out a tile of its outputs (`columns.glsl`).
    struct Columns: Hashable {
        /// Invocations that share the sum of one output.
        let splits: Int
        /// Outputs of an invocation.
        let columns: Int
    }

    /// The cut for a matrix `[outputSize, inputSize]`; `limbCount` where the input is digits.
    ///
    /// A GPU needs more invocations than a matrix has rows, all of which wait for memory at once, so each takes a few
    /// slices of the input. Where that makes large workgroups, an invocation takes several outputs, for which it loads
    /// the input once. The lanes of a processor gain nothing by it. Measured on a card of 132 processors: the more
    /// outputs, the fewer invocations to each and to a workgroup, unless the input's many digits fill the registers. A
    /// GPU that shares the host's memory needs less to wait for it, and has registers for two outputs.
    func columns(inputSize: Int, outputSize: Int, limbCount: Int?) -> Columns {
        if capabilities.isProcessor { return Columns(splits: 1, columns: 1) }
        let hasRegisters = limbCount != 3
        let isSmall = capabilities.isUnifiedMemory
        let wanted = isSmall || outputSize > 16384 && hasRegisters ? 256 : 512
        let invocations = capabilities.maxInvocationCount >= wanted ? wanted : 128
        let most = isSmall ? 512 : outputSize > (hasRegisters ? 8192 : 6144) ? 1024 : 2048
        var splits = 1
        while splits * 2 * DeviceMatrix.tile <= min(most, invocations * 4),
            splits * 4 <= inputSize.dividedUp(by: QuantizedFormat.slice)
        { splits *= 2 }
        return Columns(splits: splits, columns: max(1, splits * DeviceMatrix.tile / invocations))
    }

    /// Of `rows` rows, as many as have room for the parts of their sums at once.
    func partRows(_ rows: Int, of cut: Columns) -> Int {
        var count = rows
        let room = min(capabilities.sharedMemoryByteCount, 32 << 10)
        while count > 1, count * cut.splits * DeviceMatrix.tile * 4 > room { count /= 2 }
        return count
    }

    /// Invocations that run in step.
    var subgroupSize: Int { capabilities.subgroupSize }

    /// Rows that a kernel of a linear operation takes at once, by rising batch size. On a processor each is a program
    /// of some ten thousand instructions, so there are fewer.
    var linearRows: [Int] { capabilities.isProcessor ? [1, 4, 8] : [1, 2, 4, 8] }

    /// The same for packed weights. To unpack them twice as often costs a processor less than a longer program does.
    var packedRows: [Int] { capabilities.isProcessor ? [1, 2] : [1, 2, 4, 8] }

    /// The constants that say how weights of `type` are stored.
    static func weightConstants(_ type: ElementType) -> [String: Int] {
        ["WEIGHT_BITS": type.byteCount * 8, "WEIGHT_IS_BFLOAT": type == .bf16 ? 1 : 0]
    }
}
