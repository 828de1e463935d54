"""Makes Sources/Tokenization/Unicode/CompatibilityMappings.swift and ScriptRanges.swift: what `tokenizers` decomposes in
the forms NFKC and NFKD beyond NFD, and which scalars its regular expressions take for those of a script.

    python3 make_unicode_tables.py     needs the package tokenizers; writes into Sources/Tokenization/Unicode
"""

import pathlib
import textwrap

import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

HERE = pathlib.Path(__file__).parent
TARGET = HERE.parent.parent.parent / "Sources" / "Tokenization" / "Unicode"
SCALARS = [value for value in range(0x110000) if not 0xD800 <= value < 0xE000]
SCRIPTS = """Arabic Armenian Bengali Bopomofo Cherokee Common Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi
Han Hangul Hebrew Hiragana Inherited Kannada Katakana Khmer Lao Latin Malayalam Mongolian Myanmar Nko Oriya Sinhala Syriac
Tamil Telugu Thaana Thai Tibetan Yi""".split()


def literal(text):
    """A multi-line string literal whose lines are joined."""
    lines = textwrap.wrap(text, 110, break_on_hyphens=False)
    return '"""\n' + " \\\n".join("        " + line for line in lines) + '\n        """'


def mappings():
    """`A0:20` maps one scalar, `2460+8:31` each of a run of nine to the next target, `A8:20,308` to several."""
    compatible, canonical = normalizers.NFKD(), normalizers.NFD()
    found = []
    for value in SCALARS:
        text = compatible.normalize_str(chr(value))
        if text != canonical.normalize_str(chr(value)):
            found.append((value, [ord(c) for c in text]))
    entries = []
    for value, target in found:
        if entries and len(target) == 1 == len(entries[-1][2]):
            start, count, first = entries[-1]
            if value == start + count and target[0] == first[0] + count:
                entries[-1] = (start, count + 1, first)
                continue
        entries.append((value, 1, target))
    return " ".join(
        f"{start:X}{f'+{count - 1:X}' if count > 1 else ''}:{','.join(f'{t:X}' for t in target)}"
        for start, count, target in entries)


def ranges(name):
    cutter = pre_tokenizers.Split(Regex(rf"\p{{{name}}}+"), "isolated")
    remover = pre_tokenizers.Split(Regex(rf"\p{{{name}}}"), "removed")
    found = []
    for start in range(0, len(SCALARS), 4096):
        batch = SCALARS[start:start + 4096]
        text = "".join(map(chr, batch))
        left = {ord(c) for part, _ in remover.pre_tokenize_str(text) for c in part}
        if len(left) == len(batch):
            continue
        for value in batch:
            if value in left:
                continue
            if found and found[-1][1] == value - 1:
                found[-1][1] = value
            else:
                found.append([value, value])
    return " ".join(f"{first:X}" if first == last else f"{first:X}-{last:X}" for first, last in found)


def main():
    TARGET.mkdir(exist_ok=True)
    version = tokenizers.__version__
    (TARGET / "CompatibilityMappings.swift").write_text(f'''// Written by Tests/TokenizationTests/Fixtures/make_unicode_tables.py with tokenizers {version}.

/// The compatibility decompositions of scalars, where they differ from the canonical ones.
enum CompatibilityMappings {{
    static let ofScalar: [UInt32: [Unicode.Scalar]] = {{
        var mappings: [UInt32: [Unicode.Scalar]] = [:]
        for entry in text.split(separator: " ") {{
            let parts = entry.split(separator: ":")
            let source = parts[0].split(separator: "+").compactMap {{ UInt32($0, radix: 16) }}
            let targets = parts[1].split(separator: ",").compactMap {{ UInt32($0, radix: 16) }}
            for offset in 0...(source.count > 1 ? source[1] : 0) {{
                mappings[source[0] + offset] = targets.compactMap {{ Unicode.Scalar($0 + offset) }}
            }}
        }}
        return mappings
    }}()

    /// `A0:20` maps one scalar, `2460+8:31` each of a run of nine to the next target, `A8:20,308` one to several.
    private static let text = {literal(mappings())}
}}
''', encoding="utf-8")
    cases = "\n".join(f'        "{name.lower()}": {literal(ranges(name))},' for name in SCRIPTS)
    (TARGET / "ScriptRanges.swift").write_text(f'''// Written by Tests/TokenizationTests/Fixtures/make_unicode_tables.py with tokenizers {version}.

/// The scalars of scripts, which the standard library does not offer.
enum ScriptRanges {{
    /// The scalars of the script with this name in lower case; nil: it is not in the table.
    static func set(named name: String) -> ScalarSet? {{
        guard let text = texts[name] else {{ return nil }}
        return ScalarSet(
            text.split(separator: " ").compactMap {{ part in
                let bounds = part.split(separator: "-").compactMap {{ UInt32($0, radix: 16) }}
                guard let first = bounds.first, let last = bounds.last else {{ return nil }}
                return first...last
            }})
    }}

    private static let texts = [
{cases}
    ]
}}
''', encoding="utf-8")


if __name__ == "__main__":
    main()
