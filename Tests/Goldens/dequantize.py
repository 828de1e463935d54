"""Dequantizes AWQ, GPTQ and compressed-tensors checkpoints with numpy, from the formats' definitions and by nothing that Quire has.

Every quantized tensor becomes single bits first, then integers, then `scale * (code - zero)` in float32, which is exact.
"""
import json, os, re

import numpy as np
import torch
from safetensors import safe_open

AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7]  # nibble i of a word is column AWQ_ORDER[i] of its eight


def fields(words, bits):
    """`[rows, words * 32 / bits]`: the numbers in each row of words, as one stream, lowest bits first."""
    rows = words.shape[0]
    stream = np.unpackbits(np.ascontiguousarray(words).view(np.uint8).reshape(rows, -1), axis=1, bitorder="little")
    count = stream.shape[1] // bits
    return stream[:, : count * bits].reshape(rows, count, bits).astype(np.int64) @ (1 << np.arange(bits))


def awq_fields(words):
    columns = fields(words, 4).reshape(words.shape[0], -1, 8)
    result = np.empty_like(columns)
    result[:, :, AWQ_ORDER] = columns
    return result.reshape(words.shape[0], -1)


class Checkpoint:
    def __init__(self, directory):
        with open(os.path.join(directory, "config.json")) as file:
            self.config = json.load(file)
        self.quantization = self.config.pop("quantization_config")
        self.file = safe_open(os.path.join(directory, "model.safetensors"), "pt")
        self.names = set(self.file.keys())
        # Matrices of one byte a weight, with the names of their scales.
        self.scaled = {name.removesuffix(suffix): name for suffix in ("_scale", "_scale_inv") for name in self.names
                       if name.endswith(".weight" + suffix) and name.removesuffix(suffix) in self.names}

    def integers(self, name):
        return self.file.get_tensor(name).numpy()

    def floats(self, name):
        return self.file.get_tensor(name).float().numpy()

    def weights(self):
        """Every matrix and vector under its usual name, float32."""
        dequantize = dict(awq=self.awq, gptq=self.gptq, fp8=None)
        dequantize["compressed-tensors"] = self.compressed
        dequantize = dequantize[self.quantization["quant_method"]]
        result = {}
        for name in sorted(self.names):
            base, _, part = name.rpartition(".")
            if part in ("qweight", "weight_packed"):
                result[base + ".weight"] = torch.from_numpy(dequantize(base).astype(np.float32))
            elif part == "weight" and name in self.scaled:
                result[name] = self.bytes(name)
            elif part in ("weight", "bias"):
                result[name] = self.file.get_tensor(name).float()
        return result

    def awq(self, base):
        codes, zeros = awq_fields(self.integers(base + ".qweight")), awq_fields(self.integers(base + ".qzeros"))
        scales = self.floats(base + ".scales")
        group = np.arange(len(codes)) // (len(codes) // len(scales))
        return ((codes - zeros[group]).astype(np.float32) * scales[group]).T.copy()

    def gptq(self, base):
        bits = self.quantization["bits"]
        for pattern, rule in self.quantization.get("dynamic", {}).items():
            assert not (pattern.startswith("-:") and re.match(pattern[2:], base)), f"{base} should be dense"
            if re.match(pattern.removeprefix("+:").removeprefix("-:"), base):
                bits = rule.get("bits", bits)
                break
        codes = fields(self.integers(base + ".qweight").T, bits)
        words, is_first = self.integers(base + ".qzeros"), self.quantization["checkpoint_format"] == "gptq"
        if is_first and bits != 3:
            # GPTQModel subtracted a one in every field from whole words.
            words = words.view(np.uint32) + np.uint32(((1 << 32) - 1) // ((1 << bits) - 1))
        zeros = fields(words, bits)
        if is_first and bits == 3:
            zeros = (zeros + 1) % 8
        scales, group = self.floats(base + ".scales"), self.integers(base + ".g_idx")
        return (codes - zeros[group].T).astype(np.float32) * scales[group].T

    def bytes(self, name):
        """A scale belongs to all weights, to a row, or to a block."""
        weight, scale = self.file.get_tensor(name).float(), self.file.get_tensor(self.scaled[name]).float()
        if scale.ndim < 2:
            return weight * scale
        block = self.quantization.get("weight_block_size", [1, weight.shape[1]])
        for axis in (0, 1):
            scale = scale.repeat_interleave(block[axis], axis).narrow(axis, 0, weight.shape[axis])
        return weight * scale

    def compressed(self, base):
        bits = self.quantization["config_groups"]["group_0"]["weights"]["num_bits"]
        rows, columns = self.integers(base + ".weight_shape")
        codes = fields(self.integers(base + ".weight_packed"), bits)[:, :columns]
        scales = self.floats(base + ".weight_scale")
        zeros = np.full(scales.shape, 1 << bits - 1)
        if base + ".weight_zero_point" in self.names:
            zeros = fields(self.integers(base + ".weight_zero_point").T, bits)[:, :rows].T
        group = np.arange(columns) // (columns // scales.shape[1])
        if base + ".weight_g_idx" in self.names:
            group = self.integers(base + ".weight_g_idx")
        return (codes - zeros[:, group]).astype(np.float32) * scales[:, group]


def checkpoint(directory):
    """The configuration without its quantization, and every weight in float32."""
    opened = Checkpoint(directory)
    return opened.config, opened.weights()
