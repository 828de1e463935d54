/// How the texts of a byte-level BPE are split, by the names that GGUF files give (`tokenizer.ggml.pre`).
///
/// The expressions are those of the models' `tokenizer.json` files; each splits the words of the one before it.
struct GGUFPreTokenizer {
    var expressions: [String]
    /// Whether the text is brought into normalization form C first.
    var composes = false
    /// Whether words of the vocabulary become one token without merging.
    var ignoresMerges = false
    /// Whether a text begins with the vocabulary's first token, where the file does not say.
    var addsBOS = false

    private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    private static let spaces = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
    static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    private static let llama3 =
        contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"# + spaces
    private static let qwen2 = contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"# + spaces
    /// Words of upper-case letters and then lower-case ones, as in o200k and tekken; `end` may follow them.
    private static func casedWords(_ end: String) -> String {
        let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
        let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
        return #"[^\r\n\p{L}\p{N}]?"# + upper + "*" + lower + "+" + end + #"|[^\r\n\p{L}\p{N}]?"# + upper + "+" + lower
            + "*"
            + end
    }
    private static let o200k =
        casedWords(contractions + "?") + #"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*"# + spaces
    private static let tekken = casedWords("") + #"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*"# + spaces
    private static let deepSeekV3 = [
        #"\p{N}{1,3}"#, "[一-龥\u{3040}-ゟ゠-ヿ]+",
        ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"##
            + spaces,
    ]
    /// The letters that have case, as DeepSeek's tokenizer lists them.
    private static let casedLetters =
        "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u{1F7D}ᾀ-ᾴᾶ-ᾼ"
        + "\u{1FBE}ῂ-ῄῆ-ῌῐ-\u{1FD3}ῖ-\u{1FDB}ῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u{2126}ℨ\u{212A}-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯ"
        + "ꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃"

    /// The rules of each name.
    static let named: [String: GGUFPreTokenizer] = {
        var rules: [String: GGUFPreTokenizer] = [:]
        func add(
            _ names: String, _ expressions: [String], composes: Bool = false, ignoresMerges: Bool = false,
            addsBOS: Bool = false
        ) {
            for name in names.split(separator: " ") {
                rules[String(name)] = GGUFPreTokenizer(
                    expressions: expressions, composes: composes, ignoresMerges: ignoresMerges, addsBOS: addsBOS)
            }
        }
        // Old converters wrote `default`; transformers applies GPT-2's rules to those files.
        add(
            "default gpt-2 phi-2 gigachat a.x-4.0 mellum mpt jais trillion granite-docling exaone4 roberta-bpe jina-es jina-de "
                + "jina-v1-en jina-v2-es jina-v2-de jina-v2-code modern-bert", [gpt2])
        add("olmo", [gpt2], composes: true)
        add("smollm starcoder refact codeshell exaone minerva-7b mellum2", [#"\p{N}"#, gpt2])
        add("command-r", [#"\p{N}"#, gpt2], composes: true)
        add(
            "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", [llama3],
            ignoresMerges: true, addsBOS: true)
        add("glm4 chatglm-bpe dbrx smaug-bpe", [llama3])
        add("qwen2 deepseek-r1-qwen kormo f2llmv2", [qwen2], composes: true)
        add("stablelm2 hunyuan megrez solar-open grok-2", [qwen2])
        add(
            "qwen35",
            [
                contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"# + spaces
            ], composes: true)
        add("gpt-4o llama4 kanana2 talkie minimax-m2", [o200k])
        add("tiny_aya cohere2moe", [#"\d{1,3}(?=(?:\d{3})*\b)"#, o200k], composes: true)
        add("tekken", [tekken], ignoresMerges: true, addsBOS: true)
        add("deepseek-v3 hunyuan-dense joyai-llm hy_v4", deepSeekV3)
        add(
            "deepseek-llm",
            [
                #"[\r\n]"#, #"\s?["# + casedLetters + "]+", #"\s?[!-/:-~！-／：-～‘-‟　-。]+"#, #"\s+$"#,
                "[一-龥ࠀ-一가-\u{D7FF}]+",
                #"\p{N}+"#,
            ])
        add(
            "deepseek-coder",
            [#"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, "[一-龥ࠀ-一가-\u{D7FF}]+", #"\p{N}"#])
        add("falcon", [#"[\p{P}\$\+<=>\^~\|`]+"#, gpt2, "[0-9][0-9][0-9]"])
        add("superbpe", [#"\p{N}+"#, #"(?=(\d{3})+(?!\d))"#])
        add(
            "bailingmoe bailingmoe2 llada-moe",
            [
                #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"#
            ])
        add(
            "seed-coder",
            [contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+"# + spaces])
        add(
            "minicpm5",
            [
                #"\p{N}{1,3}"#,
                contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*"# + spaces,
            ], ignoresMerges: true)
        add(
            "exaone-moe",
            [
                contractions + #"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?"#
                    + #"|\s*[\r\n]|\s+(?!\S)|\s+"#
            ])
        add("bloom poro-chat gpt3-finnish", [#" ?[^(\s|.,!?…。，、।۔،)]+"#])
        add("viking", [#" ?[^(\s|.,!?…。，、।۔،)]+"#, #"\p{N}"#])
        return rules
    }()
}
