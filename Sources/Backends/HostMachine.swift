import CLibrary

/// What the host says about itself.
public enum HostMachine {
    /// Bytes that can be taken without swapping: what the kernel calls available, or less where a control group says so.
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

    /// Processors that the process's threads may run on; nil where the system does not say.
    private static func affinityCount() -> Int? {
        let name = "Cpus_allowed_list:"
        let line = text(ofFile: "/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix(name) }
        return line.flatMap { processorCount(inList: String($0.dropFirst(name.utf8.count))) }
    }

    /// Processors of a list such as `0-3,8`; nil for what is none.
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

    /// The first 64 KiB of a small file of the kernel's; nil where there is none.
    static func text(ofFile path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        return String(unsafeUninitializedCapacity: 1 << 16) { target in
            fread(target.baseAddress, 1, target.count, file)
        }
    }
}
