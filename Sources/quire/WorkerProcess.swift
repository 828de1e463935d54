import CLibrary
import Comparison
import FoundationEssentials

/// Runs jobs in processes of their own: this program again, as a hidden command. A worker dies with its parent, because
/// its standard input ends then.
struct WorkerProcess {
    let directory: String

    /// The path of this program.
    static var executable: String {
        #if os(Linux)
            "/proc/self/exe"
        #else
            CommandLine.arguments[0]
        #endif
    }

    /// The outcome of `job`; a worker that dies without a result is a failure.
    func outcome(of job: CompareJob) -> PartOutcome {
        let (jobPath, resultPath) = (directory + "/job.json", directory + "/outcome.json")
        defer { for path in [jobPath, resultPath] { try? FileManager.default.removeItem(atPath: path) } }
        try? FileManager.default.removeItem(atPath: resultPath)
        do {
            try JSONEncoder().encode(job).write(to: URL(filePath: jobPath), options: .atomic)
        } catch {
            return PartOutcome(failure: .init(reason: "\(jobPath) cannot be written", isUserError: false))
        }
        let status = spawn([CompareWorkerCommand.name, jobPath, resultPath])
        if let data = FileManager.default.contents(atPath: resultPath),
            let outcome = try? JSONDecoder().decode(PartOutcome.self, from: data)
        {
            return outcome
        }
        return PartOutcome(failure: .init(reason: Self.sentence(about: status), isUserError: false))
    }

    /// Runs this program with `arguments`; its standard output goes to standard error. The status of `waitpid`, or nil
    /// where no process could be made.
    private func spawn(_ arguments: [String]) -> CInt? {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        defer { for end in ends { close(end) } }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
        #else
            var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
        var argv = (["quire"] + arguments).map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        var process = pid_t()
        guard posix_spawn(&process, Self.executable, &actions, nil, &argv, environ) == 0 else { return nil }
        var status: CInt = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status
    }

    private static func sentence(about status: CInt?) -> String {
        guard let status else { return "no process could be started: \(String(cString: strerror(errno)))" }
        // The low seven bits are the signal, the byte above them the exit status.
        guard status & 0x7F == 0 else {
            return "its process was ended by a signal: \(String(cString: strsignal(status & 0x7F)))"
        }
        return "its process ended with status \(status >> 8 & 0xFF) and no result"
    }
}

/// A worker's task in `quire compare`, as JSON in a file.
struct CompareJob: Codable {
    let part: ComparisonPart
    let config: String
    let overrides: [String]
    let inputs: ComparisonInputs
    let settings: ComparisonSettings
    let distributions: DistributionUse?
}
