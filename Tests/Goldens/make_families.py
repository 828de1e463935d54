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

import safetensors, torch, transformers
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

import mxfp4
from family_gguf import is_norm, write_gguf
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
LATENT = dict(
    num_key_value_heads=4, kv_lora_rank=12, q_lora_rank=20, qk_nope_head_dim=8, qk_rope_head_dim=8, v_head_dim=12,
    n_routed_experts=8, num_experts_per_tok=3, moe_intermediate_size=16, rms_norm_eps=1e-6)
LATENT_YARN = dict(
    rope_type="yarn", rope_theta=10000.0, factor=8.0, original_max_position_embeddings=16, beta_fast=32.0, beta_slow=1.0)
# name: (model_type, changes to SMALL, GGUF architecture or None, prompt lengths)
FAMILIES = {
    "llama": ("llama", dict(head_dim=12), "llama", None),
    "llama-linear": ("llama", dict(rope_parameters=dict(rope_type="linear", factor=4.0, rope_theta=10000.0)), "llama", None),
    "llama-yarn": ("llama", dict(head_dim=16, rope_parameters=dict(
        rope_type="yarn", factor=8.0, original_max_position_embeddings=32, rope_theta=10000.0)), "llama", None),
    "llama-longrope": ("llama", dict(head_dim=8, original_max_position_embeddings=16, rope_parameters=dict(
        rope_type="longrope", original_max_position_embeddings=16, rope_theta=10000.0,
        short_factor=[1.0, 1.1, 1.2, 1.3], long_factor=[1.0, 2.0, 4.0, 8.0])), "llama", (17, 40, 60)),
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
        sliding_window=8, layer_types=SLIDING, hidden_size_per_layer_input=0), "gemma4", None),
    "phi3": ("phi3", dict(), "phi3", None),
    "phi3-longrope": ("phi3", dict(
        sliding_window=None, original_max_position_embeddings=16, rope_parameters=dict(
            rope_type="longrope", rope_theta=10000.0, partial_rotary_factor=0.75, original_max_position_embeddings=16,
            short_factor=[1.0, 1.1, 1.2], long_factor=[1.0, 2.0, 4.0])), "phi3", (17, 40, 60)),
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
        embedding_multiplier=3.0, residual_multiplier=0.5, attention_multiplier=0.2, logits_scaling=4.0), "granite", None),
    "glm": ("glm", dict(head_dim=16), "chatglm", None),
    "glm4": ("glm4", dict(head_dim=16), "glm4", None),
    "cohere": ("cohere", dict(num_hidden_layers=3, use_qk_norm=True, tie_word_embeddings=True), "command-r", None),
    "cohere2": ("cohere2", dict(sliding_window=8, head_dim=16, tie_word_embeddings=True), "cohere2", None),
    "stablelm": ("stablelm", dict(use_qkv_bias=True, num_attention_heads=2, num_key_value_heads=2), "stablelm", None),
    "stablelm-parallel": ("stablelm", dict(
        use_parallel_residual=True, qk_layernorm=True, num_attention_heads=2, num_key_value_heads=1), "stablelm", None),
    "starcoder2": ("starcoder2", dict(sliding_window=8, tie_word_embeddings=True), "starcoder2", None),
    "gpt-neox": ("gpt_neox", dict(), "gptneox", None),
    "gpt-neox-sequential": ("gpt_neox", dict(use_parallel_residual=False), "gptneox", None),
    "gpt2": ("gpt2", dict(n_positions=256, n_embd=32, n_layer=4, n_head=4, tie_word_embeddings=True), "gpt2", None),
    "exaone4": ("exaone4", dict(sliding_window=8, sliding_window_pattern=4, layer_types=SLIDING), "exaone4", None),
    "exaone4-full": ("exaone4", dict(sliding_window=None, layer_types=["full_attention"] * 4), "exaone4", None),
    "seed-oss": ("seed_oss", dict(head_dim=16), "seed_oss", None),
    "apertus": ("apertus", dict(rope_parameters=dict(
        rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=16)), "apertus", None),
    "hunyuan": ("hunyuan_v1_dense", dict(head_dim=16, rope_parameters=dict(
        rope_type="dynamic", alpha=10.0, rope_theta=10000.0, factor=1.0)), "hunyuan-dense", None),
    "arcee": ("arcee", dict(head_dim=8), "arcee", None),
    # At the end, because the seed of a checkpoint is its position here.
    "mistral-full": ("mistral", dict(sliding_window=None, head_dim=8), "llama", None),
    "minicpm": ("granite", dict(
        embedding_multiplier=12.0, residual_multiplier=1.4 / 4 ** 0.5, attention_multiplier=8 ** -0.5,
        logits_scaling=32 / 16), "minicpm", None),
    "granite4-nope": ("granitemoehybrid", dict(
        num_local_experts=0, shared_intermediate_size=48, mamba_n_heads=2, layer_types=["attention"] * 4,
        position_embedding_type="nope", embedding_multiplier=3.0, residual_multiplier=0.5, attention_multiplier=0.2,
        logits_scaling=4.0), "granite", None),
    "mixtral": ("mixtral", dict(num_local_experts=5, num_experts_per_tok=2, intermediate_size=24), "llama", None),
    "qwen2-moe": ("qwen2_moe", dict(
        num_experts=6, num_experts_per_tok=3, moe_intermediate_size=20, shared_expert_intermediate_size=40,
        mlp_only_layers=[1]), None, None),
    "qwen2-moe-gguf": ("qwen2_moe", dict(
        num_experts=6, num_experts_per_tok=3, moe_intermediate_size=20, shared_expert_intermediate_size=40), "qwen2moe",
        None),
    "qwen3-moe": ("qwen3_moe", dict(
        num_experts=8, num_experts_per_tok=3, moe_intermediate_size=16, head_dim=8, norm_topk_prob=True), "qwen3moe", None),
    "qwen3-moe-sparse": ("qwen3_moe", dict(
        num_experts=8, num_experts_per_tok=3, moe_intermediate_size=16, head_dim=8, decoder_sparse_step=2), None, None),
    "olmoe": ("olmoe", dict(num_experts=6, num_experts_per_tok=2, intermediate_size=24), "olmoe", None),
    "granite-moe": ("granitemoe", dict(
        num_local_experts=5, num_experts_per_tok=2, intermediate_size=24, embedding_multiplier=3.0, residual_multiplier=0.5,
        attention_multiplier=0.2, logits_scaling=4.0), "granitemoe", None),
    "ernie-moe": ("ernie4_5_moe", dict(
        moe_num_experts=6, moe_k=2, moe_intermediate_size=16, moe_layer_start_index=1, moe_layer_end_index=-1,
        tie_word_embeddings=True), "ernie4_5-moe", None),
    "glm4-moe": ("glm4_moe", dict(
        n_routed_experts=8, num_experts_per_tok=3, moe_intermediate_size=16, n_shared_experts=1, first_k_dense_replace=1,
        head_dim=16, use_qk_norm=True, attention_bias=True, routed_scaling_factor=1.5, num_nextn_predict_layers=0,
        rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.5)), "glm4moe", None),
    "glm4-moe-groups": ("glm4_moe", dict(
        n_routed_experts=8, num_experts_per_tok=3, moe_intermediate_size=16, n_shared_experts=2, first_k_dense_replace=2,
        head_dim=16, n_group=4, topk_group=2,
        rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.5)), None, None),
    # A limit that activations reach, which GGUF files do not state.
    "gpt-oss": ("gpt_oss", dict(
        num_local_experts=5, num_experts_per_tok=2, intermediate_size=24, head_dim=8, sliding_window=8, swiglu_limit=2.0,
        rope_parameters=dict(
            rope_type="yarn", rope_theta=10000.0, factor=8.0, beta_fast=2.0, beta_slow=0.1, truncate=False,
            original_max_position_embeddings=16)), None, None),
    "gpt-oss-mxfp4": ("gpt_oss", dict(
        num_local_experts=5, num_experts_per_tok=2, intermediate_size=32, head_dim=8, sliding_window=8,
        rope_parameters=dict(
            rope_type="yarn", rope_theta=10000.0, factor=8.0, beta_fast=32.0, beta_slow=1.0, truncate=False,
            original_max_position_embeddings=16)), "gpt-oss", None),
    # A jitter with which experts share a softmax, which GGUF files do not state. Contexts are short: transformers takes the
    # short divisors for long ones as well.
    "phimoe": ("phimoe", dict(
        num_local_experts=6, num_experts_per_tok=2, intermediate_size=24, attention_bias=True, lm_head_bias=True,
        router_jitter_noise=0.3, rope_parameters=dict(
            rope_type="longrope", rope_theta=10000.0, original_max_position_embeddings=256,
            short_factor=[1.0, 1.1, 1.2, 1.3], long_factor=[1.0, 2.0, 4.0, 8.0], short_mscale=1.2, long_mscale=1.4)),
        None, None),
    "phimoe-gguf": ("phimoe", dict(
        num_local_experts=6, num_experts_per_tok=2, intermediate_size=24, attention_bias=True, lm_head_bias=True,
        rope_parameters=dict(
            rope_type="longrope", rope_theta=10000.0, original_max_position_embeddings=256,
            short_factor=[1.0, 1.1, 1.2, 1.3], long_factor=[1.0, 2.0, 4.0, 8.0], short_mscale=1.0, long_mscale=1.0)),
        "phimoe", None),
    "gemma4-moe": ("gemma4_text", dict(
        head_dim=8, global_head_dim=16, num_global_key_value_heads=1, attention_k_eq_v=True, tie_word_embeddings=True,
        sliding_window=8, layer_types=SLIDING, hidden_size_per_layer_input=0, enable_moe_block=True, num_experts=6,
        top_k_experts=2, moe_intermediate_size=16), "gemma4", None),
    # Greedy choice without a latent query; its GGUF file has keys and values in one matrix.
    "deepseek-v2-lite": ("deepseek_v2", dict(
        LATENT, q_lora_rank=None, topk_method="greedy", first_k_dense_replace=1, n_shared_experts=2,
        rope_parameters=dict(LATENT_YARN, mscale=0.707, mscale_all_dim=0.707)), "deepseek2", None),
    "deepseek-v2": ("deepseek_v2", dict(
        LATENT, topk_method="group_limited_greedy", n_group=4, topk_group=2, routed_scaling_factor=2.0,
        first_k_dense_replace=2, n_shared_experts=1, attention_bias=True,
        rope_parameters=dict(LATENT_YARN, mscale=1.0, mscale_all_dim=0.5)), None, None),
    # Its GGUF file has keys and values apart, as those for attention over the latent vectors.
    "deepseek-v3": ("deepseek_v3", dict(
        LATENT, n_group=4, topk_group=2, routed_scaling_factor=2.5, first_k_dense_replace=2, n_shared_experts=1,
        norm_topk_prob=True, rope_parameters=dict(LATENT_YARN, mscale=1.0, mscale_all_dim=1.0)), "deepseek2", None),
    # Heads of values that are wider than those of keys, and rotated halves.
    "deepseek-v3-wide": ("deepseek_v3", dict(
        LATENT, v_head_dim=24, n_group=1, topk_group=1, rope_interleave=False, first_k_dense_replace=1, n_shared_experts=1,
        norm_topk_prob=False, routed_scaling_factor=1.0), None, None),
    "glm4-moe-lite": ("glm4_moe_lite", dict(
        LATENT, v_head_dim=16, n_group=1, topk_group=1, routed_scaling_factor=1.8, n_shared_experts=1,
        norm_topk_prob=True), "deepseek2", None),
}


@torch.no_grad()
def randomize(model, seed):
    """Wide weights, so that logits spread and a wrong head, bias or angle shows at once."""
    generator = torch.Generator().manual_seed(seed)
    zero_centred = model.config.model_type in ("gemma", "gemma2", "gemma3_text")
    for key, weight in sorted(model.named_parameters()):
        noise = torch.randn(weight.shape, generator=generator)
        if "act_fn" in key:
            weight.copy_(0.3 + 0.1 * noise)
        elif key.endswith(("router.scale", "router.per_expert_scale")):
            weight.copy_(1 + 0.2 * noise)
        elif is_norm(key) and key.endswith("weight"):
            weight.copy_(0.2 * noise if zero_centred else 1 + 0.2 * noise)
        else:
            weight.copy_((0.2 if is_norm(key) else 0.3) * noise)
    for key, buffer in model.named_buffers():
        if key.endswith("e_score_correction_bias"):
            buffer.copy_(0.3 * torch.randn(buffer.shape, generator=generator))
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
    if name.endswith("-mxfp4"):
        mxfp4.round_experts(model)
    model.to(torch.bfloat16).save_pretrained(directory)
    for file in os.listdir(directory):
        os.chmod(os.path.join(directory, file), 0o644)
    generation = os.path.join(directory, "generation_config.json")
    if os.path.exists(generation):
        os.remove(generation)
    # Read back what a user would load, computed in float32.
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
    write_goldens(name, model, seed, lengths or (1, 7, 40))
    if name == "minicpm":
        write_minicpm_config(os.path.join(directory, "config.json"))
    if name.endswith("-mxfp4"):
        mxfp4.store_experts(directory)
    if architecture:
        write_gguf(os.path.join(directory, "model.gguf"), architecture, model, quantizes=name.endswith("-mxfp4"))
    size = sum(os.path.getsize(os.path.join(directory, file)) for file in os.listdir(directory))
    print(f"{name}: {size // 1000} kB")


def write_minicpm_config(path):
    """MiniCPM is not in transformers. Its `modeling_minicpm.py` computes what Granite's class does, with the factors of
    embeddings, additions and logits in other keys: scale_emb, scale_depth / sqrt(layers), dim_model_base / hidden_size."""
    with open(path) as file:
        config = json.load(file)
    for key in ("embedding_multiplier", "residual_multiplier", "attention_multiplier", "logits_scaling"):
        del config[key]
    config.update(architectures=["MiniCPMForCausalLM"], model_type="minicpm", scale_emb=12, scale_depth=1.4,
                  dim_model_base=16)
    with open(path, "w") as file:
        json.dump(config, file, indent=2)
        file.write("\n")


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


if __name__ == "__main__":
    if sys.argv[1:2] == ["--gguf"]:
        for name in sys.argv[2:] or FAMILIES:
            directory = os.path.join(HERE, "families", name)
            if FAMILIES[name][2] and name != "minicpm" and not name.endswith("-mxfp4"):
                model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
                write_gguf(os.path.join(directory, "model.gguf"), FAMILIES[name][2], model)
    else:
        for name in sys.argv[1:] or FAMILIES:
            make(name)
