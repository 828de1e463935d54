import Backends
import SharedValues
import Testing

@testable import BackendVulkan

/// How kernels are cut, for devices and matrices of all sizes.
struct KernelShapesTests {
    private static func shapes(
        invocations: Int, sharedMemory: Int = 16 << 10, isUnified: Bool = false, isProcessor: Bool = false
    ) -> KernelShapes {
        KernelShapes(
            DeviceCapabilities(
                maxRangeByteCount: 1 << 30, maxAllocationByteCount: 1 << 30, sharedMemoryByteCount: sharedMemory,
                maxInvocationCount: invocations, maxGroupCount: 65_535, subgroupSize: 32, hasSubgroupArithmetic: true,
                hasSubgroupBroadcast: true, hasFloat16: false, has16BitStorage: false,
                hasCooperativeMatrices: false,
                hasIntegerProducts: true, isUnifiedMemory: isUnified, isProcessor: isProcessor))
    }

    @Test("A tile is shared out whole, and no workgroup is larger than the device takes")
    func columns() {
        for (invocations, isUnified) in [128, 256, 512, 1024].flatMap({ [($0, false), ($0, true)] }) {
            let shapes = Self.shapes(invocations: invocations, isUnified: isUnified)
            for inputSize in [1, 32, 33, 576, 2048, 4096, 8192, 53248] {
                for outputSize in [1, 32, 1000, 6144, 6145, 16384, 16385, 200_000] {
                    for limbCount in [nil, 1, 2, 3] {
                        let cut = shapes.columns(inputSize: inputSize, outputSize: outputSize, limbCount: limbCount)
                        #expect((isUnified && invocations >= 256 ? [1, 2] : [1, 2, 4]).contains(cut.columns))
                        #expect(cut.splits.nonzeroBitCount == 1)
                        #expect(cut.splits * DeviceMatrix.tile / cut.columns <= invocations)
                        // Nobody is without a slice, but for what rounding leaves.
                        #expect(cut.splits == 1 || cut.splits * 2 <= inputSize.dividedUp(by: QuantizedFormat.slice))
                        for rows in [1, 2, 4, 8] {
                            let count = shapes.partRows(rows, of: cut)
                            #expect(rows % count == 0)
                            #expect(count * cut.splits * DeviceMatrix.tile * 4 <= 16 << 10)
                        }
                    }
                }
            }
        }
    }

    @Test("An attention's workgroup fits the device, with keys and values in shared memory where they do")
    func attention() throws {
        for (sharedMemory, staged) in [(16 << 10, []), (32 << 10, [.f16, .int8]), (48 << 10, [.f32, .f16, .int8])]
            as [(Int, [CacheType])]
        {
            for invocations in [128, 1024] {
                let shapes = Self.shapes(invocations: invocations, sharedMemory: sharedMemory)
                let cut = try shapes.attention(headSize: 128, group: 8)
                #expect(cut == KernelShapes.Attention(unit: 4, heads: 8, rowsPerTile: 2))
                for type in [CacheType.f32, .f16, .int8] {
                    let constants = shapes.constants(of: cut, queries: 2, headSize: 128, cache: type)
                    #expect(constants["IS_STAGED"] == (staged.contains(type) ? 1 : 0), "\(type) in \(sharedMemory)")
                    #expect(constants["GROUP"] == (invocations < 256 ? 64 : 256))
                }
            }
        }
    }

    @Test("Where more invocations run in step than a tile has positions, its largest scores go through shared memory")
    func wideSubgroups() throws {
        var capabilities = Self.shapes(invocations: 1024).capabilities
        for (size, name) in [(64, "attention_subgroup"), (128, "attention_shared")] {
            capabilities.subgroupSize = size
            let variant = KernelVariant.all(of: .attention).first { variant in
                variant.needs.allSatisfy { $0.lack(in: capabilities) == nil }
            }
            #expect(variant?.name == name)
        }
    }

    @Test("The lanes of a processor share nothing")
    func processor() {
        let shapes = Self.shapes(invocations: 1024, isProcessor: true)
        let cut = shapes.columns(inputSize: 4096, outputSize: 4096, limbCount: nil)
        #expect(cut.splits == 1 && cut.columns == 1)
        #expect(shapes.normCut(width: 4096).partCount == 1)
        let attention = KernelShapes.Attention(unit: 4, heads: 8, rowsPerTile: 2)
        let constants = shapes.constants(of: attention, queries: 1, headSize: 128, cache: .f16)
        #expect(constants["IS_STAGED"] == 0 && constants["GROUP"] == constants["TILE"])
    }
}
