import CLibrary
import CQuirePlugin
import Requests
import Scheduling

// Swift values as the C structs of `quire_plugin.h`.

/// Requests as C structs, with the memory of their tenants' names.
struct RequestBatch {
    private var requests: [quire_request] = []
    private var names: [UInt8] = []
    private var offsets: [Int] = []

    init(_ views: some Sequence<RequestView>) {
        for view in views { append(view) }
    }

    private mutating func append(_ view: RequestView) {
        var request = quire_request()
        request.id = view.id.rawValue
        request.arrival_ns = view.arrival.nanoseconds
        request.deadline_ns = view.deadline?.nanoseconds ?? .max
        request.priority = Int64(view.priority)
        request.tenant_length = UInt64(view.tenant.utf8.count)
        request.prompt_tokens = Int64(view.promptCount)
        request.output_tokens = Int64(view.outputCount)
        request.output_limit = Int64(view.outputLimit)
        request.computed_tokens = Int64(view.computedCount)
        request.cached_tokens = Int64(view.cachedCount)
        request.preemptions = Int64(view.preemptionCount)
        request.blocks = Int64(view.blockCount)
        requests.append(request)
        offsets.append(names.count)
        names += view.tenant.utf8
        names.append(0)
    }

    /// The requests, valid inside `body`.
    mutating func withRequests<Result>(_ body: (UnsafeBufferPointer<quire_request>) -> Result) -> Result {
        names.withUnsafeBytes { names in
            for index in requests.indices {
                let name = names.baseAddress.map { $0 + offsets[index] }
                requests[index].tenant = name?.assumingMemoryBound(to: CChar.self)
            }
            return requests.withUnsafeBufferPointer(body)
        }
    }
}

extension quire_load {
    init(_ load: EngineLoad) {
        self.init()
        running = Int64(load.runningCount)
        waiting = Int64(load.waitingCount)
        max_running = Int64(load.maxSequenceCount)
        token_budget = Int64(load.tokenBudget)
        max_batched_tokens = Int64(load.maxBatchedTokenCount)
        free_tokens = Int64(load.freeTokenCount)
        capacity_tokens = Int64(load.capacityTokenCount)
    }
}

extension quire_progress {
    init(_ progress: StepProgress) {
        self.init(
            computed_tokens: Int64(progress.computedCount), recomputed_tokens: Int64(progress.recomputedCount),
            produced_tokens: Int64(progress.producedCount))
    }
}

extension FinishReason {
    var code: Int32 {
        switch self {
        case .stopToken, .stopString: Int32(QUIRE_STOPPED)
        case .length: Int32(QUIRE_LENGTH)
        case .abort: Int32(QUIRE_ABORTED)
        case .failure: Int32(QUIRE_FAILED)
        case .rejected: Int32(QUIRE_REJECTED)
        }
    }
}

extension quire_message {
    /// The text up to its zero byte, or to the end of the field.
    var sentence: String {
        withUnsafeBytes(of: text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// Options as C structs, sorted by key.
struct OptionList {
    private let entries: [(key: String, text: String)]

    init(_ options: [String: String]) {
        entries = options.sorted { $0.key < $1.key }.map { (key: $0.key, text: $0.value) }
    }

    /// Calls `function` with the options and memory for its error. Returns the error's sentence, nil for status 0.
    func withOptions(
        _ function: (UnsafeBufferPointer<quire_option>, UnsafeMutablePointer<quire_message>) -> Int32
    ) -> String? {
        let options = entries.map { entry in
            quire_option(
                key: strdup(entry.key), text: strdup(entry.text), number: Double(entry.text) ?? .nan)
        }
        defer {
            for option in options {
                free(UnsafeMutablePointer(mutating: option.key))
                free(UnsafeMutablePointer(mutating: option.text))
            }
        }
        var message = quire_message()
        let status = options.withUnsafeBufferPointer { function($0, &message) }
        guard status != 0 else { return nil }
        return message.sentence.isEmpty ? "status \(status)" : message.sentence
    }
}
