import Backends
import SharedValues
import Testing

@testable import BackendVulkan

/// How kernels are tiled, for devices and matrices of all sizes.
struct KernelShapesTests {
    private static func shapes(
        invocations: Int, sharedMemory: Int = 16 << 10, isUnified: Bool = false, isProcessor: Bool = false
    ) -> KernelShapes {
        KernelShapes(
            DeviceCapabilities(
                maxRangeByteCount: 1 << 30, maxAllocationByteCount: 1 << 30, sharedMemoryByteCount: sharedMemory,
                maxInvocationCount: invocations, maxGroupCount: 65_535, subgroupSize: 32, hasSubgroupArithmetic: true,
                hasSubgroupBroadcast: true, hasFloat16: false,
                hasCooperativeMatrices: false,
                hasIntegerProducts: true, isUnifiedMemory: isUnified, isProcessor: isProcessor))
    }

    @Test("A GEMV computes every output of a tile, and its workgroup is no larger than the device allows")
    func linearTiling() {
        for (invocations, isUnified) in [128, 256, 512, 1024].flatMap({ [($0, false), ($0, true)] }) {
            let shapes = Self.shapes(invocations: invocations, isUnified: isUnified)
            for inputSize in [1, 32, 33, 576, 2048, 4096, 8192, 53248] {
                for outputSize in [1, 32, 1000, 6144, 6145, 16384, 16385, 200_000] {
                    for (limbCount, rows) in [nil, 1, 2, 3].flatMap({ count in [1, 2, 4, 8].map { (count, $0) } }) {
                        let tiling = shapes.linearTiling(
                            rows: rows, inputSize: inputSize, outputSize: outputSize, limbCount: limbCount)
                        #expect((isUnified && invocations >= 256 ? [1, 2] : [1, 2, 4]).contains(tiling.outputs))
                        #expect(tiling.splitK.nonzeroBitCount == 1)
                        #expect(tiling.splitK * DeviceMatrix.tile / tiling.outputs <= invocations)
                        // No invocation is without a slice, but for what rounding leaves.
                        #expect(
                            tiling.splitK == 1 || tiling.splitK * 2 <= inputSize.dividedUp(by: QuantizedFormat.slice))
                        #expect(rows % tiling.partialRows == 0)
                        #expect(tiling.partialRows * tiling.splitK * DeviceMatrix.tile * 4 <= 16 << 10)
                    }
                }
            }
        }
    }

    @Test("An attention's workgroup fits the device, and stages keys and values where they fit")
    func attention() throws {
        for (sharedMemory, staged) in [(16 << 10, []), (32 << 10, [.f16, .int8]), (48 << 10, [.f32, .f16, .int8])]
            as [(Int, [CacheType])]
        {
            for invocations in [128, 1024] {
                let shapes = Self.shapes(invocations: invocations, sharedMemory: sharedMemory)
                let tiling = try shapes.attentionTiling(headSize: 128, group: 8)
                #expect(tiling == KernelShapes.AttentionTiling(unit: 4, heads: 8, rowsPerTile: 2))
                for type in [CacheType.f32, .f16, .int8] {
                    let kernel = AttentionKernel(
                        shapes: shapes, tiling: tiling, rowCount: 2, headSize: 128, cacheType: type)
                    let definitions = kernel.definitions
                    #expect(definitions["IS_STAGED"] == (staged.contains(type) ? 1 : 0), "\(type) in \(sharedMemory)")
                    #expect(definitions["GROUP"] == (invocations < 256 ? 64 : 256))
                }
            }
        }
    }

    @Test("Every unit of a head has an invocation, for heads to 512 numbers; larger and odd ones are refused by name")
    func headSizes() throws {
        for isProcessor in [false, true] {
            let shapes = Self.shapes(invocations: isProcessor ? 1024 : 128, isProcessor: isProcessor)
            for headSize in [2, 8, 12, 20, 80, 96, 112, 130, 160, 192, 250, 256, 384, 512] {
                let tiling = try shapes.attentionTiling(headSize: headSize, group: 4)
                let group = AttentionKernel(
                    shapes: shapes, tiling: tiling, rowCount: 1, headSize: headSize, cacheType: .f16
                ).definitions["GROUP"]
                let unitCount = headSize / tiling.unit
                #expect(group == (unitCount > 64 ? 128 : 64) && unitCount <= 128)
            }
            for headSize in [7, 258, 516] {
                #expect {
                    try shapes.attentionTiling(headSize: headSize, group: 1)
                } throws: { error in
                    "\(error)".contains("heads of \(headSize) numbers")
                }
            }
        }
    }

    @Test("Where a subgroup has more invocations than a tile has positions, maxima go through shared memory")
    func wideSubgroups() throws {
        var capabilities = Self.shapes(invocations: 1024).capabilities
        for (size, name) in [(64, "attention_subgroup"), (128, "attention_shared")] {
            capabilities.subgroupSize = size
            let variant = AttentionKernel.operations[0].variants.first { variant in
                variant.needs.allSatisfy { $0.lack(in: capabilities) == nil }
            }
            #expect(variant?.name == name)
        }
    }

    @Test("A CPU's kernels split no sums")
    func processor() {
        let shapes = Self.shapes(invocations: 1024, isProcessor: true)
        let tiling = shapes.linearTiling(rows: 1, inputSize: 4096, outputSize: 4096, limbCount: nil)
        #expect(tiling.splitK == 1 && tiling.outputs == 1)
        #expect(shapes.addNormTiling(width: 4096).groupCount == 1)
        let definitions = AttentionKernel(
            shapes: shapes, tiling: .init(unit: 4, heads: 8, rowsPerTile: 2), rowCount: 1, headSize: 128,
            cacheType: .f16
        ).definitions
        #expect(definitions["IS_STAGED"] == 0 && definitions["GROUP"] == definitions["TILE"])
    }
}
