public import Weights

extension ModelFamilies {
    /// Published families that need what Quire lacks, by model type, class or GGUF architecture.
    public static let unsupported: [String: String] = {
        let experts = "its layers have experts of another kind"
        let recurrent = "it has recurrent layers"
        let latent = "its attention has latent keys and values"
        let encoder = "it is no decoder"
        var missing: [String: String] = [:]
        for name in [
            "qwen3_vl_moe", "granitemoeshared", "dbrx", "hunyuan_v1_moe", "hunyuan-moe",
            "llama4", "llama4_text", "minimax", "minimax_m2", "dots1", "arctic", "grok",
            "bailingmoe", "flex_olmo", "cohere2_moe", "exaone_moe", "mimo_v2_flash", "solar_open", "jetmoe",
        ] { missing[name] = experts }
        for name in [
            "mamba", "mamba2", "falcon_mamba", "jamba", "bamba", "falcon_h1", "falcon-h1", "nemotron_h", "zamba",
            "zamba2", "lfm2", "lfm2_moe", "lfm2moe", "qwen3_next", "qwen3next", "qwen3_5", "qwen3_5_text", "qwen35",
            "qwen3_5_moe", "qwen35moe", "recurrent_gemma", "rwkv", "rwkv6", "rwkv7", "granitehybrid", "kimi_linear",
            "olmo_hybrid", "plamo2", "xlstm", "qwen4_exp",
        ] { missing[name] = recurrent }
        for name in ["minicpm3", "longcat_flash", "mistral4", "plm"] { missing[name] = latent }
        for name in ["bert", "nomic-bert", "roberta", "t5", "t5encoder", "mt5", "bart", "whisper", "modernbert"] {
            missing[name] = encoder
        }
        return missing
    }()
}
