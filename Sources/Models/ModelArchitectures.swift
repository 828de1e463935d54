public import Weights

/// The architectures that come with Quire: a line each.
public enum ModelArchitectures {
    public static let builtin: [any ModelArchitecture] = [
        ApertusArchitecture(),
        ArceeArchitecture(),
        CohereArchitecture(),
        ErnieMoEArchitecture(),
        DeepSeekV2Architecture(),
        DeepSeekV3Architecture(),
        Exaone4Architecture(),
        GLM4Architecture(),
        GLM4MoEArchitecture(),
        GLM4MoELiteArchitecture(),
        GPT2Architecture(),
        GPTNeoXArchitecture(),
        GPTOSSArchitecture(),
        GemmaArchitecture(),
        Gemma2Architecture(),
        Gemma3Architecture(),
        Gemma4Architecture(),
        GraniteArchitecture(),
        HunyuanArchitecture(),
        LlamaArchitecture(),
        MiniCPMArchitecture(),
        MistralArchitecture(),
        Ministral3Architecture(),
        MixtralArchitecture(),
        OlmoArchitecture(),
        Olmo2Architecture(),
        OlmoeArchitecture(),
        PhiArchitecture(),
        Phi3Architecture(),
        PhiMoEArchitecture(),
        Qwen2Architecture(),
        Qwen2MoEArchitecture(),
        Qwen3Architecture(),
        Qwen3MoEArchitecture(),
        SeedOSSArchitecture(),
        SmolLM3Architecture(),
        StableLMArchitecture(),
        Starcoder2Architecture(),
    ]

    /// Their families, and what published families that are not among them need.
    public static var families: ModelFamilies {
        ModelFamilies(builtin.map(\.family), missing: ModelFamilies.unsupported)
    }

    /// The architecture of a checkpoint that was opened with `families`; nil: it was opened with others.
    public static func of(_ checkpoint: Checkpoint) -> (any ModelArchitecture)? {
        builtin.first { $0.family.name == checkpoint.family }
    }
}
