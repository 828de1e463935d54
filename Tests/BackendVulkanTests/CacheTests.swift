import Backends
import FoundationEssentials
import Synchronization
import Testing

@testable import BackendVulkan

@Suite(.serialized) struct CacheTests {
    /// Runs `body` with a directory that is gone afterwards.
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(
            path: "quire-kernels-\(UInt64.random(in: 0 ... .max))"
        ).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test("Compiled kernels are found again at the next start", arguments: TestDevice.all)
    func secondStart(device: TestDevice) throws {
        let model = SmallModel()
        try withDirectory { path in
            let first = try device.backend { $0.cacheDirectory = path + "/deep/down" }
            #expect(try model.agrees(on: first))
            #expect(first.counters.shaderCompilations > 0)
            let second = try device.backend { $0.cacheDirectory = path + "/deep/down" }
            #expect(try model.agrees(on: second))
            #expect(second.counters.shaderCompilations == 0)
            #expect(second.counters.shaderCacheHits == first.counters.shaderCompilations)
        }
    }

    @Test("A damaged cache is reported, made again and harmless", arguments: TestDevice.all)
    func damage(device: TestDevice) throws {
        let model = SmallModel()
        try withDirectory { path in
            let expected = try model.logits(on: device.backend { $0.cacheDirectory = path })
            let files = try FileManager.default.contentsOfDirectory(atPath: path)
            #expect(files.contains { $0.hasPrefix("pipelines-") } && files.contains { $0.hasSuffix(".spv") })
            for (index, file) in files.enumerated() {
                let url = URL(filePath: path + "/" + file)
                var content = try Data(contentsOf: url)
                // Cut off, empty, or with one bit turned.
                switch index % 3 {
                case 0: content = content.prefix(content.count / 2)
                case 1: content = Data()
                default: content[content.count - 1] ^= 1
                }
                try content.write(to: url)
            }
            let reports = Mutex<[String]>([])
            let backend = try device.backend { options in
                options.cacheDirectory = path
                options.onFallback = { report in reports.withLock { $0.append(report) } }
            }
            #expect(try model.logits(on: backend) == expected)
            #expect(reports.withLock { $0 }.count == files.count)
            #expect(backend.counters.shaderCacheHits == 0)
        }
    }

    @Test("Where the cache directory cannot be written, kernels are compiled and it is reported")
    func noDirectory() throws {
        let device = try #require(TestDevice.all.first)
        let reports = Mutex<[String]>([])
        let backend = try device.backend { options in
            options.cacheDirectory = "/dev/null/kernels"
            options.onFallback = { report in reports.withLock { $0.append(report) } }
        }
        #expect(try SmallModel().agrees(on: backend))
        #expect(reports.withLock { !$0.isEmpty })
    }
}
