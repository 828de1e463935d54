"""Writes Sources/Tensors/CodeGrids.swift: the code books of GGUF's IQ formats, which are numbers of the format.

    pip install gguf==0.19.0 numpy
    python make_code_books.py
    swift format lint --strict ../../Sources/Tensors/CodeGrids.swift
"""

import math
import pathlib
from importlib.metadata import version

import numpy
from gguf import quants

TARGET = pathlib.Path(__file__).parents[2] / "Sources/Tensors/CodeGrids.swift"
GRIDS = {
    "iq2XXS": quants.IQ2_XXS, "iq2XS": quants.IQ2_XS, "iq2S": quants.IQ2_S, "iq1": quants.IQ1_S,
    "iq3XXS": quants.IQ3_XXS, "iq3S": quants.IQ3_S,
}
PER_LINE = 5


def rows(kind):
    """Each row of the grid as one 16-bit number: an index into the format's magnitudes for each element, lowest first."""
    kind.init_grid()
    grid = numpy.asarray(kind.grid).reshape(kind.grid_shape)
    magnitudes = numpy.array(kind.grid_map, numpy.float32)
    bits = math.ceil(math.log2(len(magnitudes)))
    indices = numpy.searchsorted(magnitudes, grid)
    assert (magnitudes[indices] == grid).all()
    return [sum(int(index) << bits * place for place, index in enumerate(row)) for row in indices]


def main():
    text = f"""// swift-format-ignore-file
// Made by Tests/Goldens/make_code_books.py from the package gguf {version("gguf")}.

/// The rows of GGUF's IQ code books. A number holds four rows of 16 bits, the first one lowest. A row has an index into
/// the format's magnitudes for each element, the first one lowest: eight indices of two bits where the name begins with
/// iq1 or iq2, four of three bits where it begins with iq3.
enum CodeGrids {{
"""
    for name, kind in GRIDS.items():
        packed = rows(kind)
        words = [sum(row << 16 * place for place, row in enumerate(packed[i:i + 4])) for i in range(0, len(packed), 4)]
        magnitudes = ", ".join(str(value) for value in kind.grid_map)
        text += f"    /// {len(packed)} rows; magnitudes {magnitudes}.\n"
        text += f"    static let {name}: [UInt64] = [\n"
        for start in range(0, len(words), PER_LINE):
            line = ", ".join(f"0x{word:016x}" for word in words[start:start + PER_LINE])
            text += f"        {line},\n"
        text += "    ]\n"
    TARGET.write_text(text + "}\n")


if __name__ == "__main__":
    main()
