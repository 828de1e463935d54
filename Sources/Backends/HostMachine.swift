import CLibrary
import SharedValues

/// Free memory and processors of the host.
public enum HostMachine {
    /// Bytes that can be allocated without swapping: the kernel's available memory, or less under a control group.
    public static func freeByteCount() -> Int {
        let physical = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        var free = physical
        if let line = text(ofFile: "/proc/meminfo")?.split(separator: "\n").first(where: {
            $0.hasPrefix("MemAvailable:")
        }),
            let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        {
            free = kibibytes * 1024
        }
        return min(free, ControlGroup().freeByteCount ?? free)
    }

    /// The processor's name, such as "AMD EPYC 9654".
    public static func processorName() -> String {
        let line = text(ofFile: "/proc/cpuinfo")?.split(separator: "\n").first { $0.hasPrefix("model name") }
        guard let name = line?.split(separator: ":", maxSplits: 1).last else { return "CPU" }
        return name.drop { $0 == " " }.description
    }

    /// Processors that this process may use: those of its affinity, or fewer where a control group says so.
    public static func processorCount() -> Int {
        let allowed = affinityCount() ?? sysconf(Int32(_SC_NPROCESSORS_ONLN))
        return max(1, min(allowed, ControlGroup().processorCount ?? allowed))
    }

    /// Processors in the affinity of the process; nil where the system does not tell.
    private static func affinityCount() -> Int? {
        let name = "Cpus_allowed_list:"
        let line = text(ofFile: "/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix(name) }
        return line.flatMap { processorCount(inList: String($0.dropFirst(name.utf8.count))) }
    }

    /// Processors of a list such as `0-3,8`; nil for other text.
    static func processorCount(inList list: String) -> Int? {
        var count = 0
        for range in list.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            let bounds = range.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(bounds.count), let first = bounds[0], let last = bounds[bounds.count - 1],
                first <= last
            else { return nil }
            count += last - first + 1
        }
        return count > 0 ? count : nil
    }

    /// The first 64 KiB of a file; nil if it cannot be opened.
    static func text(ofFile path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        return String(unsafeUninitializedCapacity: 1 << 16) { target in
            fread(target.baseAddress, 1, target.count, file)
        }
    }
}

/// The limits of the control group that a container runs in: version 2, or else version 1.
struct ControlGroup {
    private let root: String

    /// The group whose files are at `root`.
    init(root: String = "/sys/fs/cgroup") { self.root = root }

    /// Bytes up to its limit; nil without a limit. Inactive pages of files count as free, because the kernel drops them
    /// when memory is needed.
    var freeByteCount: Int? {
        let versions = [
            ("memory.max", "memory.current", "memory.stat", "inactive_file"),
            (
                "memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat",
                "total_inactive_file"
            ),
        ]
        for (limitFile, usageFile, statisticsFile, droppable) in versions {
            guard let limit = numbers(inFile: limitFile).first, let usage = numbers(inFile: usageFile).first else {
                continue
            }
            let dropped = text(ofFile: statisticsFile)?.split(separator: "\n").lazy
                .compactMap { line in
                    line.hasPrefix(droppable + " ") ? Int(line.dropFirst(droppable.utf8.count + 1)) : nil
                }
                .first
            return max(0, limit - max(0, usage - (dropped ?? 0)))
        }
        return nil
    }

    /// The processors that its quota of processor time amounts to, rounded up; nil without a limit.
    var processorCount: Int? {
        let quota = numbers(inFile: "cpu.max")
        let pair =
            quota.count == 2
            ? quota : ["quota", "period"].flatMap { numbers(inFile: "cpu/cpu.cfs_\($0)_us") }
        guard pair.count == 2, pair[0] > 0, pair[1] > 0 else { return nil }
        return pair[0].dividedUp(by: pair[1])
    }

    /// The numbers in a file of one line; none where the file is missing or says `max`.
    private func numbers(inFile name: String) -> [Int] {
        guard let fields = text(ofFile: name)?.split(whereSeparator: \.isWhitespace) else { return [] }
        let numbers = fields.compactMap { Int($0) }
        return numbers.count == fields.count ? numbers : []
    }

    private func text(ofFile name: String) -> String? { HostMachine.text(ofFile: root + "/" + name) }
}
