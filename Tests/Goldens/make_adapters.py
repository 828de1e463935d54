#!/usr/bin/env python3
"""Makes small LoRA adapters over checkpoints of this folder, and what the models compute with merged weights.

usage: make_adapters.py [NAME ...]             (all of ADAPTERS by default)

  pip install "torch==2.13.0+cpu" transformers==5.24.0 peft==0.21.2 gguf==0.19.0 safetensors==0.8.0

adapters/NAME/adapter_config.json, adapter_model.safetensors    as peft writes them
adapters/NAME/adapter.gguf                                      the same, where ADAPTERS says so, with llama.cpp's names and orders
adapters/NAME/goldens.json
    {versions, base, seed, prompts: [...]}, as make_families.py describes them: computed in float32 by the model with the
    adapter merged into its weights
"""
import os, random, re, shutil, sys

import gguf, numpy, peft, torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from family_gguf import neighbours
from make_families import HERE, VERSIONS
from make_goldens import SAFE_MARGIN, greedy, rounded, write

ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
# name: (checkpoint, arguments of LoraConfig, type of the stored numbers, whether to write a GGUF file)
ADAPTERS = {
    "llama": ("families/llama", dict(
        r=4, lora_alpha=8, target_modules=ATTENTION + ["gate_proj", "up_proj", "down_proj"],
        rank_pattern={r"layers\.[01]\.self_attn\.q_proj": 2}, alpha_pattern={"down_proj": 3}), torch.float32, False),
    "llama-layers": ("families/llama", dict(
        r=8, lora_alpha=6, use_rslora=True, target_modules=ATTENTION, layers_to_transform=[1, 3]), torch.bfloat16, False),
    "llama-gguf": ("families/llama", dict(r=3, lora_alpha=6, target_modules=["q_proj", "k_proj", "down_proj"]),
                   torch.float32, True),
    # Over a checkpoint with a tokenizer.
    "llama-gqa-untied": ("checkpoints/llama-gqa-untied", dict(r=2, lora_alpha=4, target_modules=["v_proj"]),
                         torch.float32, False),
    "phi3": ("families/phi3", dict(r=2, lora_alpha=8, target_modules="all-linear"), torch.float32, False),
    "gemma3": ("families/gemma3", dict(r=2, lora_alpha=4, target_modules=r".*\.(q|k|down)_proj"), torch.float16, False),
    "gpt2": ("families/gpt2", dict(r=2, lora_alpha=4, target_modules=["c_attn", "c_fc", "c_proj"], fan_in_fan_out=True),
             torch.float32, False),
    "gpt-neox": ("families/gpt-neox", dict(r=4, lora_alpha=8, target_modules=["query_key_value", "dense_4h_to_h"]),
                 torch.float32, True),
}
PARTS = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "mlp.down_proj": "ffn_down",
    "attention.query_key_value": "attn_qkv", "mlp.dense_4h_to_h": "ffn_down",
}


@torch.no_grad()
def make(name):
    base_path, arguments, dtype, has_gguf = ADAPTERS[name]
    family = os.path.basename(base_path)
    seed = 3000 + list(ADAPTERS).index(name)
    directory = os.path.join(HERE, "adapters", name)
    shutil.rmtree(directory, ignore_errors=True)
    base = AutoModelForCausalLM.from_pretrained(os.path.join(HERE, base_path), dtype=torch.float32).eval()
    model = peft.get_peft_model(base, peft.LoraConfig(task_type="CAUSAL_LM", **arguments))
    generator = torch.Generator().manual_seed(seed)
    for key, weight in sorted(model.named_parameters()):
        if "lora_" in key:
            weight.copy_((0.2 * torch.randn(weight.shape, generator=generator)).to(dtype))
    model.peft_config["default"].base_model_name_or_path = f"tiny-{family}"
    model.save_pretrained(directory)
    os.remove(os.path.join(directory, "README.md"))
    file = os.path.join(directory, "adapter_model.safetensors")
    save_file({key: tensor.to(dtype) for key, tensor in load_file(file).items()}, file, metadata={"format": "pt"})
    for entry in os.listdir(directory):
        os.chmod(os.path.join(directory, entry), 0o644)
    if has_gguf:
        write_gguf(directory, family, base.config, arguments)
    # Read back what a user would load.
    base = AutoModelForCausalLM.from_pretrained(os.path.join(HERE, base_path), dtype=torch.float32).eval()
    merged = peft.PeftModel.from_pretrained(base, directory).merge_and_unload().float().eval()
    write_goldens(name, base_path, merged, seed)
    print(f"{name}: {sum(os.path.getsize(os.path.join(directory, entry)) for entry in os.listdir(directory)) // 1000} kB")


def write_gguf(directory, family, config, arguments):
    writer = gguf.GGUFWriter(os.path.join(directory, "adapter.gguf"), {"gpt-neox": "gptneox"}.get(family, family))
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(arguments["lora_alpha"]))
    for key, tensor in load_file(os.path.join(directory, "adapter_model.safetensors")).items():
        layer, module, half = re.fullmatch(r"base_model\.model\..*layers\.(\d+)\.(.*)\.lora_([AB])\.weight", key).groups()
        values = tensor.float().numpy()
        if half == "B" and module == "self_attn.q_proj":
            values = neighbours(values, config.num_attention_heads)
        elif half == "B" and module == "self_attn.k_proj":
            values = neighbours(values, config.num_key_value_heads)
        elif half == "B" and module == "attention.query_key_value":
            heads = config.num_attention_heads
            values = values.reshape(heads, 3, -1, values.shape[1]).swapaxes(0, 1).reshape(values.shape)
        writer.add_tensor(f"blk.{layer}.{PARTS[module]}.weight.lora_{half.lower()}", numpy.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_goldens(name, base_path, model, seed):
    rng, prompts = random.Random(seed), []
    for length in (3, 20):
        for attempt in range(1000):
            tokens = [rng.randrange(3, model.config.vocab_size) for _ in range(length)]
            chosen, margins, logits = greedy(model, tokens, 16, use_cache=False)
            if min(margins) >= SAFE_MARGIN:
                break
        else:
            sys.exit(f"{name}: no prompt of {length} tokens has safe margins")
        first = max(0, length - 2)
        prompts.append(dict(tokens=tokens, logits_from=first, logits=[rounded(row) for row in logits[first:]],
                            greedy=chosen, margins=rounded(torch.tensor(margins))))
    write(f"adapters/{name}/goldens.json", dict(VERSIONS, peft=peft.__version__, base=base_path, seed=seed, prompts=prompts))


if __name__ == "__main__":
    for name in sys.argv[1:] or ADAPTERS:
        make(name)
