#!/usr/bin/env python3
"""Makes a GGUF file whose tensors are of many types, as published "UD" files are, and what transformers computes with it.

usage: make_mixed.py

  pip install "torch==2.13.0+cpu" transformers==5.24.0 gguf==0.19.0

checkpoints/llama-gguf-mixed/model.gguf     a small random Llama, a different type for each matrix. Types that gguf-py can
                                            quantize hold rounded weights, the others random codes with scales that give
                                            weights of a usual size.
checkpoints/llama-gguf-mixed/goldens.json   transformers on the weights that gguf-py dequantizes, as make_goldens.py
                                            describes them
"""
import os

import gguf, numpy, torch
from transformers import LlamaConfig, LlamaForCausalLM

from make_goldens import HERE, SPECIAL, gguf_name, reordered, small_vocabulary, write_small_goldens

NAME, SEED = "llama-gguf-mixed", 77
CONFIG = LlamaConfig(
    vocab_size=288, hidden_size=256, intermediate_size=32, num_hidden_layers=4, num_attention_heads=2,
    num_key_value_heads=1, head_dim=16, max_position_embeddings=256, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
    tie_word_embeddings=True)
# Rows of 256, which blocks of 256 divide, in each layer: q, k, v, gate, up.
WIDE = [
    ["Q4_K", "Q5_K", "Q6_K", "Q3_K", "Q2_K"], ["IQ4_XS", "IQ3_S", "IQ2_S", "IQ3_XXS", "IQ2_XS"],
    ["IQ2_XXS", "IQ1_M", "IQ1_S", "TQ1_0", "TQ2_0"], ["Q8_0", "F16", "BF16", "Q4_0", "Q4_1"],
]
# Rows of 32: o, down.
NARROW = [["Q8_0", "Q5_0"], ["IQ4_NL", "MXFP4"], ["Q4_1", "Q5_1"], ["Q5_1", "Q8_0"]]
EMBEDDING = "Q6_K"
# The standard deviation of weights.
SPREAD = 0.1
# Bytes of a block at which it has scales in 16-bit floats.
SCALES = dict(Q2_K=[80, 82], Q3_K=[108], Q4_K=[0, 2], Q5_K=[0, 2], Q6_K=[208])


def kind_of(name):
    """The type of GGUF's tensor `name`."""
    if not name.startswith("blk."):
        return EMBEDDING if name == "token_embd.weight" else "F32"
    _, layer, part, _ = name.split(".")
    for kinds, parts in ((WIDE, ("attn_q", "attn_k", "attn_v", "ffn_gate", "ffn_up")), (NARROW, ("attn_output", "ffn_down"))):
        if part in parts:
            return kinds[int(layer)][parts.index(part)]
    return "F32"


def random_blocks(kind, shape, random):
    """Random codes of `kind` for a matrix of `shape`, with scales that make its numbers about as large as SPREAD."""
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    data = random.integers(0, 256, (shape[0] * shape[1] // elements, size), dtype=numpy.uint8)
    scale = 1e-3
    for _ in range(2):  # The second time with the scale that the first one has shown to be right.
        half = numpy.array([scale], numpy.float16)
        if kind.name == "IQ1_M":
            # Four bits of the scale in each of four bytes.
            for part in range(4):
                bits = int(half.view(numpy.uint16)[0]) >> 4 * part & 15
                data[:, 49 + 2 * part] = data[:, 49 + 2 * part] & 15 | bits << 4
        else:
            for offset in SCALES.get(kind.name, [0]):
                data[:, offset:offset + 2] = half.view(numpy.uint8)
        matrix = data.reshape(shape[0], -1)
        scale *= SPREAD / gguf.quants.dequantize(matrix, kind).std()
    return matrix


def stored(kind, values, random):
    """`values` as `kind` stores them, and what that means."""
    try:
        data = gguf.quants.quantize(values, kind)
    except NotImplementedError:
        data = random_blocks(kind, values.shape, random)
    return data, gguf.quants.dequantize(data, kind).astype(numpy.float32)


@torch.no_grad()
def main():
    directory = os.path.join(HERE, "checkpoints", NAME)
    os.makedirs(directory, exist_ok=True)
    random, generator = numpy.random.default_rng(SEED), torch.Generator().manual_seed(SEED)
    model = LlamaForCausalLM(CONFIG).eval()
    writer = gguf.GGUFWriter(os.path.join(directory, "model.gguf"), "llama")
    writer.add_context_length(CONFIG.max_position_embeddings)
    writer.add_embedding_length(CONFIG.hidden_size)
    writer.add_block_count(CONFIG.num_hidden_layers)
    writer.add_feed_forward_length(CONFIG.intermediate_size)
    writer.add_head_count(CONFIG.num_attention_heads)
    writer.add_head_count_kv(CONFIG.num_key_value_heads)
    writer.add_key_length(CONFIG.head_dim)
    writer.add_value_length(CONFIG.head_dim)
    writer.add_layer_norm_rms_eps(CONFIG.rms_norm_eps)
    writer.add_rope_dimension_count(CONFIG.head_dim)
    writer.add_rope_freq_base(CONFIG.rope_parameters["rope_theta"])
    tokens, merges = small_vocabulary(CONFIG.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in SPECIAL else 1 for token in tokens])
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_bos_token_id(CONFIG.bos_token_id)
    writer.add_eos_token_id(CONFIG.eos_token_id)
    heads = {"q_proj": CONFIG.num_attention_heads, "k_proj": CONFIG.num_key_value_heads}
    for key, weight in model.state_dict().items():
        if key == "lm_head.weight":
            continue  # The same as the embedding.
        noise = torch.randn(weight.shape, generator=generator)
        values = (1 + 0.2 * noise if "norm" in key else SPREAD * noise).numpy()
        name, _ = gguf_name(key)
        kind = gguf.GGMLQuantizationType[kind_of(name)]
        data, values = stored(kind, values, random)
        writer.add_tensor(name, data, raw_dtype=kind)
        count = next((count for part, count in heads.items() if part in key), None)
        weight.copy_(torch.from_numpy(values if count is None else reordered(values, count, back=True).copy()))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(directory, os.path.getsize(os.path.join(directory, "model.gguf")), "bytes")
    write_small_goldens(NAME, model, SEED)


if __name__ == "__main__":
    main()
