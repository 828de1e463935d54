public import Benchmarking
import CLibrary
public import InferenceEngine

/// Puts an engine under load.
public enum LoadTest {
    /// The figures of every number of requests at once. Throws `ComparisonError.loadTooLong` and what the engine throws.
    public static func run(_ settings: ComparisonSettings, on engine: AsyncLLMEngine) async throws -> [BatchFigures] {
        let length = settings.loadPromptTokenCount + settings.loadOutputTokenCount
        guard length <= engine.limits.maxModelLength else {
            throw ComparisonError.loadTooLong(tokenCount: length, limit: engine.limits.maxModelLength)
        }
        var benchmark = BatchBenchmark()
        benchmark.promptTokenCount = settings.loadPromptTokenCount
        benchmark.outputTokenCount = settings.loadOutputTokenCount
        benchmark.concurrencies = settings.concurrencies
        return try await benchmark.run(on: engine)
    }

    /// Peak resident memory of this process, in bytes; 0 where the system does not report it.
    public static func peakResidentByteCount() -> Int {
        #if os(Linux)
            // Not `getrusage`, which counts the parent's memory from before this program was started.
            guard let file = fopen("/proc/self/status", "r") else { return 0 }
            defer { fclose(file) }
            let text = String(unsafeUninitializedCapacity: 1 << 14) { fread($0.baseAddress, 1, $0.count, file) }
            let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
        #else
            var usage = rusage()
            return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0
        #endif
    }
}
