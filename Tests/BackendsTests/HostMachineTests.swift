import FoundationEssentials
import Testing

@testable import Backends

@Suite("What the host leaves a process")
struct HostMachineTests {
    /// What `read` finds in the control group whose files are `files`, by name.
    private func found<Found>(_ read: (ControlGroup) -> Found, in files: [String: String]) throws -> Found {
        let root = FileManager.default.temporaryDirectory.path + "/quire-group-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: root) }
        for folder in ["memory", "cpu"] {
            try FileManager.default.createDirectory(atPath: root + "/" + folder, withIntermediateDirectories: true)
        }
        for (name, content) in files { try Data(content.utf8).write(to: URL(filePath: root + "/" + name)) }
        return read(ControlGroup(root: root))
    }

    @Test("pages of files that the kernel would drop are free, in both versions")
    func memory() throws {
        let statistics = "anon 5\ninactive_file 300\nactive_file 70\ntotal_inactive_file 300\n"
        let second = ["memory.max": "1000\n", "memory.current": "700\n", "memory.stat": statistics]
        #expect(try found(\.freeByteCount, in: second) == 600)
        let first = [
            "memory/memory.limit_in_bytes": "1000", "memory/memory.usage_in_bytes": "700",
            "memory/memory.stat": statistics,
        ]
        #expect(try found(\.freeByteCount, in: first) == 600)
        #expect(try found(\.freeByteCount, in: second.filter { $0.key != "memory.stat" }) == 300)
        #expect(try found(\.freeByteCount, in: second.merging(["memory.max": "max\n"]) { $1 }) == nil)
        #expect(try found(\.freeByteCount, in: second.merging(["memory.current": "1400\n"]) { $1 }) == 0)
        #expect(try found(\.freeByteCount, in: [:]) == nil)
    }

    @Test("a quota of time is a number of processors, rounded up")
    func processors() throws {
        #expect(try found(\.processorCount, in: ["cpu.max": "200000 100000\n"]) == 2)
        #expect(try found(\.processorCount, in: ["cpu.max": "250000 100000\n"]) == 3)
        #expect(try found(\.processorCount, in: ["cpu.max": "max 100000\n"]) == nil)
        #expect(
            try found(\.processorCount, in: ["cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"])
                == 1)
        #expect(
            try found(\.processorCount, in: ["cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"])
                == nil)
        #expect(HostMachine.processorCount() >= 1)
    }

    @Test(
        "a list of processors is counted",
        arguments: [("0-3,8\n", 5), ("\t0", 1), ("0,2-3", 3), ("", nil), ("3-1", nil), ("a-b", nil), ("1-", nil)]
            as [(String, Int?)])
    func lists(list: String, count: Int?) {
        #expect(HostMachine.processorCount(inList: list) == count)
    }
}
