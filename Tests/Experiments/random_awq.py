"""A checkpoint as large as wanted, of random numbers in AWQ's layout: for measuring memory and speed, not for talking.

    random_awq.py SOURCE TARGET [hidden layers heads kv_heads feed_forward]

SOURCE is any AWQ checkpoint of the Llama family; its tokenizer and configuration are taken over. Needs numpy and
safetensors.
"""
import json
import shutil
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

source, target = Path(sys.argv[1]), Path(sys.argv[2])
hidden, layers, heads, kv_heads, feed_forward = (
    int(number) for number in (sys.argv[3:] or (2048, 22, 32, 4, 5632)))

target.mkdir(parents=True, exist_ok=True)
for path in source.iterdir():
    if path.name not in ("config.json", "goldens.json") and path.suffix in (".json", ".jinja", ".txt") and "index" not in path.name:
        shutil.copy(path, target)
config = json.loads((source / "config.json").read_text())
config.update(hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=kv_heads,
              head_dim=hidden // heads, intermediate_size=feed_forward, tie_word_embeddings=True)
(target / "config.json").write_text(json.dumps(config, indent=1))
quantization = config["quantization_config"]
group = quantization.get("group_size") or quantization["q_group_size"]

random = np.random.default_rng(1)
tensors = {
    "model.embed_tokens.weight":
        (random.standard_normal((config["vocab_size"], hidden), dtype=np.float32) * 0.02).astype(np.float16),
    "model.norm.weight": np.ones(hidden, np.float16),
}
kv = hidden // heads * kv_heads
for layer in range(layers):
    prefix = f"model.layers.{layer}."
    for name, inputs, outputs in [
            ("self_attn.q_proj", hidden, hidden), ("self_attn.k_proj", hidden, kv), ("self_attn.v_proj", hidden, kv),
            ("self_attn.o_proj", hidden, hidden), ("mlp.gate_proj", hidden, feed_forward),
            ("mlp.up_proj", hidden, feed_forward), ("mlp.down_proj", feed_forward, hidden)]:
        tensors[f"{prefix}{name}.qweight"] = random.integers(-2**31, 2**31 - 1, (inputs, outputs // 8), dtype=np.int32)
        tensors[f"{prefix}{name}.qzeros"] = np.full((inputs // group, outputs // 8), 0x77777777, np.int32)
        tensors[f"{prefix}{name}.scales"] = (
            random.random((inputs // group, outputs), dtype=np.float32) * 0.004 + 0.001).astype(np.float16)
    for name in ["input_layernorm", "post_attention_layernorm"]:
        tensors[f"{prefix}{name}.weight"] = np.ones(hidden, np.float16)
save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
print(f"{sum(tensor.nbytes for tensor in tensors.values()) / 1e6:.0f} MB of tensors")
