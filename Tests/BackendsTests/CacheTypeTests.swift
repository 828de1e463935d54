import Backends
import Testing

@Suite("CacheType")
struct CacheTypeTests {
    @Test("a head of eight bits takes its numbers and a scale, in whole words")
    func headBytes() {
        #expect(CacheType.f32.headByteCount(headSize: 10) == 40)
        #expect(CacheType.bf16.headByteCount(headSize: 10) == 20)
        #expect(CacheType.int8.headByteCount(headSize: 64) == 68)
        #expect(CacheType.int8.headByteCount(headSize: 10) == 16)
        let layer = CacheLayer(keyValueHeadCount: 3, headSize: 64)
        #expect(CacheType.int8.tokenByteCount(of: layer) == 204)
    }

    @Test("capacity follows: 17/32 of the bytes of 16 bits with heads of 64", arguments: [1, 16, 256])
    func capacity(blockSize: Int) {
        let layers = Array(repeating: CacheLayer(keyValueHeadCount: 3, headSize: 64), count: 30)
        func layout(_ type: CacheType) -> CacheLayout {
            CacheLayout(layers: layers, blockSize: blockSize, type: type)
        }
        func bytes(_ type: CacheType) -> Int { layout(type).blockByteCount }
        #expect(bytes(.int8) == 2 * 30 * 204 * blockSize)
        #expect(32 * bytes(.int8) == 17 * bytes(.bf16))
        let device = DeviceInfo(name: "any", detail: "", freeByteCount: 0)
        let slack = 2 * 30 * MemoryPool.alignment
        for type in CacheType.allCases {
            #expect(layout(type).blockCount(fitting: 100 * bytes(type) + slack, on: device) == 100)
        }
        let narrow = DeviceInfo(name: "any", detail: "", freeByteCount: 0, maxRangeByteCount: 204 * blockSize * 7)
        #expect(layout(.int8).blockCount(fitting: .max / 2, on: narrow) == 7)
    }
}
