#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

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
        // Control group version 2, then 1.
        let groups = [
            ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
        ]
        for (limitFile, usageFile) in groups {
            if let limit = number(inFile: limitFile), let usage = number(inFile: usageFile) {
                free = min(free, max(0, limit - usage))
                break
            }
        }
        return free
    }

    /// The processor's name, such as "AMD EPYC 9654".
    public static func processorName() -> String {
        let line = text(ofFile: "/proc/cpuinfo")?.split(separator: "\n").first { $0.hasPrefix("model name") }
        guard let name = line?.split(separator: ":", maxSplits: 1).last else { return "CPU" }
        return name.drop { $0 == " " }.description
    }

    /// Processors that this process may use.
    public static func processorCount() -> Int {
        max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    private static func number(inFile path: String) -> Int? {
        text(ofFile: path).flatMap { Int($0.prefix { $0.isNumber }) }
    }

    /// The first 64 KiB of a small file of the kernel's; nil where there is none.
    private static func text(ofFile path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        return String(unsafeUninitializedCapacity: 1 << 16) { target in
            fread(target.baseAddress, 1, target.count, file)
        }
    }
}
