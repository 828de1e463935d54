"""Makes unicode.goldens.json: which scalars `tokenizers` takes for letters, numbers, white space and words, and how it
composes scalars of Unicode 10 and later, of which its normalization knows nothing.

    python3 make_unicode.py     needs the packages tokenizers and unicodedata2; writes beside itself

Classes are lists of ranges: first, last, first, last, ...
"""

import json
import pathlib

import tokenizers
import unicodedata2
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

HERE = pathlib.Path(__file__).parent
SCALARS = [value for value in range(0x110000) if not 0xD800 <= value < 0xE000]
BATCH = 4096


def ranges(values):
    result = []
    for value in sorted(values):
        if result and result[-1] == value - 1:
            result[-1] = value
        else:
            result += [value, value]
    return result


def matched(pattern):
    remover = pre_tokenizers.Split(Regex(pattern), "removed")
    found = set()
    for start in range(0, len(SCALARS), BATCH):
        batch = SCALARS[start:start + BATCH]
        left = {ord(c) for text, _ in remover.pre_tokenize_str("".join(map(chr, batch))) for c in text}
        found |= set(batch) - left
    return found


def digits():
    cutter = pre_tokenizers.Digits(individual_digits=True)
    found = set()
    for start in range(0, len(SCALARS), BATCH):
        text = "".join("a" + chr(value) for value in SCALARS[start:start + BATCH])
        found |= {ord(word) for word, _ in cutter.pre_tokenize_str(text) if len(word) == 1 and word != "a"}
    return found


def words():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.add_tokens([AddedToken("@@", single_word=True, normalized=False)])
    return {value for value in SCALARS if 0 not in tokenizer.encode(chr(value) + "@@").ids}


def composed():
    normalizer = normalizers.NFC()
    cases = []
    for value in SCALARS:
        character = chr(value)
        if value < 0x300 or not (unicodedata2.combining(character) or unicodedata2.decomposition(character)):
            continue
        for text in ("a\u0315" + character + "\u05b0", unicodedata2.normalize("NFD", character)):
            result = normalizer.normalize_str(text)
            if result != unicodedata2.normalize("NFC", text) and value not in (0xF73, 0xF75, 0xF81):
                cases.append([text, result])
    return cases


def main():
    result = {
        "tokenizers": tokenizers.__version__, "letter": ranges(matched(r"\p{L}")), "number": ranges(matched(r"\p{N}")),
        "space": ranges(matched(r"\s")), "numeric": ranges(digits()), "word": ranges(words()), "composed": composed()}
    path = HERE / "unicode.goldens.json"
    path.write_text(json.dumps(result, ensure_ascii=True, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size} bytes, {len(result['composed'])} compositions")


if __name__ == "__main__":
    main()
