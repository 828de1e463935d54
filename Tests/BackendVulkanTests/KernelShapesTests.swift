import Testing

@testable import BackendVulkan

/// How kernels are cut, for devices and matrices of all sizes.
struct KernelShapesTests {
    private static func shapes(invocations: Int, sharedMemory: Int = 16 << 10, isProcessor: Bool = false)
        -> KernelShapes
    {
        KernelShapes(
            DeviceCapabilities(
                maxRangeByteCount: 1 << 30, maxAllocationByteCount: 1 << 30, sharedMemoryByteCount: sharedMemory,
                maxInvocationCount: invocations, subgroupSize: 32, hasSubgroupArithmetic: true,
                hasSubgroupBroadcast: true, hasFloat16: false, has16BitStorage: false, hasCooperativeMatrices: false,
                hasIntegerProducts: true, isUnifiedMemory: false, isProcessor: isProcessor))
    }

    @Test("A tile is shared out whole, and no workgroup is larger than the device takes")
    func columns() {
        for invocations in [128, 256, 512, 1024] {
            let shapes = Self.shapes(invocations: invocations)
            for inputSize in [1, 32, 33, 576, 2048, 4096, 8192, 53248] {
                for outputSize in [1, 32, 1000, 6144, 6145, 16384, 16385, 200_000] {
                    for digitCount in [nil, 1, 2, 3] {
                        let cut = shapes.columns(inputSize: inputSize, outputSize: outputSize, digitCount: digitCount)
                        #expect([1, 2, 4].contains(cut.columns))
                        #expect(cut.splits.nonzeroBitCount == 1)
                        #expect(cut.splits * PackedMatrix.tile / cut.columns <= invocations)
                        // Nobody is without a slice, but for what rounding leaves.
                        #expect(cut.splits == 1 || cut.splits * 2 <= inputSize.dividedUp(by: PackedFormat.slice))
                        for rows in [1, 2, 4, 8] {
                            let count = shapes.partRows(rows, of: cut)
                            #expect(rows % count == 0)
                            #expect(count * cut.splits * PackedMatrix.tile * 4 <= 16 << 10)
                        }
                    }
                }
            }
        }
    }

    @Test("The lanes of a processor share nothing")
    func processor() {
        let shapes = Self.shapes(invocations: 1024, isProcessor: true)
        let cut = shapes.columns(inputSize: 4096, outputSize: 4096, digitCount: nil)
        #expect(cut.splits == 1 && cut.columns == 1)
        #expect(shapes.normCut(width: 4096).partCount == 1)
    }
}
