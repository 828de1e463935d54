"""Writes a model of transformers as a GGUF file, with the names, keys and orders of llama.cpp's converters."""
import math, sys

import gguf, numpy

import make_goldens


def is_norm(key):
    return any(part in key for part in ("norm", "ln_", "layernorm"))


def neighbours(weight, heads):
    """Rows of q or k from Hugging Face's order (halves of a head) to llama.cpp's (neighbours)."""
    shape = weight.shape
    return weight.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def gpt_oss_parts(key, values):
    """The matrices `[experts, in, out]` as rows; gate and up, whose rows take turns, apart; and biases."""
    module, is_bias = key.removesuffix("_bias"), key.endswith("_bias")
    values = values if is_bias else values.swapaxes(1, 2)
    end = ".bias" if is_bias else ""
    if "gate_up_proj" in key:
        for part in range(2):
            yield module.replace("gate_up_proj", ("gate_proj", "up_proj")[part]) + end, values[:, part::2]
    else:
        yield module + end, values


def parts(state, architecture):
    """The tensors as GGUF divides them: gate and up apart, also of experts; norms with weights for each head in one."""
    for key, tensor in state.items():
        values = tensor.float().numpy()
        if ".norms." in key:
            module, _, rest = key.partition(".norms.")
            if rest == "0.weight":
                count = sum(name.startswith(module + ".norms.") for name in state)
                yield f"{module}.weight", numpy.stack(
                    [state[f"{module}.norms.{head}.weight"].float().numpy() for head in range(count)])
        elif "shared_mlp.input_linear" in key:
            for part, half in zip(("gate", "up"), numpy.split(values, 2)):
                yield key.replace("shared_mlp.input_linear", f"mlp.{part}_proj"), half
        elif architecture == "gpt-oss" and "experts." in key:
            yield from gpt_oss_parts(key, values)
        elif key.endswith("experts.gate_up_proj") and architecture != "gemma4":  # [experts, 2 * inner, hidden]
            for part, half in zip(("gate", "up"), numpy.split(values, 2, axis=1)):
                yield key.replace("gate_up_proj", f"{part}_proj"), half
        elif key.endswith("shared_expert_gate.weight"):
            yield key, values[0]
        elif key.endswith("e_score_correction_bias"):
            yield key.replace("_bias", ".bias"), values.reshape(-1)
        else:
            yield key.replace("shared_mlp.output_linear", "mlp.down_proj"), values


def latent_parts(state, config):
    """The heads' keys, transposed, and their values apart, as in files for attention over latent vectors."""
    for key, values in state:
        if "kv_b_proj" in key:
            heads = values.reshape(config.num_attention_heads, -1, values.shape[1])
            keys, of_values = numpy.split(heads, [config.qk_nope_head_dim], axis=1)
            yield key.replace("kv_b_proj", "k_b_proj"), keys.swapaxes(1, 2)
            yield key.replace("kv_b_proj", "v_b_proj"), of_values
        else:
            yield key, values


def published(key):
    """The name in published checkpoints, which transformers renames when it loads experts."""
    if "experts" in key:
        return key.replace("block_sparse_moe", "mlp")
    key = key.replace("block_sparse_moe.router.weight", "block_sparse_moe.router.layer.weight")
    return key.replace("gate.moe_statics", "moe_statics")


def write_gguf(path, architecture, model, quantizes=False):
    """`quantizes`: whether experts become MXFP4."""
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
    if architecture == "gemma4":
        sliding = [kind == "sliding_attention" for kind in config.layer_types]
        own = [config.per_layer_config[layer] for layer in range(layers)]
        writer.add_head_count_kv([layer.num_key_value_heads for layer in own])
    else:
        writer.add_head_count_kv(1 if architecture == "deepseek2" and config.model_type == "deepseek_v3" else kv_heads)
    head_dim = get("head_dim") or config.hidden_size // heads
    if architecture == "gemma4":
        writer.add_key_length_swa(head_dim)
        writer.add_value_length_swa(head_dim)
        head_dim = max(layer.head_dim for layer in own)
        writer.add_shared_kv_layers(config.num_kv_shared_layers)
        writer.add_embedding_length_per_layer_input(config.hidden_size_per_layer_input)
        writer.add_sliding_window_pattern(sliding)
        writer.add_rope_freq_base_swa(10000.0)
        if config.final_logit_softcapping:
            writer.add_final_logit_softcapping(config.final_logit_softcapping)
    # DeepSeek-V3's file is one for attention over latent vectors, DeepSeek-V2's is from before there were any.
    is_latent = architecture == "deepseek2"
    is_split = is_latent and config.model_type == "deepseek_v3"
    if is_latent:
        lengths = [config.qk_nope_head_dim + config.qk_rope_head_dim, config.v_head_dim]
        if is_split:
            writer.add_key_length_mla(lengths[0])
            writer.add_value_length_mla(lengths[1])
            lengths = [config.kv_lora_rank + config.qk_rope_head_dim, config.kv_lora_rank]
        writer.add_key_length(lengths[0])
        writer.add_value_length(lengths[1])
        writer.add_kv_lora_rank(config.kv_lora_rank)
        if config.q_lora_rank:
            writer.add_q_lora_rank(config.q_lora_rank)
    else:
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
            # DeepSeek's converter multiplies it by 0.1.
            writer.add_rope_scaling_yarn_log_mul(rope["mscale_all_dim"] * (0.1 if is_latent else 1))
    elif kind == "longrope":
        original = rope["original_max_position_embeddings"]
        if architecture == "llama":  # Phi-3's converter writes no type.
            writer.add_rope_scaling_type(gguf.RopeScalingType.LONGROPE)
        writer.add_rope_scaling_orig_ctx_len(original)
        stretch = config.max_position_embeddings / original
        writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(stretch) / math.log(original)))
        for length in ("long", "short"):
            extra[f"rope_factors_{length}.weight"] = numpy.array(rope[f"{length}_factor"], dtype=numpy.float32)
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
    if get("position_embedding_type", "rope") != "rope":
        writer.add_rope_scaling_finetuned(False)  # llama.cpp then rotates nothing.
    if architecture == "minicpm":
        writer.add_embedding_scale(config.embedding_multiplier)
        writer.add_residual_scale(config.residual_multiplier)
        writer.add_logit_scale(config.logits_scaling)
    if architecture in ("granite", "granitemoe"):
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
    if architecture == "gpt-oss":
        writer.add_expert_feed_forward_length(config.intermediate_size)
    experts = get("num_local_experts") or get("num_experts") or get("moe_num_experts")
    if experts:
        writer.add_expert_count(experts)
        writer.add_expert_used_count(get("num_experts_per_tok") or get("top_k_experts") or config.moe_k)
        if is_latent and config.model_type != "deepseek_v2":  # Files of DeepSeek-V2 have no such key.
            writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)
        if is_latent and (get("n_group") or 1) > 1:
            writer.add_expert_group_count(config.n_group)
            writer.add_expert_group_used_count(config.topk_group)
        if architecture in ("glm4moe", "deepseek2"):
            types = get("mlp_layer_types")
            writer.add_leading_dense_block_count(types.count("dense") if types else config.first_k_dense_replace)
            writer.add_expert_shared_count(config.n_shared_experts)
            writer.add_expert_weights_scale(config.routed_scaling_factor)
            writer.add_expert_weights_norm(config.norm_topk_prob)
        if architecture == "ernie4_5-moe":
            writer.add_leading_dense_block_count(config.moe_layer_start_index)
            writer.add_interleave_moe_layer_step(config.moe_layer_interval)
            writer.add_expert_shared_feed_forward_length(config.moe_num_shared_experts * config.moe_intermediate_size)
        if get("moe_intermediate_size"):
            writer.add_expert_feed_forward_length(config.moe_intermediate_size)
        if get("shared_expert_intermediate_size"):
            writer.add_expert_shared_feed_forward_length(config.shared_expert_intermediate_size)
    names = gguf.get_tensor_name_map(next(a for a, n in gguf.MODEL_ARCH_NAMES.items() if n == architecture), layers)
    tensors = parts(model.state_dict(), architecture)
    for key, values in latent_parts(tensors, config) if is_split else tensors:
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
        if architecture in ("llama", "mistral3", "granite", "minicpm", "olmo", "smollm3", "arcee", "granitemoe"):
            if "q_proj" in key:
                values = neighbours(values, heads)
            if "k_proj" in key:
                values = neighbours(values, kv_heads)
        if key.endswith(("router.scale", "router.per_expert_scale")):
            module = "router.proj" if key.endswith("router.scale") else "experts.down_proj"
            writer.add_tensor(names.get_name(key.rpartition("router.")[0] + module) + ".scale", values)
            continue
        name = names.get_name(published(key), try_suffixes=(".weight", ".bias"))
        if name is None:
            sys.exit(f"{architecture}: gguf-py has no name for {key}")
        if not name.endswith((".weight", ".bias")):
            name += ".weight"  # A buffer, such as Gemma 4's factor on the output of a layer.
        values = numpy.ascontiguousarray(values, dtype=numpy.float32)
        if quantizes and "_exps.weight" in name:
            kind = gguf.GGMLQuantizationType.MXFP4
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
        elif values.ndim == 1 or is_norm(key) or name.endswith("_exps.bias"):
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
