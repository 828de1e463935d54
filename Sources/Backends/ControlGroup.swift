import SharedValues

/// What the control group of a container leaves a process: version 2, then 1.
struct ControlGroup {
    private let root: String

    /// The group whose files are at `root`.
    init(root: String = "/sys/fs/cgroup") { self.root = root }

    /// Bytes up to its limit; nil where it has none. Pages of files that nobody has used lately count as free, as the
    /// kernel drops them for whoever needs memory.
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

    /// Processors whose time it may use up at once, rounded up; nil where it has no limit.
    var processorCount: Int? {
        let quota = numbers(inFile: "cpu.max")
        let pair =
            quota.count == 2
            ? quota : ["quota", "period"].flatMap { numbers(inFile: "cpu/cpu.cfs_\($0)_us") }
        guard pair.count == 2, pair[0] > 0, pair[1] > 0 else { return nil }
        return pair[0].dividedUp(by: pair[1])
    }

    /// The numbers in a file of one line; nothing where it says `max`, or is not there.
    private func numbers(inFile name: String) -> [Int] {
        guard let fields = text(ofFile: name)?.split(whereSeparator: \.isWhitespace) else { return [] }
        let numbers = fields.compactMap { Int($0) }
        return numbers.count == fields.count ? numbers : []
    }

    private func text(ofFile name: String) -> String? { HostMachine.text(ofFile: root + "/" + name) }
}
