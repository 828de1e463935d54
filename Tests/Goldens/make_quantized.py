#!/usr/bin/env python3
"""Makes the small quantized checkpoints beside it, with the tools that make real ones; make_goldens.py then computes with them.

usage: make_quantized.py [NAME …]      (all by default)

  pip install gptqmodel==7.7.0 compressed-tensors==0.20.0      (in a venv of its own: it brings a torch of several GB)

checkpoints/quantized-NAME/  a small random Llama, quantized by gptqmodel, or packed by compressed-tensors' own functions.
                             Everything is seeded; bf16 embeddings and norms; group sizes 32 and whole columns.
"""
import json, os, shutil, sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("GPTQMODEL_CPU_WORKERS", "2")  # gptqmodel fails on two cores without it

import tempfile

import safetensors.torch, torch, transformers

HERE = os.path.dirname(os.path.abspath(__file__))
# 288 tokens and rows of 64, 96 and 32: whole words for 2, 3, 4 and 8 bits.
SMALL = dict(
    vocab_size=288, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, head_dim=16, max_position_embeddings=256, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
    tie_word_embeddings=False)
# AWQ searches scales for 64 outputs at a time.
CHANGES = {
    "awq-4bit": dict(num_key_value_heads=4, intermediate_size=128),
    # More than one block of 128 by 128 in each direction, and parts of blocks.
    "fp8-block": dict(hidden_size=160, intermediate_size=144, num_hidden_layers=1, tie_word_embeddings=True),
}
GPTQ = {  # name: arguments of GPTQConfig
    "gptq-2bit": dict(bits=2, group_size=32, sym=True, desc_act=False),
    "gptq-3bit": dict(bits=3, group_size=32, sym=False, desc_act=True),
    "gptq-4bit": dict(bits=4, group_size=32, sym=True, desc_act=False),
    "gptq-4bit-actorder": dict(bits=4, group_size=32, sym=False, desc_act=True),
    "gptq-4bit-v2": dict(bits=4, group_size=32, sym=False, desc_act=False, format="gptq_v2"),
    "gptq-8bit-column": dict(bits=8, group_size=-1, sym=True, desc_act=False, act_group_aware=False),
    # The first rule that matches counts: k stays dense, v has eight bits, and so has nothing else.
    "gptq-dynamic": dict(
        bits=4, group_size=32, sym=True, desc_act=False, lm_head=True,
        dynamic={"-:.*self_attn.k_proj": {}, r"+:.*self_attn\.(k|v)_proj": {"bits": 8}}),
}
AWQ = {"awq-4bit": dict(bits=4, group_size=32, sym=False)}
PACKED = {  # name: (weights of the scheme)
    "compressed-w4": dict(num_bits=4, type="int", symmetric=True, strategy="group", group_size=32),
    "compressed-w4-actorder": dict(
        num_bits=4, type="int", symmetric=False, strategy="group", group_size=32, actorder="group"),
    "compressed-w8-channel": dict(num_bits=8, type="int", symmetric=False, strategy="channel"),
}
BYTES = {  # name: (type of a weight, outputs and inputs that share a scale)
    "compressed-fp8-tensor": (torch.float8_e4m3fn, None),
    "compressed-fp8-channel": (torch.float8_e4m3fn, (1, 1 << 20)),
    "compressed-int8-channel": (torch.int8, (1, 1 << 20)),
    "fp8-block": (torch.float8_e4m3fn, (128, 128)),
}


def small_llama(name, seed):
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**{**SMALL, **CHANGES.get(name, {})}))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, weight in sorted(model.named_parameters()):
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(1 + 0.2 * noise if "norm" in key else 0.25 * noise)
    return model.to(torch.bfloat16)


def finish(directory):
    """Leaves what a loader reads, and nothing that names the machine."""
    for file in os.listdir(directory):
        if file not in ("config.json", "model.safetensors"):
            os.remove(os.path.join(directory, file))
        else:
            os.chmod(os.path.join(directory, file), 0o644)
    path = os.path.join(directory, "config.json")
    with open(path) as file:
        config = json.load(file)
    config["quantization_config"].pop("meta", None)
    config.pop("_name_or_path", None)
    with open(path, "w") as file:
        json.dump(config, file, indent=2)
        file.write("\n")


def by_gptqmodel(name, seed, directory):
    from gptqmodel import GPTQModel
    from gptqmodel.quantization.config import AWQConfig, FORMAT, GPTQConfig

    with tempfile.TemporaryDirectory() as source:
        small_llama(name, seed).save_pretrained(source)
        write_tokenizer(source)
        config = GPTQConfig(**GPTQ[name]) if name in GPTQ else AWQConfig(format=FORMAT.GEMM, **AWQ[name])
        generator = torch.Generator().manual_seed(seed)
        samples = [torch.randint(3, SMALL["vocab_size"], (1, 64), generator=generator) for _ in range(8)]
        model = GPTQModel.load(source, config)
        model.quantize([dict(input_ids=ids, attention_mask=torch.ones_like(ids)) for ids in samples], batch_size=1)
        model.save(directory)


def write_tokenizer(directory):
    """Any will do: gptqmodel asks for one, and the samples are tokens already."""
    import tokenizers

    vocabulary = {f"t{i}": i for i in range(SMALL["vocab_size"])}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="t0"))
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="t0", bos_token="t1", eos_token="t2", pad_token="t2"
    ).save_pretrained(directory)


def by_compressed_tensors(name, seed, directory):
    """Rounds to the nearest quantum, and packs as compressed-tensors does."""
    from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32

    weights, tensors = PACKED[name], {}
    generator = torch.Generator().manual_seed(seed)
    bits = weights["num_bits"]
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    model = small_llama(name, seed)
    for key, weight in model.state_dict().items():
        if "proj" not in key:
            tensors[key] = weight.clone()
            continue
        base, weight = key.removesuffix(".weight"), weight.float()
        rows, columns = weight.shape
        size = weights.get("group_size", columns)
        groups = torch.arange(columns, dtype=torch.int32) // size
        if weights.get("actorder"):
            groups = groups[torch.randperm(columns, generator=generator)]
            tensors[f"{base}.weight_g_idx"] = groups.clone()
        order = torch.argsort(groups, stable=True)
        grouped = weight[:, order].reshape(rows, columns // size, size)
        if weights["symmetric"]:
            scale = (grouped.abs().amax(-1) / high).to(torch.bfloat16)
            zero = torch.zeros_like(scale)
        else:
            least, most = grouped.amin(-1), grouped.amax(-1)
            scale = ((most - least) / (high - low)).to(torch.bfloat16)
            zero = torch.clamp(torch.round(low - least / scale.float()), low, high)
            packed = pack_to_int32(zero.to(torch.int8), bits, packed_dim=0)
            tensors[f"{base}.weight_zero_point"] = packed.contiguous()
        column_scale, column_zero = scale.float()[:, groups.long()], zero.float()[:, groups.long()]
        quanta = torch.clamp(torch.round(weight / column_scale + column_zero), low, high).to(torch.int8)
        tensors[f"{base}.weight_packed"] = pack_to_int32(quanta, bits).contiguous()
        tensors[f"{base}.weight_scale"] = scale
        tensors[f"{base}.weight_shape"] = torch.tensor([rows, columns], dtype=torch.int64)
    os.makedirs(directory)
    safetensors.torch.save_file(tensors, os.path.join(directory, "model.safetensors"), metadata={"format": "pt"})
    model.config.save_pretrained(directory)
    write_quantization(directory, dict(
        quant_method="compressed-tensors", format="pack-quantized", quantization_status="compressed",
        ignore=["lm_head"],
        config_groups=dict(group_0=dict(targets=["Linear"], weights=weights, input_activations=None))))


def by_rounding(name, seed, directory):
    """A byte for each weight: rounded to the nearest number of its type, with a scale for each rectangle of weights."""
    kind, block = BYTES[name]
    largest = 448 if kind == torch.float8_e4m3fn else 127
    is_compressed = name.startswith("compressed")
    model, tensors = small_llama(name, seed), {}
    for key, weight in model.state_dict().items():
        if "proj" not in key:
            if key != "lm_head.weight" or not model.config.tie_word_embeddings:
                tensors[key] = weight.clone()
            continue
        (rows, columns), weight = weight.shape, weight.float()
        height, width = (min(size, extent) for size, extent in zip(block or weight.shape, weight.shape))
        tall, wide = -(-rows // height), -(-columns // width)
        padded = torch.zeros(tall * height, wide * width)
        padded[:rows, :columns] = weight
        scale = padded.reshape(tall, height, wide, width).abs().amax((1, 3)) / largest
        if is_compressed:
            scale = scale.to(torch.bfloat16)
        spread = scale.float().repeat_interleave(height, 0)[:rows].repeat_interleave(width, 1)[:, :columns]
        codes = (weight / spread).clamp(-largest, largest)
        tensors[key] = (codes.round() if kind == torch.int8 else codes).to(kind)
        tensors[key + ("_scale" if is_compressed else "_scale_inv")] = scale if block else scale.reshape(1)
    os.makedirs(directory)
    safetensors.torch.save_file(tensors, os.path.join(directory, "model.safetensors"), metadata={"format": "pt"})
    model.config.save_pretrained(directory)
    number = dict(num_bits=8, type="int" if kind == torch.int8 else "float", symmetric=True, dynamic=False,
                  strategy="channel" if block else "tensor")
    write_quantization(directory, dict(
        quant_method="compressed-tensors", format=number["type"] + "-quantized", quantization_status="compressed",
        ignore=["lm_head"], config_groups=dict(group_0=dict(targets=["Linear"], weights=number))) if is_compressed else dict(
            quant_method="fp8", activation_scheme="dynamic", fmt="e4m3", weight_block_size=list(block)))


def write_quantization(directory, quantization):
    path = os.path.join(directory, "config.json")
    with open(path) as file:
        config = json.load(file)
    config.update(architectures=["LlamaForCausalLM"], quantization_config=quantization)
    with open(path, "w") as file:
        json.dump(config, file)


def main():
    names = [*GPTQ, *AWQ, *PACKED, *BYTES]
    wanted = sys.argv[1:] or names
    for name in wanted:
        seed = 300 + names.index(name)
        directory = os.path.join(HERE, "checkpoints", f"quantized-{name}")
        shutil.rmtree(directory, ignore_errors=True)
        make = by_compressed_tensors if name in PACKED else by_rounding if name in BYTES else by_gptqmodel
        make(name, seed, directory)
        finish(directory)
        print(directory, os.path.getsize(os.path.join(directory, "model.safetensors")), "bytes", flush=True)


if __name__ == "__main__":
    main()
