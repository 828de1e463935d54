"""Makes the fixtures of TokenizationTests: three small byte-level BPE tokenizers and what they and jinja2 answer.

    python3 make_fixtures.py        needs the packages tokenizers and jinja2; writes beside itself

The tokenizers are trained here, in the manner of SmolLM2, Llama 3 and Qwen2, on text from this file.
"""

import json
import pathlib
import random

import jinja2
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
VERSIONS = {"tokenizers": tokenizers.__version__, "jinja2": jinja2.__version__}

CONTRACTIONS = "'s|'t|'re|'ve|'m|'ll|'d"
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = f"(?i:{CONTRACTIONS})" + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + TAIL
QWEN2 = f"(?i:{CONTRACTIONS})" + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + TAIL

CORPUS = [
    "The quick brown fox jumps over the lazy dog. The dog's friends don't mind; they've seen it, we'll see, I'd say.",
    "A quire is a gathering of pages, and pages of keys and values are what an attention needs to be paged.",
    "def encode(text: str) -> list[int]:\n    return [ord(c) for c in text]\n\n\tif x == 10:\n\t\tprint(\"hello\", x)\n",
    "Der Fluß überquert die Brücke; où est la bibliothèque? El niño comió una manzana. Łódź, Zürich, Åbo, Ñandú.",
    "Привет, мир! Как дела? Это проверка токенизатора. Γειά σου Κόσμε.",
    "你好，世界。今天天气很好。東京は日本の首都です。안녕하세요 세계, 토큰을 나눕니다.",
    "مرحبا بالعالم، كيف حالك اليوم؟ שלום עולם. नमस्ते दुनिया, यह एक परीक्षण है।",
    "123 4567 89012 3.14159 1,000,000 2024-05-17 10:45 ½ ² Ⅷ ٣٤٥",
    "<tool_call> {\"name\": \"search\", \"arguments\": {\"query\": \"weather\"}} </tool_call>",
    "😀 👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 o\u0308 a\u030a \u1100\u1161\u11a8",
    "    spaces     and\t\ttabs\r\nand lines\n\n\nand more   \n",
]


def trainer(size, special):
    return trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)


def smollm2():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        CORPUS * 3, trainer(640, ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>"]))
    return tokenizer


def llama3():
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3), "isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS * 3, trainer(600, []))
    # Whole words that no merge makes: only ignore_merges finds them.
    made = json.loads(tokenizer.to_str())
    size = tokenizer.get_vocab_size()
    for offset, word in enumerate(["Ġgathering", "unmergeable", "ĠÐ¼Ð¸ÑĢĠ"]):
        made["model"]["vocab"].setdefault(word, size + offset)
    tokenizer = Tokenizer.from_str(json.dumps(made))
    tokenizer.add_special_tokens(
        ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"])
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(
            single="<|begin_of_text|> $A",
            special_tokens=[("<|begin_of_text|>", tokenizer.token_to_id("<|begin_of_text|>"))])])
    return tokenizer


def qwen2():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(QWEN2), "isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.train_from_iterator(CORPUS * 3, trainer(620, []))
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.add_tokens([
        AddedToken("<tool_call>", normalized=False), AddedToken("</tool_call>", normalized=False),
        AddedToken("Zürich", normalized=True), AddedToken("quire", single_word=True),
        AddedToken("<mask>", lstrip=True, rstrip=True, normalized=False), AddedToken("<｜é▁｜>", normalized=False)])
    return tokenizer


TEXTS = CORPUS + [
    "", " ", "  ", "a", "\n", "\r\n\r\n", " \n \n x", "   x", "x   ", "\t\tx\t", "\x00", "a\x00b\x01\x7f", "\u200b\ufeff\u00ad",
    "hello world", "Hello, World!!!\n\n\n", "I'LL we'Ll don'T it'\u017f x'S 'sudo 'tis 'Re", "''''''s", "'", "'l", "'é", "it's'd've",
    "1234567890", "a1b22c333d4444", " 12 345", "½²Ⅷ٣٤٥一二三", "x²+y½", "\u00a0nbsp\u00a0\u00a0x \u3000全角　空白", "\u2028line\u2029sep\x85nel\x0bvt\x0cff",
    "<|im_start|>user\nhi<|im_end|>\n", "<|begin_of_text|>x<|eot_id|>", "<|im_start|", "<|im_start|><|im_start|>", "a<|endoftext|>b",
    "<tool_call>\n{\"a\": 1}\n</tool_call>", "in Zürich or Zu\u0308rich", "a quire, quires, inquire quire", "x  <mask>  y<mask><mask> z", "<｜é▁｜>x", " gathering unmergeable  мир ",
    "e\u0301", "A\u030a\u0327", "\u212b\u2126", "\u1100\u1161\u11a8", "\uac00\u11a8", "q\u0307\u0323", "\U0001d15e", "\u0344\u0958",
    "👩‍👩‍👧‍👦👍🏽🏳️‍🌈🇩🇪", "\U0001f600" * 9, "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈 𞤀𞤁 𝟘𝟙𝟚", "\U00020000\U0002a6df\U00030000", "\U000f0000\U0010fffd\ue000",
    "ลองภาษาไทย", "ខ្មែរ", "தமிழ்", "ﷺ ﬀ ǆ ʰ ª º", "a" * 100, "ab" * 64, " " * 70, "\n" * 45, "=" * 77, "the" * 50, "0" * 41, "é" * 33,
    "a.b,c;d:e!f?g", " .b ,c", "snake_case camelCase kebab-case __init__", "http://example.com/a?b=c&d=%20#e", "x\r\ny\rz\n", "end. \n next", "!\n\n a", "! \r\n",
]


def random_texts(count):
    chooser = random.Random(7)
    alphabet = list("abc  \n\r\t'sStTlLvVeErRmMdD019.,!-_<>|é中й½²\u0301\u0308\u00a0😀👍\u200dßſK") + ["<|im_end|>", "the", "<mask>", "quire"]
    return ["".join(chooser.choice(alphabet) for _ in range(chooser.randrange(1, 40))) for _ in range(count)]


def goldens(tokenizer):
    cases = []
    for text in TEXTS + random_texts(60):
        case = {"text": text}
        for name, plain in (("parsed", False), ("plain", True)):
            tokenizer.encode_special_tokens = plain
            case[name] = tokenizer.encode(text, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = False
        case["withSpecial"] = tokenizer.encode(text, add_special_tokens=True).ids
        case["decoded"] = tokenizer.decode(case["withSpecial"], skip_special_tokens=False)
        case["decodedWithoutSpecial"] = tokenizer.decode(case["withSpecial"], skip_special_tokens=True)
        cases.append(case)
    chooser = random.Random(11)
    size = tokenizer.get_vocab_size()
    loose = []
    for _ in range(120):  # halves of characters, bytes that are not UTF-8, ids of no token
        ids = [chooser.randrange(size + 3) if chooser.random() < 0.4 else chooser.randrange(256) for _ in range(chooser.randrange(1, 14))]
        loose.append({
            "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False),
            "decodedWithoutSpecial": tokenizer.decode(ids, skip_special_tokens=True)})
    return {"versions": VERSIONS, "cases": cases, "looseDecodes": loose}


def write(name, value):
    (HERE / name).write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def main():
    for name, make in (("smollm2", smollm2), ("llama3", llama3), ("qwen2", qwen2)):
        tokenizer = make()
        write(f"{name}.tokenizer.json", json.loads(tokenizer.to_str()))
        write(f"{name}.goldens.json", goldens(tokenizer))


if __name__ == "__main__":
    main()
