"""Compares Quire's tokenizers with `tokenizers`: trains small vocabularies, gives each the normalizer, pre-tokenizer,
model options, post-processor and decoder of a family, and writes random texts with their ids.

    python3 fuzz_tokenizers.py OUT [--texts 20000] [--seed 1] [--only NAME]
    QUIRE_TOKENIZER_CASES=OUT swift test … --filter ComparisonTests

    python3 fuzz_tokenizers.py --goldens      writes the small files of TokenizationTests/Fixtures/Families

Needs tokenizers and sentencepiece. The shapes are those of the families' tokenizer.json files and of the tokenizer classes of
transformers. Vocabularies are trained without a pre-tokenizer, so that every missing cut joins tokens.
"""

import argparse
import io
import json
import pathlib
import random
import struct

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
GOLDENS = HERE.parent / "TokenizationTests" / "Fixtures" / "Families"

CORPUS = [
    "The quick brown fox jumps over the lazy dog. The dog's friends don't mind; they've seen it, we'll see, I'd say.",
    "THE QUICK BROWN Fox JUMPS. McDonald's iPhone HTTPServer getElementById XMLHttpRequest isn't WE'LL I'M",
    "A quire is a gathering of pages, and pages of keys and values are what an attention needs to be paged.",
    "def encode(text: str) -> list[int]:\n    return [ord(c) for c in text]\n\n\tif x == 10:\n\t\tprint(\"hello\", x)\n",
    "Der Fluß überquert die Brücke; où est la bibliothèque? El niño comió una manzana. Łódź, Zürich, Åbo, Ñandú.",
    "Привет, мир! Как дела? Это проверка токенизатора. Γειά σου Κόσμε. ΑΒΓ ΩΜΕΓΑ",
    "你好，世界。今天天气很好。東京は日本の首都です。カタカナとひらがな。안녕하세요 세계, 토큰을 나눕니다.",
    "مرحبا بالعالم، كيف حالك اليوم؟ שלום עולם. नमस्ते दुनिया, यह एक परीक्षण है। ลองภาษาไทย ខ្មែរ",
    "123 4567 89012 3.14159 1,000,000 2024-05-17 10:45 ½ ² Ⅷ ٣٤٥ 1234567890",
    "<tool_call> {\"name\": \"search\", \"arguments\": {\"query\": \"weather\"}} </tool_call>",
    "😀 👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 o\u0308 a\u030a \u1100\u1161\u11a8",
    "    spaces     and\t\ttabs\r\nand lines\n\n\nand more   \n",
    "!!! ??? ... --- === /* */ // ## @@ $$ %% ^^ && (( )) __init__ a+b=c <a href=\"x\">",
]

CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
SPACES = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + SPACES
QWEN2 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*" + SPACES
QWEN35 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + SPACES
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def cased(end):
    return rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{end}|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{end}"


O200K = cased(CONTRACTIONS + "?") + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + SPACES
TEKKEN = cased("") + r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + SPACES
CL100K = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+")
KIMI = (
    r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + SPACES)
DEEPSEEK3 = [
    r"\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+",
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*""" + SPACES]
CASED_LETTERS = (
    "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u1f7dᾀ-ᾴᾶ-ᾼ"
    "\u1fbeῂ-ῄῆ-ῌῐ-\u1fd3ῖ-\u1fdbῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212a-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯ"
    "ꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃")
DEEPSEEK_LLM = [
    "[\r\n]", rf"\s?[{CASED_LETTERS}]+", r"\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$", "[一-龥ࠀ-一가-\ud7ff]+"]

# What each name of tokenizer.ggml.pre stands for, as far as it is no other one's.
GGUF_PRE = {
    "gpt-2": "gpt2", "smollm": "smollm", "llama-bpe": "llama3", "qwen2": "qwen2", "qwen35": "qwen3.5", "gpt-4o": "o200k",
    "tekken": "tekken", "deepseek-v3": "deepseek-v3", "deepseek-coder": "deepseek-coder", "bailingmoe": "bailingmoe",
    "seed-coder": "seed", "minicpm5": "minicpm5", "exaone-moe": "exaone-moe", "superbpe": "superbpe", "command-r": "cohere",
    "tiny_aya": "aya", "glm4": "glm4", "stablelm2": "stablelm2", "olmo": "olmo", "deepseek-llm": "deepseek-llm"}


def byte_level_kinds():
    """The parts of a tokenizer.json by family; the model is a byte-level BPE."""
    level = pre_tokenizers.ByteLevel

    def splits(*patterns, before=(), after=()):
        return pre_tokenizers.Sequence([
            *before, *[pre_tokenizers.Split(Regex(p), "isolated", invert=False) for p in patterns], *after,
            level(add_prefix_space=False, use_regex=False)])

    digits = pre_tokenizers.Digits(individual_digits=True)
    plain = level(add_prefix_space=False)
    return {
        "gpt2": (None, plain), "gpt2-prefix": (None, level(add_prefix_space=True)),
        "smollm": (None, pre_tokenizers.Sequence([digits, plain])),
        "cohere": (normalizers.NFC(), pre_tokenizers.Sequence([digits, plain])),
        "olmo": (normalizers.NFC(), plain),
        "llama3": (None, splits(LLAMA3), {"ignore_merges": True}), "glm4": (None, splits(LLAMA3)),
        "qwen2": (normalizers.NFC(), splits(QWEN2)), "stablelm2": (None, splits(QWEN2)),
        "qwen3.5": (normalizers.NFC(), splits(QWEN35)), "o200k": (None, splits(O200K)),
        "tekken": (None, splits(TEKKEN), {"ignore_merges": True}), "cl100k": (None, splits(CL100K)),
        "kimi": (None, splits(KIMI)), "deepseek-v3": (None, splits(*DEEPSEEK3)),
        "deepseek-coder": (None, splits("[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-\ud7ff]+", r"\p{N}")),
        "deepseek-llm": (None, splits(*DEEPSEEK_LLM, r"\p{N}+")),
        "falcon": (None, pre_tokenizers.Sequence([
            pre_tokenizers.Punctuation("contiguous"), plain, pre_tokenizers.Digits(individual_digits=False),
            pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")])),
        "bailingmoe": (None, splits(CL100K.replace("{1,3}", ""))),
        "seed": (None, splits(CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+" + SPACES)),
        "minicpm5": (None, splits(r"\p{N}{1,3}", LLAMA3.replace("{1,3}", "+")), {"ignore_merges": True}),
        "exaone-moe": (None, splits(
            CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+")),
        "superbpe": (None, splits(r"\p{N}+", r"(?=(\d{3})+(?!\d))")),
        "aya": (normalizers.NFC(), splits(r"\d{1,3}(?=(?:\d{3})*\b)", O200K)),
        "bloom": (None, splits(r" ?[^(\s|[.,!?…。，、।۔،])]+")),
        "jais2": (None, splits(LLAMA3.replace(r"|\s+(?!\S)|\s+", r"|\s{64}(?!\S)|\s{16}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}"))),
        "nfkc": (normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), normalizers.Strip()]), plain),
        "nfd": (normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]), plain),
        "nfkd": (normalizers.Sequence([normalizers.NFKD(), normalizers.Replace(Regex(" {2,}"), " ")]), plain),
        "words": (None, pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), level(add_prefix_space=False, use_regex=False)])),
        "removed": (None, pre_tokenizers.Sequence([
            pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("merged_with_previous"),
            level(add_prefix_space=False, use_regex=False)])),
        "behaviors": (None, pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(r"\p{Lu}"), "merged_with_next"), pre_tokenizers.Split(" ", "contiguous"),
            pre_tokenizers.Split(Regex(r"\d+"), "merged_with_previous", invert=True), pre_tokenizers.Split("o", "removed"),
            level(add_prefix_space=False, use_regex=False)])),
    }


def byte_level_base(size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS * 2, trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False, max_token_length=9))
    tokenizer.add_special_tokens(["<|bos|>", "<|eos|>"])
    tokenizer.add_tokens([AddedToken("<tool>", normalized=False), AddedToken("Zürich", normalized=True)])
    return tokenizer


def sentencepiece_bpe(size):
    """A vocabulary in SentencePiece's way, as tokenizer.json and with scores: each token is worse than those before it."""
    import sentencepiece
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in CORPUS * 2 for line in text.split("\n") if line]), model_writer=model,
        vocab_size=size, model_type="bpe", byte_fallback=True, normalization_rule_name="identity", add_dummy_prefix=True,
        remove_extra_whitespaces=False, character_coverage=0.995, minloglevel=2)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    pieces = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    scores = [processor.get_score(i) for i in range(len(pieces))]
    ids = {piece: i for i, piece in enumerate(pieces)}
    merges = []
    for index in range(259, len(pieces)):
        piece = pieces[index]
        pairs = [(piece[:i], piece[i:]) for i in range(1, len(piece)) if piece[:i] in ids and piece[i:] in ids]
        merges += sorted(pairs, key=lambda pair: (ids[pair[0]], ids[pair[1]]))
    return pieces, scores, ids, merges


def sentencepiece_kinds(size):
    pieces, scores, ids, merges = sentencepiece_bpe(size)

    def make(normalizer, pre_tokenizer, strips, unk="<unk>", prefix=True, **options):
        tokenizer = Tokenizer(models.BPE(vocab=ids, merges=merges, unk_token=unk, fuse_unk=True, byte_fallback=True, **options))
        tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
        steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
        tokenizer.decoder = decoders.Sequence(steps + [decoders.Strip(" ", 1, 0)] * strips)
        if prefix:
            tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
        tokenizer.add_special_tokens([AddedToken(t, normalized=False) for t in ("<unk>", "<s>", "</s>")])
        tokenizer.add_tokens([AddedToken("<tool>", normalized=False), AddedToken("\n\n", normalized=False)])
        return json.loads(tokenizer.to_str())

    space = normalizers.Replace(" ", "▁")
    kinds = {
        "llama2-legacy": make(normalizers.Sequence([normalizers.Prepend("▁"), space]), None, 1),
        "llama2": make(None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False), 1),
        "mistral": make(None, pre_tokenizers.Metaspace(prepend_scheme="always", split=False), 1),
        "metaspace-split": make(None, pre_tokenizers.Metaspace(prepend_scheme="first", split=True), 1),
        "gemma": make(space, pre_tokenizers.Split(" ", "merged_with_previous"), 0),
        "gemma4": make(space, pre_tokenizers.Split(Regex(r"[^\n]+|\n+"), "isolated"), 0),
        "never": make(None, pre_tokenizers.Metaspace(prepend_scheme="never", split=True), 0, prefix=False),
    }
    no_bytes = {k: v for k, v in ids.items() if not k.startswith("<0x")}
    tokenizer = Tokenizer(models.BPE(
        vocab=ids, merges=merges, unk_token="<unk>", fuse_unk=False, byte_fallback=False))
    tokenizer.normalizer = space
    tokenizer.decoder = decoders.Metaspace()
    kinds["unknown"] = json.loads(tokenizer.to_str())
    del no_bytes
    types = [2, 3, 3] + [6 if p.startswith("<0x") else 1 for p in pieces[3:]] + [4, 4]
    gguf = {
        "model": "llama", "tokens": pieces + ["<tool>", "\n\n"], "scores": [round(s, 3) for s in scores] + [0, 0], "types": types, "bos": 1, "eos": 2,
        "unk": 0, "add_bos": True, "add_space_prefix": True}
    vocabularies = {
        "gguf-llama": (gguf, kinds["llama2-legacy"]),
        "gguf-gemma": ({**gguf, "add_space_prefix": False}, kinds["gemma"]),
        "gguf-gemma4": (
            {**{k: v for k, v in gguf.items() if k != "scores"}, "model": "gemma4", "add_space_prefix": False,
             "merges": [" ".join(m) for m in merges]}, kinds["gemma4"]),
    }
    return kinds, vocabularies


def float32(value):
    """The value as SentencePiece and GGUF store it."""
    return struct.unpack("f", struct.pack("f", value))[0]


def unigram_kinds(size, with_table):
    import sentencepiece
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in CORPUS * 3 for line in text.split("\n") if line]), model_writer=model,
        vocab_size=size, model_type="unigram", byte_fallback=False, normalization_rule_name="nmt_nfkc" if with_table else "identity",
        character_coverage=0.995, minloglevel=2)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    vocabulary = [(processor.id_to_piece(i), float32(processor.get_score(i))) for i in range(processor.get_piece_size())]
    bytes_too = vocabulary + [(f"<0x{b:02X}>", -20.0) for b in range(256)]

    def make(vocabulary, normalizer, pre_tokenizer, **options):
        tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0, **options))
        if normalizer is not None:
            tokenizer.normalizer = normalizer
        tokenizer.pre_tokenizer = pre_tokenizer
        tokenizer.decoder = decoders.Metaspace()
        tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
        tokenizer.add_special_tokens([AddedToken(t, normalized=False) for t in ("<unk>", "<s>", "</s>")])
        return json.loads(tokenizer.to_str())

    metaspace = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    kinds = {
        "t5": make(vocabulary, None, pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace])),
        "unigram-bytes": make(bytes_too, None, metaspace, byte_fallback=True),
        "albert": make(
            vocabulary, normalizers.Sequence([
                normalizers.Replace("``", '"'), normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(),
                normalizers.Replace(Regex(" {2,}"), " ")]), metaspace),
        "nmt": make(vocabulary, normalizers.Nmt(), metaspace),
    }
    if with_table:
        proto = model.getvalue()
        table = precompiled_table(proto)
        kinds["t5-precompiled"] = make(
            vocabulary, normalizers.Precompiled(table), pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace]))
    gguf = {
        "model": "t5", "tokens": [t for t, _ in vocabulary], "scores": [s for _, s in vocabulary],
        "types": [2, 3, 3] + [1] * (len(vocabulary) - 3), "eos": 2, "unk": 0, "add_eos": True, "add_space_prefix": True}
    return kinds, {"gguf-t5": (gguf, make(vocabulary, None, metaspace))}


def precompiled_table(proto):
    from sentencepiece import sentencepiece_model_pb2
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(proto)
    return model.normalizer_spec.precompiled_charsmap


PIECES = (
    list("abcdeilmnorstvxyzABCDEILMNORSTVXYZ") + list("  \t\n\r\u00a0\u3000\u2028\u0085\u200b\u200d\ufeff") * 2 + list("0123456789½²Ⅷ٣٤٥")
    + list("'’`\".,;:!?-_/\\|()[]{}<>@#$%^&*+=~…。，、।۔،「」—«»¿¡©™€") + list("éüßñÅåøłıİſKΩσςΣдМияЖ一中文東京あいうカキー글한가각ไทยขमस्तेक्षعربيةשלום")
    + ["\u0301", "\u0308", "\u030a", "\u0327", "\u0e31", "\u093f", "\u20dd", "\u1100", "\u1161", "\u11a8", "ǅ", "ʰ", "ª", "ﬁ", "ﬀ", "㍿", "Ａ", "ｶ", "ﾞ"]
    + ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🇩🇪", "𝔘", "𐍈", "𞤀", "𠀀", "𐐀", "\ue000", "\U0010fffd", "\x00", "\x01", "\x7f", "\u0378", "\u088f", "\u1c89", "\ua7cb"])
WORDS = (
    " ".join(CORPUS).split(" ") + ["'s", "'S", "'ll", "'LL", "'Ve", "'RE", "'d", "'m", "'T", "'\u017f", " the", " The", "THE", "  ", "   ", "\n\n", "\r\n",
    " \n", "\n ", "\t\t", "...", "!!!\n", "//", "```", "123", "1234", "12345678", " 42", "<|bos|>", "<|eos|>", "<s>", "</s>", "<unk>", "<tool>", "Zürich", "▁", "▁▁", "<0x41>",
    "don't", "HTTPServer", "camelCase", "ÀÉ", "e\u0301", "A\u030a", "ﬃ", "``"])


def random_text(chooser):
    """A text of up to 60 pieces; one in eight repeats a piece, one in ten has any scalars at all."""
    style = chooser.random()
    parts = []
    for _ in range(chooser.randrange(1, chooser.choice([4, 12, 30]))):
        if style < 0.1:
            value = chooser.choice([chooser.randrange(0x80), chooser.randrange(0x3000), chooser.randrange(0x20000), chooser.randrange(0x110000)])
            if not 0xD800 <= value < 0xE000:
                parts.append(chr(value))
        elif style < 0.5 or chooser.random() < 0.4:
            parts.append(chooser.choice(PIECES))
        else:
            parts.append(chooser.choice(WORDS) + chooser.choice(["", " ", " ", "\n"]))
        if chooser.random() < 0.03:
            parts.append(parts[-1] * chooser.randrange(2, 30) if parts else "")
    return "".join(parts)


def texts(count, seed, maximum=1_000_000):
    """`count` texts of at most `maximum` characters."""
    chooser = random.Random(seed)
    found = ["", " ", "a", *[text for text in CORPUS if len(text) <= maximum]]
    while len(found) < count:
        text = random_text(chooser)
        if len(text) <= maximum:
            found.append(text)
    return found[:count]


def case(name, tokenizer, strings, decodes, seed, stored):
    """What a tokenizer answers. `stored`: how the file describes it."""
    chooser = random.Random(seed + 1)
    ids = [encoding.ids for encoding in tokenizer.encode_batch(strings)]
    lists = chooser.sample(ids, min(decodes, len(ids)))
    size = tokenizer.get_vocab_size()
    lists += [[chooser.randrange(size) for _ in range(chooser.randrange(1, 10))] for _ in range(decodes)]
    decoded = [[i, tokenizer.decode(i, skip_special_tokens=False)] for i in lists]
    return {"name": name, **stored, "ids": ids, "decoded": [pair for pair in decoded if not has_broken_run(pair[0], tokenizer)]}


def has_broken_run(ids, tokenizer):
    """Whether complete characters stand in a run of byte tokens that is not UTF-8; Quire keeps them."""
    run = b""
    for token in [*(tokenizer.id_to_token(i) or "" for i in ids), ""]:
        if len(token) == 6 and token.startswith("<0x"):
            run += bytes([int(token[3:5], 16)])
            continue
        try:
            run.decode()
        except UnicodeDecodeError:
            if any(len(c) for c in run.decode(errors="ignore")):
                return True
        run = b""
    return False


def write(path, value):
    value = {"tokenizers": tokenizers.__version__, **value}
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size} bytes")


def parts_of(full, base):
    return {key: value for key, value in full.items() if key not in base or base[key] != value}


def write_byte_level(folder, strings, seed, only, size):
    base = json.loads(byte_level_base(size).to_str())
    kinds = []
    for name, (normalizer, pre_tokenizer, *options) in byte_level_kinds().items():
        if only and only != name:
            continue
        tokenizer = Tokenizer.from_str(json.dumps(base))
        tokenizer.pre_tokenizer = pre_tokenizer
        if normalizer is not None:
            tokenizer.normalizer = normalizer
        full = json.loads(tokenizer.to_str())
        if options:
            full["model"] = {**full["model"], **options[0]}
            # A whole word that no merge makes.
            tokenizer = Tokenizer.from_str(json.dumps(full))
        stored = parts_of(full, base)
        if "model" in stored:
            stored["model"] = full["model"]
        kinds.append(case(name, tokenizer, strings, len(strings) // 10, seed, {"tokenizer": stored}))
        for pre, family in GGUF_PRE.items():
            if family == name:
                kinds.append({"name": f"gguf-{pre}", "pre": pre, "like": name})
    write(folder / "byte-level.json", {"texts": strings, "base": base, "kinds": kinds})


def write_kinds(path, kinds, vocabularies, strings, seed, only):
    base = {}
    for key, value in next(iter(kinds.values())).items():
        if all(other[key] == value for other in kinds.values()):
            base[key] = value
    models_of = [kind["model"] for kind in kinds.values()]
    shared = max(models_of, key=models_of.count)
    base["model"] = shared
    cases = []
    for name, full in kinds.items():
        if not only or only == name:
            cases.append(case(name, Tokenizer.from_str(json.dumps(full)), strings, len(strings) // 10, seed, {"tokenizer": parts_of(full, base)}))
    for name, (gguf, full) in vocabularies.items():
        if not only or only == name:
            cases.append(case(name, Tokenizer.from_str(json.dumps(full)), strings, len(strings) // 10, seed, {"gguf": gguf}))
    write(path, {"texts": strings, "base": base, "kinds": cases})


PATTERNS = [
    GPT2, LLAMA3, QWEN2, QWEN35, O200K, TEKKEN, CL100K, KIMI, *DEEPSEEK3, *DEEPSEEK_LLM, r"\d{1,3}(?=(?:\d{3})*\b)",
    r"(?=(\d{3})+(?!\d))", r" ?[^(\s|[.,!?…。，、।۔،])]+", r"\w+|[^\w\s]+", r"\b", r"\B", r"^.", r".$", r"\s+$", r"(?m:.)", r"\A\w+", r"\w+\z", r"\w\Z",
    r"a*", r"a*?b", r"(a|ab)(c|bcd)?", r"(?:a|ab)*c", r"(?:|x)*y", r"(a*)*b", r"(?:a?){3}b", r"a{2}?b", r"a{,2}b", r"a{2,}", r"x{", r"[]a]+", r"[^]a]+", r"[a-]+",
    r"[-a]+", r"[a\-z]+", r"[[:alpha:]]+", r"[[:^alpha:]]+", r"[[:punct:]]+", r"[[:alnum:]_]+", r"[[:upper:]][[:lower:]]*", r"[[:space:]]", r"[[:digit:]]+", r"[[:xdigit:]]+",
    r"[[:cntrl:]]", r"[[:graph:]]+", r"[[:print:]]+", r"[[:blank:]]+", r"[[:word:]]+", r"\h+", r"\H+", r"\p{^L}+", r"\P{L}+", r"\P{^L}+", r"\p{Lu}\p{Ll}+", r"\p{Lt}", r"\p{M}+",
    r"\p{Alphabetic}+", r"\p{Uppercase}", r"\p{Lowercase}+", r"\p{S}+", r"\p{Sc}", r"\p{Cn}+", r"\p{Co}", r"\p{Cf}", r"\p{Zs}+", r"\p{Nd}+|\p{Nl}|\p{No}", r"\p{Pd}|\p{Pc}",
    r"\p{Hiragana}+", r"\p{Katakana}+", r"\p{Hangul}+", r"\p{Thai}+", r"\p{Arabic}+", r"\p{Cyrillic}+", r"\p{Greek}+", r"\p{Devanagari}+", r"\p{Latin}+", r"\p{Common}+",
    r"[\p{L}&&[^\p{Han}]]+", r"[\w&&[^\d]]+", r"[^\w&&[^ ]]+", r"[a-z&&[aeiou]]+", r"(?i)straße", r"(?i:K|S)+", r"(?i:[k-s])+", r"(?i:é)", r"(?i)σ", r"a(?i)b|c", r"(?-i:a)B", r"(?i:[^s])+",
    r"(?<=a)b", r"(?<!a)b", r"(?<=\s)\S+", r"(?<!\w)\d", r"(?=\d)\w+", r"(?!\d)\w+", r"\w+(?=\s)", r"\w+(?!\s)", r"(?=.*b)a", r"(?!.*b)a", r"(?:(?!ab).)+", r"(?>a+)b", r"a++b", r"a*+b", r"a?+b",
    r"[^\S\n]+", r"\x41|\x{e9}|\u4e2d", r"(?#c)a", r"(?x: a b # c" + "\n)", r"(?<n>a)b", r"\t|\n|\r|\f|\v|\e|\a", r"\.|\$|\^", r"'(?:s|t)|\S+", r".+?\n", r"(?:\r\n|\r|\n)", r"\s*?\S", r"[\s\S]", r"\N+", r"(a|b|)+c",
]
FRAGMENTS = [
    "a", "b", "ab", " ", "\\s", "\\S", "\\d", "\\w", "\\W", "\\p{L}", "\\p{Lu}", "\\p{N}", "\\p{M}", "\\p{P}", "[ab]", "[^a]", "[a-z]", "[\\r\\n]", "[^\\s\\p{L}\\p{N}]", "\\n", ".", "'", "é", "中",
    "[\\p{L}\\p{M}]", "(?=a)", "(?!\\S)", "(?=\\s)", "\\b", "^", "$", "(?<=a)", "(?<!\\s)", "(?=\\w+\\s)", "(?!a*b)"]


def random_pattern(chooser, depth=0):
    kind = chooser.random()
    if depth > 3 or kind < 0.35:
        return chooser.choice(FRAGMENTS)
    if kind < 0.6:
        return "".join(random_pattern(chooser, depth + 1) for _ in range(chooser.randrange(2, 4)))
    if kind < 0.8:
        return "(?:" + "|".join(random_pattern(chooser, depth + 1) for _ in range(chooser.randrange(2, 4))) + ")"
    inner = random_pattern(chooser, depth + 1)
    if inner.startswith(("(?=", "(?!", "(?<", "\\b", "^", "$")):
        return inner
    return f"(?:{inner})" + chooser.choice(["?", "*", "+", "??", "*?", "+?", "{2}", "{1,3}"])


def matches(pattern, strings):
    """The bounds in bytes of the matches in each text, and where they cut it; None: Oniguruma refuses the pattern. A text
    that Oniguruma gives up because it takes too long has no result."""
    try:
        kept = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
        cutter = pre_tokenizers.Split(Regex(pattern), "isolated")
    except Exception:
        return None
    result = []
    for text in strings:
        offsets = [0]
        for c in text:
            offsets.append(offsets[-1] + len(c.encode()))
        try:
            bounds = [offsets[b] for _, pair in kept.pre_tokenize_str(text) for b in pair]
            cuts = {offsets[b] for _, pair in cutter.pre_tokenize_str(text) for b in pair} - {0, offsets[-1]}
        except BaseException:  # a panic
            result.append([])
            continue
        result.append([bounds, sorted(cuts)])
    return result


def write_patterns(path, strings, count, random_count, seed):
    chooser = random.Random(seed + 2)
    strings = strings[:count]
    strings += ["".join(chooser.choice("aabb 'c1\n\ré中") for _ in range(chooser.randrange(1, 16))) for _ in range(count)]
    patterns = PATTERNS + [random_pattern(chooser) for _ in range(random_count)]
    write(path, {"texts": strings, "patterns": [{"pattern": p, "matches": matches(p, strings)} for p in patterns]})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", nargs="?", type=pathlib.Path)
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--goldens", action="store_true")
    options = parser.parse_args()
    folder = GOLDENS if options.goldens else options.out
    folder.mkdir(exist_ok=True, parents=True)
    strings = texts(200, 1, maximum=50)[:180:4] if options.goldens else texts(options.texts, options.seed)
    write_byte_level(folder, strings, options.seed, options.only, 700)
    kinds, vocabularies = sentencepiece_kinds(700)
    write_kinds(folder / "sentencepiece.json", kinds, vocabularies, strings, options.seed, options.only)
    kinds, vocabularies = unigram_kinds(320, with_table=not options.goldens)
    write_kinds(folder / "unigram.json", kinds, vocabularies, strings, options.seed, options.only)
    if not options.only:
        count, random_count = (16, 50) if options.goldens else (400, 1_500)
        write_patterns(folder / "patterns.json", strings, count, random_count, options.seed)


if __name__ == "__main__":
    main()
