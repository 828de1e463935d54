#!/usr/bin/env python3
"""Makes a small random checkpoint of each model family, and what Hugging Face transformers computes with it.

usage: make_families.py [NAME ...]             (all of FAMILIES by default)
       make_families.py --gguf [NAME ...]      (only the GGUF files, from the checkpoints that exist)

  pip install "torch==2.13.0+cpu" transformers==5.24.0 gguf==0.19.0 safetensors==0.8.0

families/NAME/config.json, model.safetensors    as transformers writes them, weights in bf16
families/NAME/model.gguf                        the same weights with GGUF's names, where gguf-py knows the family
families/NAME/goldens.json
    {versions, seed, prompts: [{tokens, logits_from, logits, greedy, margins}]}, as make_goldens.py describes them: logits in
    float32 of the last four tokens of each prompt, and 24 greedy tokens

Windows and the lengths at which rotary scalings change are shorter than the prompts, so that both sides are reached.
"""
import json, os, random, shutil, sys

import gguf, numpy, safetensors, torch, transformers
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

import make_goldens
from make_goldens import SAFE_MARGIN, greedy, rounded, write

HERE = os.path.dirname(os.path.abspath(__file__))
VERSIONS = dict(
    transformers=transformers.__version__, torch=torch.__version__, gguf="0.19.0", safetensors=safetensors.__version__)

SMALL = dict(
    vocab_size=96, hidden_size=32, intermediate_size=48, num_hidden_layers=4, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=256, bos_token_id=1, eos_token_id=2, pad_token_id=0,
    tie_word_embeddings=False)
DEFAULT_ROPE = dict(rope_type="default", rope_theta=10000.0)
SLIDING = ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"]
# name: (model_type, changes to SMALL, GGUF architecture or None, prompt lengths)
FAMILIES = {
    "llama": ("llama", dict(head_dim=12), "llama", None),
    "llama-linear": ("llama", dict(rope_parameters=dict(rope_type="linear", factor=4.0, rope_theta=10000.0)), "llama", None),
    "llama-yarn": ("llama", dict(head_dim=16, rope_parameters=dict(
        rope_type="yarn", factor=8.0, original_max_position_embeddings=32, rope_theta=10000.0)), "llama", None),
    "llama-longrope": ("llama", dict(head_dim=8, original_max_position_embeddings=16, rope_parameters=dict(
        rope_type="longrope", original_max_position_embeddings=16, rope_theta=10000.0,
        short_factor=[1.0, 1.1, 1.2, 1.3], long_factor=[1.0, 2.0, 4.0, 8.0])), None, (17, 40, 60)),
    "mistral": ("mistral", dict(sliding_window=8, head_dim=8), None, None),
    "ministral": ("ministral", dict(sliding_window=8, layer_types=SLIDING, head_dim=8), None, None),
    "ministral3": ("ministral3", dict(head_dim=16, rope_parameters=dict(
        rope_type="yarn", rope_theta=10000.0, factor=8.0, original_max_position_embeddings=16, beta_fast=32.0, beta_slow=1.0,
        mscale=1.0, mscale_all_dim=1.0, llama_4_scaling_beta=0.3, max_position_embeddings=256)), "mistral3", None),
    "qwen2": ("qwen2", dict(), "qwen2", None),
    "qwen2-window": ("qwen2", dict(use_sliding_window=True, sliding_window=8, max_window_layers=2), None, None),
    "qwen3": ("qwen3", dict(head_dim=16, tie_word_embeddings=True), "qwen3", None),
    "gemma": ("gemma", dict(head_dim=16, tie_word_embeddings=True), "gemma", None),
    "gemma2": ("gemma2", dict(head_dim=16, tie_word_embeddings=True, sliding_window=8, query_pre_attn_scalar=16,
                              attn_logit_softcapping=5.0, final_logit_softcapping=8.0), "gemma2", None),
    "gemma3": ("gemma3_text", dict(
        head_dim=16, tie_word_embeddings=True, sliding_window=8, query_pre_attn_scalar=16, num_hidden_layers=6,
        rope_parameters=dict(sliding_attention=DEFAULT_ROPE,
                             full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1000000.0))), "gemma3", None),
    "gemma4": ("gemma4_text", dict(
        head_dim=8, global_head_dim=16, tie_word_embeddings=True, sliding_window=8, num_hidden_layers=6,
        layer_types=["sliding_attention", "sliding_attention", "full_attention"] * 2, num_kv_shared_layers=2,
        use_double_wide_mlp=True, hidden_size_per_layer_input=8, vocab_size_per_layer_input=96,
        final_logit_softcapping=8.0), "gemma4", None),
    "gemma4-global-heads": ("gemma4_text", dict(
        head_dim=8, global_head_dim=16, num_global_key_value_heads=1, attention_k_eq_v=True, tie_word_embeddings=True,
        sliding_window=8, layer_types=SLIDING, hidden_size_per_layer_input=0), None, None),
    "phi3": ("phi3", dict(), "phi3", None),
    "phi3-longrope": ("phi3", dict(
        sliding_window=None, original_max_position_embeddings=16, rope_parameters=dict(
            rope_type="longrope", rope_theta=10000.0, partial_rotary_factor=0.75, original_max_position_embeddings=16,
            short_factor=[1.0, 1.1, 1.2], long_factor=[1.0, 2.0, 4.0])), None, (17, 40, 60)),
    "phi": ("phi", dict(num_key_value_heads=4), "phi2", None),
    "olmo": ("olmo", dict(), "olmo", None),
    "olmo2": ("olmo2", dict(), "olmo2", None),
    "olmo3": ("olmo3", dict(sliding_window=8, rope_parameters=dict(
        sliding_attention=DEFAULT_ROPE, full_attention=dict(
            rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=16))), "olmo2", None),
    "smollm3": ("smollm3", dict(no_rope_layers=[1, 1, 1, 0], tie_word_embeddings=True), "smollm3", None),
    "granite": ("granite", dict(embedding_multiplier=3.0, residual_multiplier=0.5, attention_multiplier=0.2,
                                logits_scaling=4.0), "granite", None),
    "granite4": ("granitemoehybrid", dict(
        num_local_experts=0, shared_intermediate_size=48, mamba_n_heads=2, layer_types=["attention"] * 4, position_embedding_type="rope",
        embedding_multiplier=3.0, residual_multiplier=0.5, attention_multiplier=0.2, logits_scaling=4.0), None, None),
    "glm": ("glm", dict(head_dim=16), None, None),
    "glm4": ("glm4", dict(head_dim=16), "glm4", None),
    "cohere": ("cohere", dict(num_hidden_layers=3, use_qk_norm=True, tie_word_embeddings=True), "command-r", None),
    "cohere2": ("cohere2", dict(sliding_window=8, head_dim=16, tie_word_embeddings=True), "cohere2", None),
    "stablelm": ("stablelm", dict(use_qkv_bias=True, num_attention_heads=2, num_key_value_heads=2), "stablelm", None),
    "stablelm-parallel": ("stablelm", dict(
        use_parallel_residual=True, num_attention_heads=2, num_key_value_heads=2), None, None),
    "starcoder2": ("starcoder2", dict(sliding_window=8, tie_word_embeddings=True), "starcoder2", None),
    "gpt-neox": ("gpt_neox", dict(), "gptneox", None),
    "gpt-neox-sequential": ("gpt_neox", dict(use_parallel_residual=False), None, None),
    "gpt2": ("gpt2", dict(n_positions=256, n_embd=32, n_layer=4, n_head=4, tie_word_embeddings=True), "gpt2", None),
    "exaone4": ("exaone4", dict(sliding_window=8, sliding_window_pattern=4, layer_types=SLIDING), "exaone4", None),
    "exaone4-full": ("exaone4", dict(sliding_window=None, layer_types=["full_attention"] * 4), None, None),
    "seed-oss": ("seed_oss", dict(head_dim=16), "seed_oss", None),
    "apertus": ("apertus", dict(rope_parameters=dict(
        rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=16)), "apertus", None),
    "hunyuan": ("hunyuan_v1_dense", dict(head_dim=16, rope_parameters=dict(
        rope_type="dynamic", alpha=10.0, rope_theta=10000.0, factor=1.0)), "hunyuan-dense", None),
    "arcee": ("arcee", dict(head_dim=8), "arcee", None),
}


def is_norm(key):
    return any(part in key for part in ("norm", "ln_", "layernorm"))


@torch.no_grad()
def randomize(model, seed):
    """Wide weights, so that logits spread and a wrong head, bias or angle shows at once."""
    generator = torch.Generator().manual_seed(seed)
    zero_centred = model.config.model_type in ("gemma", "gemma2", "gemma3_text")
    for key, weight in sorted(model.named_parameters()):
        noise = torch.randn(weight.shape, generator=generator)
        if "act_fn" in key:
            weight.copy_(0.3 + 0.1 * noise)
        elif is_norm(key) and key.endswith("weight"):
            weight.copy_(0.2 * noise if zero_centred else 1 + 0.2 * noise)
        else:
            weight.copy_((0.2 if is_norm(key) else 0.3) * noise)
    for key, buffer in model.named_buffers():
        if key.endswith("layer_scalar"):
            buffer.copy_(torch.full_like(buffer, 0.75))


def make(name):
    model_type, changes, architecture, lengths = FAMILIES[name]
    seed = 1000 + list(FAMILIES).index(name)
    directory = os.path.join(HERE, "families", name)
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    config = CONFIG_MAPPING[model_type](**{**SMALL, **changes})
    model = AutoModelForCausalLM.from_config(config)
    randomize(model, seed)
    model.to(torch.bfloat16).save_pretrained(directory)
    for file in os.listdir(directory):
        os.chmod(os.path.join(directory, file), 0o644)
    generation = os.path.join(directory, "generation_config.json")
    if os.path.exists(generation):
        os.remove(generation)
    # Read back what a user would load, computed in float32.
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
    write_goldens(name, model, seed, lengths or (1, 7, 40))
    if architecture:
        write_gguf(os.path.join(directory, "model.gguf"), architecture, model)
    size = sum(os.path.getsize(os.path.join(directory, file)) for file in os.listdir(directory))
    print(f"{name}: {size // 1000} kB")


def write_goldens(name, model, seed, lengths):
    rng, prompts = random.Random(seed), []
    for length in lengths:
        for attempt in range(1000):
            tokens = [rng.randrange(3, model.config.vocab_size) for _ in range(length)]
            chosen, margins, logits = greedy(model, tokens, 24, use_cache=False)
            if min(margins) >= SAFE_MARGIN:
                break
        else:
            sys.exit(f"{name}: no prompt of {length} tokens has safe margins")
        with torch.no_grad():
            logits = model(torch.tensor([tokens]), use_cache=False).logits[0].float()
        first = max(0, length - 4)
        prompts.append(dict(tokens=tokens, logits_from=first, logits=[rounded(row) for row in logits[first:]],
                            greedy=chosen, margins=rounded(torch.tensor(margins))))
    write(f"families/{name}/goldens.json", dict(VERSIONS, seed=seed, prompts=prompts))


# --- the same weights as GGUF ------------------------------------------------------------------------------------

def neighbours(weight, heads):
    """Rows of q or k from Hugging Face's order (halves of a head) to llama.cpp's (neighbours)."""
    shape = weight.shape
    return weight.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def write_gguf(path, architecture, model):
    config = model.config
    if architecture == "gemma4":
        config.allow_global_per_layer_attribute_access = True
    get = lambda key, default=None: getattr(config, key, default)
    layers = config.num_hidden_layers
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(layers)
    # GPT-2's class does not read `intermediate_size`.
    inner = get("n_inner") or 4 * config.hidden_size if architecture == "gpt2" else config.intermediate_size
    if architecture == "gemma4":
        shared = layers - config.num_kv_shared_layers
        writer.add_feed_forward_length([inner * (2 if layer >= shared else 1) for layer in range(layers)])
    else:
        writer.add_feed_forward_length(inner)
    writer.add_head_count(config.num_attention_heads)
    heads, kv_heads = config.num_attention_heads, get("num_key_value_heads", config.num_attention_heads)
    if architecture in ("gpt2", "gptneox"):  # Their classes do not read the key.
        kv_heads = heads
    writer.add_head_count_kv(kv_heads)
    head_dim = get("head_dim") or config.hidden_size // heads
    if architecture == "gemma4":
        writer.add_key_length_swa(head_dim)
        writer.add_value_length_swa(head_dim)
        head_dim = 16
        writer.add_shared_kv_layers(config.num_kv_shared_layers)
        writer.add_embedding_length_per_layer_input(config.hidden_size_per_layer_input)
        writer.add_sliding_window_pattern([kind == "sliding_attention" for kind in config.layer_types])
        writer.add_rope_freq_base_swa(10000.0)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    epsilon = get("rms_norm_eps")
    if epsilon is not None:
        writer.add_layer_norm_rms_eps(epsilon)
    else:
        writer.add_layer_norm_eps(get("layer_norm_eps") or get("norm_epsilon") or get("layer_norm_epsilon") or 1e-5)
    ropes = get("rope_parameters") or {}
    rope = ropes.get("full_attention", ropes)
    if rope:
        share = 1.0 if architecture == "gemma4" else rope.get("partial_rotary_factor", 1.0)
        writer.add_rope_dimension_count(int(head_dim * share))
        # Hunyuan's converter states the base that `alpha` makes of the other one.
        alpha = rope.get("alpha", 1.0) ** (head_dim / (head_dim - 2))
        writer.add_rope_freq_base(rope["rope_theta"] * alpha)
    extra = {}
    kind = rope.get("rope_type", "default") if rope else "default"
    if kind == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    elif kind == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        if rope.get("mscale_all_dim"):
            writer.add_rope_scaling_yarn_log_mul(rope["mscale_all_dim"])
    elif kind == "proportional":
        # Pairs that do not turn have a huge divisor.
        turning = int(rope["partial_rotary_factor"] * head_dim / 2)
        extra["rope_freqs.weight"] = numpy.array(
            [1.0] * turning + [1e30] * (head_dim // 2 - turning), dtype=numpy.float32)
    elif kind == "llama3":
        divisors = model.model.rotary_emb.inv_freq.numpy()
        plain = 1.0 / rope["rope_theta"] ** (numpy.arange(0, head_dim, 2) / head_dim)
        extra["rope_freqs.weight"] = (plain / divisors).astype(numpy.float32)
    if rope and rope.get("llama_4_scaling_beta"):
        writer.add_attn_temperature_scale(rope["llama_4_scaling_beta"])
    if get("sliding_window") and architecture not in ("phi3", "llama"):
        writer.add_sliding_window(config.sliding_window)
    if architecture == "gemma2":
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    if architecture == "granite":
        writer.add_attention_scale(config.attention_multiplier)
        writer.add_embedding_scale(config.embedding_multiplier)
        writer.add_residual_scale(config.residual_multiplier)
        writer.add_logit_scale(config.logits_scaling)
    if architecture in ("cohere2", "command-r"):
        writer.add_logit_scale(config.logit_scale)
    if architecture == "gptneox":
        writer.add_parallel_residual(config.use_parallel_residual)
    if architecture == "apertus":
        acts = [layer.mlp.act_fn for layer in model.model.layers]
        writer.add_xielu_alpha_p([float(act.alpha_p) for act in acts])
        writer.add_xielu_alpha_n([float(act.alpha_n) for act in acts])
        writer.add_xielu_beta([float(act.beta) for act in acts])
        writer.add_xielu_eps([float(act.eps) for act in acts])
    vocabulary = make_goldens.SPECIAL + ["a", "b", "ab"] + [f"token{i}" for i in range(6, config.vocab_size)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocabulary)
    writer.add_token_types([3] * 3 + [1] * (config.vocab_size - 3))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    names = gguf.get_tensor_name_map(next(a for a, n in gguf.MODEL_ARCH_NAMES.items() if n == architecture), layers)
    state = model.state_dict()
    for key, tensor in state.items():
        values = tensor.float().numpy()
        shared_layer = architecture == "gemma4" and any(
            f".{layer}.self_attn.{part}" in key for layer in range(shared, layers) for part in ("k_", "v_"))
        if shared_layer or "act_fn" in key or key.endswith(("rotary_emb.inv_freq", ".attn.bias", ".masked_bias")):
            continue
        if key in ("lm_head.weight", "embed_out.weight") and config.tie_word_embeddings:
            continue
        if architecture == "gpt2" and any(p in key for p in ("c_attn.weight", "c_proj.weight", "c_fc.weight")):
            values = values.T
        if architecture == "gptneox" and "query_key_value" in key:
            values = values.reshape(heads, 3, head_dim, *values.shape[1:]).swapaxes(0, 1).reshape(values.shape)
        if architecture in ("gemma", "gemma2", "gemma3") and key.endswith("norm.weight"):
            values = values + 1
        if architecture in ("llama", "mistral3", "granite", "olmo", "smollm3", "arcee"):
            if "q_proj" in key:
                values = neighbours(values, heads)
            if "k_proj" in key:
                values = neighbours(values, kv_heads)
        name = names.get_name(key, try_suffixes=(".weight", ".bias"))
        if name is None:
            sys.exit(f"{architecture}: gguf-py has no name for {key}")
        if not name.endswith((".weight", ".bias")):
            name += ".weight"  # A buffer, such as Gemma 4's factor on the output of a layer.
        values = numpy.ascontiguousarray(values, dtype=numpy.float32)
        if values.ndim == 1 or is_norm(key):
            writer.add_tensor(name, values)
        else:
            writer.add_tensor(
                name, gguf.quants.quantize(values, gguf.GGMLQuantizationType.BF16),
                raw_dtype=gguf.GGMLQuantizationType.BF16)
    for name, values in extra.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--gguf"]:
        for name in sys.argv[2:] or FAMILIES:
            directory = os.path.join(HERE, "families", name)
            if FAMILIES[name][2]:
                model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
                write_gguf(os.path.join(directory, "model.gguf"), FAMILIES[name][2], model)
    else:
        for name in sys.argv[1:] or FAMILIES:
            make(name)
