"""Makes the fixtures beside it: a GGUF file with one tensor of each type, and what the gguf package makes of it.

    pip install gguf==0.19.0 numpy safetensors
    python make_fixtures.py

quantized.gguf           written by gguf's own writer, random blocks (seeded), all value types in the metadata
dequantized.safetensors  the same tensors by gguf's own dequantize, float32, written by safetensors
"""

import pathlib

import gguf
import numpy
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).parent
# Where in a block the halves lie that scale it.
HALVES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108],
    "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0], "MXFP4": [], "IQ3_S": [0],
    "IQ3_XXS": [0], "IQ2_S": [0], "IQ2_XS": [0], "IQ2_XXS": [0], "IQ1_S": [0], "IQ1_M": [], "TQ1_0": [52],
    "TQ2_0": [64],
}
random = numpy.random.default_rng(20260723)


def blocks(name, count):
    _, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]
    data = random.integers(0, 256, (count, size), dtype=numpy.uint8)
    for number in range(count):
        for offset in HALVES[name]:
            # The last block's scale is a subnormal half, which is where conversions go wrong.
            value = random.normal(0, 0.02) if number < count - 1 else 3e-6
            data[number, offset:offset + 2] = numpy.array([value], numpy.float16).view(numpy.uint8)
    if name == "MXFP4":
        # Exponents, among them both that give subnormal floats.
        data[:, 0] = [0, 1, 120, 135][:count]
    if name == "IQ1_M":
        # A nibble of the half in each of four words.
        for number, value in enumerate(random.normal(0, 0.02, count)):
            half = int(numpy.array([value if number < count - 1 else 3e-6], numpy.float16).view(numpy.uint16)[0])
            for word in range(4):
                data[number, 49 + 2 * word] = (int(data[number, 49 + 2 * word]) & 15) | (half >> 4 * word & 15) << 4
    return data


def main():
    writer = gguf.GGUFWriter(HERE / "quantized.gguf", "llama")
    writer.add_uint8("test.uint8", 200)
    writer.add_int8("test.int8", -100)
    writer.add_uint16("test.uint16", 60_000)
    writer.add_int16("test.int16", -30_000)
    writer.add_uint32("test.uint32", 4_000_000_000)
    writer.add_int32("test.int32", -2_000_000_000)
    writer.add_uint64("test.uint64", 18_000_000_000_000_000_000)
    writer.add_int64("test.int64", -9_000_000_000_000_000_000)
    writer.add_float32("test.float32", 0.5)
    writer.add_float64("test.float64", 0.1)
    writer.add_bool("test.bool", True)
    writer.add_string("test.string", "Grüße")
    writer.add_array("test.strings", ["a", "", "ĠĊ"])
    writer.add_array("test.integers", [1, -2, 3])
    writer.add_array("test.numbers", [0.25, -1.5])
    expected = {}
    for name in HALVES:
        kind = gguf.GGMLQuantizationType[name]
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        # Two rows; of two blocks each where blocks are small.
        data = blocks(name, 2 if elements == 256 else 4).reshape(2, -1)
        writer.add_tensor(name, data, raw_dtype=kind)
        expected[name] = gguf.quants.dequantize(data, kind).astype(numpy.float32)
    plain = random.normal(0, 1, (2, 6)).astype(numpy.float32)
    writer.add_tensor("F32", plain)
    expected["F32"] = plain
    half = numpy.array([[0, -0.0, 1, 65504, 6e-8, -6.1e-5, numpy.inf, 0.1]], numpy.float16)
    writer.add_tensor("F16", half)
    expected["F16"] = half.astype(numpy.float32)
    brain = (plain.view(numpy.uint32) >> 16).astype(numpy.uint16)
    writer.add_tensor("BF16", brain.view(numpy.uint8), raw_dtype=gguf.GGMLQuantizationType.BF16)
    expected["BF16"] = (brain.astype(numpy.uint32) << 16).view(numpy.float32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(expected, HERE / "dequantized.safetensors", metadata={"made_by": f"gguf {gguf_version()}"})


def gguf_version():
    from importlib.metadata import version

    return version("gguf")


if __name__ == "__main__":
    main()
