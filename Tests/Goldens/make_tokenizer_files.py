"""Makes tokenizer_files.json: what transformers makes of the files beside tokenizer.json.

    python3 make_tokenizer_files.py     needs transformers, tokenizers and jinja2; writes beside itself

Each case adds files to the tokenizer of checkpoints/llama-gqa-untied: tokens named in tokenizer_config.json,
special_tokens_map.json and added_tokens.json, and chat templates wherever they may stand. The result has the ids of
some texts, the special tokens, the id of the one that ends a text, and what the chat template gives with and without
tools ("error" where transformers refuses).
"""

import json
import pathlib
import tempfile

import transformers
from transformers import PreTrainedTokenizerFast

HERE = pathlib.Path(__file__).parent
BASE = HERE / "checkpoints" / "llama-gqa-untied" / "tokenizer.json"
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
MESSAGES = [{"role": "user", "content": "hi"}]
NAMES = ["bos", "eos", "unk", "sep", "pad", "cls", "mask", "image", "video"]
SHOWN = "|".join("{{ %s_token }}" % name for name in NAMES) + "|{{ additional_special_tokens }}{{ extra_special_tokens }}"


def config(**keys):
    return {"tokenizer_config.json": json.dumps({"chat_template": SHOWN, **keys})}


def added(content, **flags):
    return {"content": content, "lstrip": False, "rstrip": False, "single_word": False, "normalized": False, "special": True, **flags}


CASES = {
    "a token of the decoder": (config(added_tokens_decoder={"300": added("<|start|>")}), ["<|start|>The", "The <|start|> x"]),
    "ids of the decoder that are not the next": (
        config(added_tokens_decoder={"900": added("<|b|>"), "400": added("<|a|>")}), ["<|a|><|b|>x"]),
    "flags of the decoder": (
        config(added_tokens_decoder={
            "300": added("<l>", lstrip=True), "301": added("<r>", rstrip=True), "302": added("<w>", single_word=True),
            "303": added("new", special=False, normalized=True)}),
        ["a  <l>  b", "a  <r>  b", "a<w>b a <w> b", "a new renewal"]),
    "other flags for a known token": (
        config(added_tokens_decoder={"1": added("<|im_start|>", rstrip=True), "2": added("<|im_end|>")}),
        ["<|im_start|>  x<|im_end|>  y"]),
    "defaults of flags": (config(added_tokens_decoder={"300": {"content": "<q>"}, "301": {"content": "<s>", "special": True}}), ["a <q>b<s>c"]),
    "special tokens as strings": (
        config(bos_token="<|im_start|>", eos_token="<|im_end|>", unk_token="<|endoftext|>", pad_token="<pad>", sep_token="<sep>",
               cls_token="<cls>", mask_token="<mask>"), ["<pad><sep><cls><mask>x<|im_end|>"]),
    "special tokens that are objects": (
        config(bos_token={"__type": "AddedToken", **added("<bos>", lstrip=True)}, eos_token={"__type": "AddedToken", **added("<eos>")}),
        ["a  <bos>b<eos>"]),
    "a word of the vocabulary as the end": (config(eos_token="the"), ["say the word, then"]),
    "named tokens of a family": (
        config(image_token="<image>", eos_token="<|im_end|>", extra_special_tokens={"video_token": "<video>"}), ["<image> <video>x"]),
    "tokens without names": (config(additional_special_tokens=["<one>", {"__type": "AddedToken", **added("<two>", rstrip=True)}]), ["<one> a<two>  b"]),
    "extra tokens in a list": (config(extra_special_tokens=["<one>", "<two>"]), ["<one> a<two>  b"]),
    "a map of strings": (
        {**config(), "special_tokens_map.json": json.dumps({"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<pad>"})},
        ["<pad><|im_end|>x"]),
    "a map of objects": (
        {**config(eos_token="<old>"), "special_tokens_map.json": json.dumps({
            "bos_token": added("<s>", lstrip=True), "eos_token": added("</s>"), "image_token": "<img>",
            "additional_special_tokens": ["<x>", "<y>"]})},
        ["a  <s>b</s><x><y><img><old>"]),
    "a map that takes a token away": (
        {**config(pad_token="<pad>", eos_token="<|im_end|>"), "special_tokens_map.json": json.dumps({"pad_token": None})}, ["<pad>x"]),
    "the decoder keeps the map from being read": (
        {**config(added_tokens_decoder={"300": added("<|start|>")}, bos_token="<|start|>"),
         "special_tokens_map.json": json.dumps({"bos_token": "<other>", "pad_token": "<pad>"})}, ["<|start|><other><pad>"]),
    "added_tokens.json": (
        {**config(eos_token="</s>"), "added_tokens.json": json.dumps({"</s>": 301, "<tool>": 300, "run": 302})},
        ["<tool>x</s> run runner"]),
    "no files": ({}, ["The <|im_start|>x"]),
    "one template": (config(chat_template="one{{ tools is none }}{{ documents is none }}"), []),
    "a list of templates": (
        config(chat_template=[{"name": "default", "template": "d{{ tools|length if tools }}"}, {"name": "tool_use", "template": "t{{ tools|length }}"}]), []),
    "a list without default": (config(chat_template=[{"name": "tool_use", "template": "t"}, {"name": "rag", "template": "r"}]), []),
    "a list with default alone": (config(chat_template=[{"name": "default", "template": "d"}]), []),
    "a template file": ({**config(chat_template="old"), "chat_template.jinja": "new{{ tools|length if tools }}"}, []),
    "a directory of templates": (
        {**config(chat_template="old"), "chat_template.jinja": "d", "additional_chat_templates/tool_use.jinja": "t",
         "additional_chat_templates/rag.jinja": "r", "additional_chat_templates/notes.txt": "no template"}, []),
    "a directory of templates alone": ({**config(chat_template="old"), "additional_chat_templates/tool_use.jinja": "t"}, []),
}


def rendered(tokenizer, tools):
    try:
        return {"text": tokenizer.apply_chat_template(MESSAGES, tools=tools, tokenize=False)}
    except Exception:
        return {"error": True}


def answers(files, texts):
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        (directory / "tokenizer.json").write_bytes(BASE.read_bytes())
        for name, content in files.items():
            (directory / name).parent.mkdir(exist_ok=True)
            (directory / name).write_text(content, encoding="utf-8")
        tokenizer = PreTrainedTokenizerFast.from_pretrained(str(directory))
        return {
            "files": files, "texts": [{"text": text, "ids": tokenizer.encode(text, add_special_tokens=False)} for text in texts],
            "special_tokens": tokenizer.special_tokens_map, "end": tokenizer.eos_token_id,
            "plain": rendered(tokenizer, None), "with_tools": rendered(tokenizer, TOOLS)}


def main():
    cases = [{"name": name, **answers(*case)} for name, case in CASES.items()]
    result = {"transformers": transformers.__version__, "cases": cases}
    path = HERE / "tokenizer_files.json"
    path.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for case in cases:
        print(case["name"], case["texts"], case["special_tokens"], case["end"], case["plain"], case["with_tools"])


if __name__ == "__main__":
    main()
