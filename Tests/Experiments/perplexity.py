#!/usr/bin/env python3
"""The numbers of Tests/Benchmarks/models.md: perplexity and greedy tokens of a GGUF file, beside transformers.

    python3 Tests/Experiments/perplexity.py .build/release/quire MODEL.gguf [TOKENS]

Needs torch, transformers and gguf, and memory for the weights in 32-bit floats. transformers computes in float32 on the
weights that gguf-py dequantizes. Both predict TOKENS tokens (4096) of Quire's text in windows of 512, each of which begins
with the tokens that the vocabulary puts before a text. Quire gets the token ids over HTTP, in a server for each of SETTINGS.
"""
import json
import math
import pathlib
import re
import statistics
import subprocess
import sys
import time
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
WINDOW = 512
PROMPTS = ["The capital of France is", "Once upon a time, in a small village,", "def fibonacci(n):\n"]
SETTINGS = {
    "dequantized, 32-bit weights and cache": ["model.loader=dense", "model.dtype=f32", "cache.dtype=f32"],
    "the file's quantized weights, 32-bit activations and cache": ["model.dtype=f32", "cache.dtype=f32"],
    "as it is served by default": [],
}


def windows(tokenizer, count):
    text = (REPOSITORY / "Sources/Comparison/Resources/text.txt").read_text(encoding="utf-8")
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]
    marked = tokenizer("a")["input_ids"]
    opening = marked[:len(marked) - len(plain)]
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"][:count]
    step = WINDOW - len(opening)
    return len(opening), [opening + tokens[start:start + step] for start in range(0, len(tokens), step)]


def expected(path, count):
    """The windows, what transformers makes of them, and greedy tokens with their margins."""
    import torch
    import transformers
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    source = dict(pretrained_model_name_or_path=str(path.parent), gguf_file=path.name)
    tokenizer = AutoTokenizer.from_pretrained(**source)
    model = AutoModelForCausalLM.from_pretrained(
        **source, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)).eval()
    opening, texts = windows(tokenizer, count)
    scores, greedy = [], []
    with torch.no_grad():
        for tokens in texts:
            logits = model(torch.tensor([tokens]), use_cache=False).logits[0].log_softmax(-1)
            scores.append([float(logits[i, tokens[i + 1]]) for i in range(max(opening, 1) - 1, len(tokens) - 1)])
        for prompt in PROMPTS:
            tokens = tokenizer(prompt)["input_ids"]
            output = model.generate(
                torch.tensor([tokens]), max_new_tokens=32, do_sample=False, output_scores=True,
                return_dict_in_generate=True)
            margins = [float(a - b) for a, b in (score[0].topk(2).values for score in output.scores)]
            greedy.append(dict(prompt=prompt, tokens=tokens, greedy=output.sequences[0, len(tokens):].tolist(),
                               margin=min(margins)))
    return dict(transformers=transformers.__version__, opening=opening, windows=texts, scores=scores, greedy=greedy)


class Server:
    def __init__(self, quire, model, settings):
        overrides = [f"--set={setting}" for setting in
                     ["backend.name=cpu", "server.port=0", "model.max_model_len=1024", "cache.memory=512MiB", *settings]]
        self.process = subprocess.Popen(
            [quire, "serve", str(model), *overrides], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if found := re.search(r"listening on (http://\S+:\d+)", line):
                self.url = found[1]
                return
        sys.exit("quire did not start")

    def complete(self, prompt, **fields):
        body = json.dumps(dict(prompt=prompt, temperature=0, return_token_ids=True, **fields)).encode()
        request = urllib.request.Request(self.url + "/v1/completions", body, {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=3600))["choices"][0]

    def stop(self):
        self.process.terminate()
        self.process.communicate()


def perplexity(windows):
    scores = [score for window in windows for score in window]
    return math.exp(-statistics.fmean(scores)), len(scores)


def main():
    quire, path = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve()
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 4096
    if sys.argv[-1] == "--reference":
        json.dump(expected(path, count), sys.stdout)
        return
    # In a process of its own, so that its memory is free before Quire starts.
    command = [sys.executable, __file__, quire, str(path), str(count), "--reference"]
    truth = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    first = max(truth["opening"], 1)
    value, total = perplexity(truth["scores"])
    print(f"{path.name}: {total} predictions in windows of {WINDOW}, transformers {truth['transformers']}: "
          f"perplexity {value:.4f}")
    for name, settings in SETTINGS.items():
        server, start = Server(quire, path, settings), time.monotonic()
        scores = []
        for tokens in truth["windows"]:
            entries = server.complete(tokens, max_tokens=0, prompt_logprobs=0)["prompt_logprobs"]
            scores.append([entries[i][str(tokens[i])]["logprob"] for i in range(first, len(tokens))])
        seconds = time.monotonic() - start
        found, _ = perplexity(scores)
        largest = max(abs(a - b) for ours, theirs in zip(scores, truth["scores"]) for a, b in zip(ours, theirs))
        print(f"{name}: perplexity {found:.4f} ({found / value - 1:+.4%}), largest difference of a token's "
              f"log-probability {largest:.2g}, {seconds:.0f} s")
        for prompt in truth["greedy"]:
            choice = server.complete(prompt["prompt"], max_tokens=32)
            if choice["prompt_token_ids"] != prompt["tokens"]:
                print(f"  {prompt['prompt']!r}: other token ids, {choice['prompt_token_ids']} for {prompt['tokens']}")
            choice = server.complete(prompt["tokens"], max_tokens=32)
            pairs = list(zip(choice["token_ids"], prompt["greedy"]))
            equal = next((i for i, (a, b) in enumerate(pairs) if a != b), len(pairs))
            print(f"  {prompt['prompt']!r}: {equal} of {len(prompt['greedy'])} greedy tokens equal, smallest margin "
                  f"{prompt['margin']:.3f}")
        server.stop()


if __name__ == "__main__":
    main()
