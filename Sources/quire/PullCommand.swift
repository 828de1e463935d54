import ArgumentParser
import ModelHub

/// `quire pull ORG/NAME`: fetches a model from a hub into the cache that other tools share.
struct PullCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Fetches a model from a Hugging Face hub into the cache.",
        discussion: """
            Fetches what serving needs: safetensors, configuration, tokenizer and chat templates, or one GGUF model. \
            Never pickles or code. Every file is checked against the hub's checksum, and an interrupted download goes \
            on where it ended. The cache is that of huggingface_hub: HF_HUB_CACHE, else hub in HF_HOME, else \
            ~/.cache/huggingface/hub. The access token of HF_TOKEN, HF_TOKEN_PATH or `hf auth login` goes to the hub \
            alone.
            """)
    @Argument(help: "ORG/NAME or ORG/NAME:REVISION, a branch, tag or commit.")
    var model: String
    @Option(help: "Which GGUF model of several: a file's name with * and ?, or a part of it, such as Q4_K_M.")
    var file: String?
    @Option(help: "The address of the hub; by default HF_ENDPOINT, else https://huggingface.co.")
    var endpoint: String?
    @Option(help: "A file with an access token, for private and restricted models.", completion: .file())
    var tokenFile: String?
    @Option(help: ArgumentHelp("Seconds without a byte after which a connection is lost.", visibility: .hidden))
    var stallSeconds = 30
    @Option(help: ArgumentHelp("Seconds before the second attempt.", visibility: .hidden))
    var retrySeconds = 1.0

    func run() throws {
        try exitingWithStatus {
            let reference = try ModelReference(model)
            guard let cache = HubEnvironment.cache else {
                throw ValidationError("neither HF_HUB_CACHE, HF_HOME nor HOME says where the cache is")
            }
            var options = try HubEnvironment.options(endpoint: endpoint, tokenFile: tokenFile)
            options.stallSeconds = stallSeconds
            options.retrySeconds = retrySeconds
            let progress = PullProgress()
            let pulled: PulledModel
            do throws(HubError) {
                pulled = try ModelPull(reference, into: cache, options, pattern: file).run { progress.show($0) }
            } catch {
                progress.end()
                throw error
            }
            progress.end()
            Console.write(pulled.path + "\n")
            // A snapshot with several GGUF models has no short name.
            let name = (try? cache.model(reference)) == pulled.path ? "\(reference)" : pulled.path
            Console.error("\(ByteCountText.text(pulled.byteCount)) are there. Serve them:  quire serve \(name)")
        }
    }
}
