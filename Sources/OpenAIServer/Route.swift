import Hummingbird

/// The paths of the server.
enum Route: Equatable, Sendable {
    case models, completions, chatCompletions, tokenize, detokenize, health, ping, version, metrics
    case loadAdapter, unloadAdapter
    /// One model by name.
    case model(String)

    /// Methods that appear by name in metrics.
    static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .delete, .options, .patch]

    private static let byPath: [String: Route] = [
        "/v1/models": .models, "/v1/completions": .completions, "/v1/chat/completions": .chatCompletions,
        "/tokenize": .tokenize, "/detokenize": .detokenize, "/health": .health, "/ping": .ping, "/version": .version,
        "/metrics": .metrics, "/v1/load_lora_adapter": .loadAdapter, "/v1/unload_lora_adapter": .unloadAdapter,
    ]

    /// The route at `path`; nil: there is none.
    init?(path: String) {
        if let route = Self.byPath[path] {
            self = route
        } else if path.hasPrefix("/v1/models/"), path.count > "/v1/models/".count {
            self = .model(String(path.dropFirst("/v1/models/".count)).percentDecoded)
        } else {
            return nil
        }
    }

    /// The path, with a placeholder for names.
    var path: String {
        if case .model = self { return "/v1/models/{model}" }
        return Self.byPath.first { $0.value == self }?.key ?? ""
    }

    /// Whether the route needs no key, because it does not use the model.
    var isPublic: Bool { [.health, .ping, .version, .metrics].contains(self) }

    /// The methods that the route supports.
    var allowed: [HTTPRequest.Method] {
        switch self {
        case .models, .model, .health, .version, .metrics: [.get, .head]
        case .ping: [.get, .head, .post]
        case .completions, .chatCompletions, .tokenize, .detokenize, .loadAdapter, .unloadAdapter: [.post]
        }
    }
}

extension String {
    /// The text with `%41` as `A`; bytes that are not UTF-8 become U+FFFD.
    fileprivate var percentDecoded: String {
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let hex = String(rest.prefix(2)), hex.utf8.count == 2,
                let value = UInt8(hex, radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
