"""Experts in MXFP4, as OpenAI published gpt-oss: E2M1 floats in blocks of 32 inputs, whose scale is a power of two."""
import json, os

import gguf, numpy, safetensors.torch, torch

MXFP4 = gguf.GGMLQuantizationType.MXFP4
PARTS = ("experts.gate_up_proj", "experts.down_proj")


def rows(weight):
    """`[experts, in, out]` as `[experts, out, in]`."""
    return numpy.ascontiguousarray(weight.float().numpy().swapaxes(1, 2))


@torch.no_grad()
def round_experts(model):
    """Rounds the experts' weights to numbers that MXFP4 has, which bf16 has as well."""
    for key, weight in model.named_parameters():
        if key.endswith(PARTS):
            rounded = gguf.quants.dequantize(gguf.quants.quantize(rows(weight), MXFP4), MXFP4)
            weight.copy_(torch.from_numpy(rounded.swapaxes(1, 2).copy()))


def store_experts(directory):
    """Replaces the experts of a checkpoint by blocks and scales, and says so in its configuration."""
    path = os.path.join(directory, "model.safetensors")
    tensors = safetensors.torch.load_file(path)
    for key in [key for key in tensors if key.endswith(PARTS)]:
        weight = rows(tensors.pop(key))
        experts, outputs, inputs = weight.shape
        # A scale and sixteen bytes; byte i has the codes i and i + 16.
        blocks = gguf.quants.quantize(weight, MXFP4).reshape(experts, outputs, inputs // 32, 17)
        low, high = blocks[..., 1:] & 15, blocks[..., 1:] >> 4
        codes = numpy.concatenate([low, high], axis=-1)
        tensors[key + "_blocks"] = torch.from_numpy(codes[..., 0::2] | codes[..., 1::2] << 4)
        tensors[key + "_scales"] = torch.from_numpy(blocks[..., 0].copy())
    safetensors.torch.save_file(tensors, path, metadata={"format": "pt"})
    os.chmod(path, 0o644)
    config_path = os.path.join(directory, "config.json")
    with open(config_path) as file:
        config = json.load(file)
    config["quantization_config"] = dict(quant_method="mxfp4", modules_to_not_convert=[
        "model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"])
    with open(config_path, "w") as file:
        json.dump(config, file, indent=2)
        file.write("\n")
