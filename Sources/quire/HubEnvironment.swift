import CLibrary
import ModelHub
import SharedValues

/// What the environment says about hubs and their cache: the variables of huggingface_hub, so that one setting serves
/// every tool.
enum HubEnvironment {
    /// `HF_HUB_CACHE`, else `hub` in `HF_HOME`, else in `~/.cache/huggingface`. Nil where there is no home directory.
    static var cache: HubCache? {
        let directory = variable("HF_HUB_CACHE") ?? variable("HUGGINGFACE_HUB_CACHE") ?? home.map { $0 + "/hub" }
        return directory.map { HubCache(directory: expanded($0)) }
    }

    /// `HF_HOME`, else `huggingface` in the user's cache.
    private static var home: String? {
        let cache = variable("XDG_CACHE_HOME") ?? variable("HOME").map { $0 + "/.cache" }
        return variable("HF_HOME") ?? cache.map { $0 + "/huggingface" }
    }

    /// How to reach the hub: what the command line says, else `HF_ENDPOINT` and `HF_TOKEN`, or the token that
    /// `hf auth login` has stored.
    static func options(endpoint: String?, tokenFile: String?) throws(HubError) -> HubOptions {
        var options = HubOptions(
            endpoint: try HubEndpoint(endpoint ?? variable("HF_ENDPOINT") ?? HubEndpoint.huggingFace))
        options.userAgent = "quire/\(QuireVersion.current)"
        options.certificateFile = variable("SSL_CERT_FILE")
        options.token = try token(file: tokenFile)
        return options
    }

    private static func token(file: String?) throws(HubError) -> Secret? {
        if let file { return try HubOptions.token(file: expanded(file), isRequired: true) }
        for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] {
            if let text = variable(name), let token = try HubOptions.token(text, from: name) { return token }
        }
        guard let file = variable("HF_TOKEN_PATH") ?? home.map({ $0 + "/token" }) else { return nil }
        return try HubOptions.token(file: expanded(file), isRequired: false)
    }

    /// A variable that is set to something.
    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func expanded(_ path: String) -> String {
        guard path == "~" || path.hasPrefix("~/"), let home = variable("HOME") else { return path }
        return home + path.dropFirst()
    }
}
