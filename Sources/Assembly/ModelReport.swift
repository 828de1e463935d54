import BackendVulkan
import Backends
public import EngineConfig
import Models
import Plugins
import SharedValues
import Tensors
import Tokenization
import Weights

/// What a checkpoint is and what serving it needs, for people; made without reading the weights.
public struct ModelReport: Sendable, CustomStringConvertible {
    private let lines: [String]

    /// Opens the checkpoint that `configuration` names. Throws `AssemblyError` where it cannot be read; a model that Quire
    /// cannot serve is a line of the report.
    public init(_ configuration: EngineConfiguration, catalog: PluginCatalog) throws {
        let path = configuration.model.path
        var lines: [String] = []
        func add(_ name: String, _ value: String) {
            lines.append(name + String(repeating: " ", count: max(1, 14 - name.count)) + value)
        }
        try AssemblyError.requireModel(configuration)
        // A known family's class has defaults for the keys that a checkpoint leaves out.
        let known = Result { try Checkpoint(path: path, families: try catalog.families()) }
        // Of another family, at least what all checkpoints state.
        let opened = (try? known.get()) ?? (try? Checkpoint(path: path))
        let checkpoint = if let opened { opened } else { try AssemblyError.blaming(path) { try known.get() } }
        let metadata = checkpoint.metadata
        add("path", path)
        add("architecture", metadata.architecture)
        add("format", checkpoint.loaderName)
        add("vocabulary", "\(checkpoint.shape.vocabularySize) tokens")
        add("context", "\(checkpoint.shape.maxPositionCount) tokens")
        for line in Self.tensors(checkpoint.source) { add("tensors", line) }
        add("tokenizer", Self.tokenizer(checkpoint, configuration))
        let templates = checkpoint.chatTemplates.keys.sorted().joined(separator: ", ")
        add("chat template", templates.isEmpty ? "none" : templates)
        for warning in checkpoint.warnings { add("warning", warning) }
        do {
            var unread: [String] = []
            let plan = try catalog.plan(of: try known.get(), configuration, progress: { _ in }) {
                unread.append($0)
            }
            add("layers", "\(plan.cacheLayers.count) with keys and values")
            for warning in unread { add("warning", warning) }
            for line in Self.memory(plan, checkpoint.shape, configuration) { add("needs", line) }
        } catch {
            add("unsupported", "\(error)")
        }
        self.lines = lines
    }

    public var description: String { lines.map { $0 + "\n" }.joined() }

    /// A line for each type of tensors: how many there are, and their bytes.
    private static func tensors(_ source: any TensorSource) -> [String] {
        var sums: [String: (count: Int, byteCount: Int)] = [:]
        for name in source.tensorNames {
            let type: String
            var byteCount = 0
            do {
                let tensor = try source.tensor(named: name)
                (type, byteCount) = (tensor.type.rawValue, tensor.byteCount)
            } catch WeightLoadingError.unsupportedType(_, _, let found, _) {
                type = "\(found) (not supported)"
            } catch {
                type = "unreadable"
            }
            sums[type, default: (0, 0)].count += 1
            sums[type, default: (0, 0)].byteCount += byteCount
        }
        return sums.sorted { ($1.value.byteCount, $0.key) < ($0.value.byteCount, $1.key) }.map { type, sum in
            "\(type): \(sum.count), \(size(sum.byteCount))"
        }
    }

    private static func tokenizer(_ checkpoint: Checkpoint, _ configuration: EngineConfiguration) -> String {
        let kind =
            switch checkpoint.tokenizer {
            case .tokenizerJSON: "tokenizer.json"
            case .gguf(let vocabulary): vocabulary.model + (vocabulary.pre.map { ", \($0)" } ?? "")
            }
        do {
            let tokenizer = try ServedModel.tokenizer(checkpoint, configuration)
            return "\(kind), \(tokenizer.vocabularySize) tokens"
        } catch {
            return "\(kind), not supported: \(error)"
        }
    }

    /// Weights, cache, and the longest sequence that fits beside the weights into each device.
    private static func memory(
        _ plan: ForwardPlan, _ shape: ModelShape, _ configuration: EngineConfiguration
    ) -> [String] {
        let (weights, experts) = (plan.matrixByteCount, plan.expertByteCount)
        // What a device with memory of its own does not keep there.
        let onHost = configuration.model.expertMemory.map { max(0, experts - $0) } ?? 0
        let type = configuration.cache.dtype ?? CacheType(plan.matrices.first?.weights.elementType ?? .f32)
        let layout = CacheLayout(plan, blockSize: configuration.cache.blockSize, type: type)
        let chunk = configuration.scheduler.maxNumBatchedTokens
        var lines = [
            "\(size(weights)) for weights",
            "\(layout.tokenByteCount) bytes of cache for each token (\(layout.type.rawValue))",
        ]
        if experts > 0 {
            let rest = onHost > 0 ? "\(size(onHost)) of them in the host's memory beside a card" : "on the device"
            lines.insert("\(size(experts)) of the weights are experts, \(rest) (model.expert_memory)", at: 1)
        }
        let windows = layout.groups.compactMap(\.slidingWindow)
        if let window = windows.max() {
            let count = layout.groups.maximumBlockCount(
                forTokens: shape.maxPositionCount, chunkTokenCount: chunk)
            lines.append(
                "\(size(count * layout.blockByteCount)) of cache for "
                    + "\(shape.maxPositionCount) tokens, as \(windows.count) of \(layout.groups.count) groups of layers "
                    + "have a window of \(window)")
        }
        var devices: [(name: String, byteCount: Int, hasOwnMemory: Bool)] = [
            ("CPU (\(HostMachine.processorCount()) threads)", HostMachine.freeByteCount(), false)
        ]
        for device in (try? VulkanBackend.devices()) ?? [] {
            if let obstacle = device.obstacle {
                lines.append("\(obstacle)")
                continue
            }
            devices.append((device.facts.name, device.facts.memoryByteCount, device.facts.kind == .discrete))
        }
        for device in devices {
            // Scratch memory and what other programs use.
            let taken = device.hasOwnMemory ? weights - onHost : weights
            let room = Int(Double(device.byteCount) * CacheSize.defaultFraction) - taken
            let fitting = max(room, 0) / max(layout.blockByteCount, 1)
            let tokens = layout.groups.maximumTokenCount(
                inBlocks: fitting, chunkTokenCount: chunk,
                limit: shape.extendedPositionCount)
            let whole = tokens == shape.extendedPositionCount ? " (all that the model allows)" : ""
            lines.append(
                room <= 0
                    ? "\(device.name), \(size(device.byteCount)): the weights do not fit"
                    : "\(device.name), \(size(device.byteCount)): one sequence of up to \(tokens) tokens\(whole)")
        }
        return lines
    }

    private static func size(_ byteCount: Int) -> String {
        let tenths = byteCount / (1 << 20) * 10 / 1024
        if byteCount >= 1 << 30 { return "\(tenths / 10).\(tenths % 10) GiB" }
        return byteCount >= 1 << 20 ? "\(byteCount >> 20) MiB" : "\(byteCount >> 10) KiB"
    }
}
