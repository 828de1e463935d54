#!/usr/bin/env python3
"""The speeds of Tests/Benchmarks/tokenizers.md: Quire's tokenizers and `tokenizers`, alternating, on a megabyte of English.

    python3 Tests/Experiments/tokenizer_speed.py FOLDER [ROUNDS]

FOLDER has a folder for each tokenizer, with its tokenizer.json. Needs the package tokenizers, and a build of the tests (`make
build-tests`). The text is Python's documentation of its language, which every Python has.
"""
import os
import pathlib
import pydoc_data.topics
import re
import statistics
import subprocess
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TEST = ["swift", "test", "-c", "release", "-Xswiftc", "-enable-testing", "--explicit-target-dependency-import-check",
        "error", "--skip-build", "--filter", "SpeedTests/speeds"]


def peer(folder):
    """MB/s of `tokenizers` on one core, by tokenizer: the median of five runs."""
    os.environ["RAYON_NUM_THREADS"], os.environ["TOKENIZERS_PARALLELISM"] = "1", "false"
    from tokenizers import Tokenizer
    text = (folder / "text.txt").read_text(encoding="utf-8")
    rates = {}
    for path in sorted(folder.glob("*/tokenizer.json")):
        tokenizer = Tokenizer.from_file(str(path))
        times = []
        for _ in range(5):
            start = time.perf_counter()
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            times.append(time.perf_counter() - start)
        rates[path.parent.name] = (len(ids), len(text.encode()) / 1e6 / statistics.median(times))
    return rates


def quire(folder):
    output = subprocess.run(TEST, cwd=REPOSITORY, env={**os.environ, "QUIRE_TOKENIZER_SPEED": str(folder)}, check=True,
                            capture_output=True, text=True).stdout
    found = re.findall(r"SPEED (\S+): (\d+) tokens, median ([\d.]+) MB/s", output)
    return {name: (int(count), float(rate)) for name, count, rate in found}


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    text = "\n".join(pydoc_data.topics.topics[key] for key in sorted(pydoc_data.topics.topics))
    (folder / "text.txt").write_text((text * 3)[:1_000_000], encoding="utf-8")
    results = [(quire(folder), peer(folder)) for _ in range(rounds)]
    print("| tokenizer | tokens | Quire MB/s | tokenizers MB/s | ratio |\n|---|---|---|---|---|")
    for name in results[0][1]:
        ours = [mine[name][1] for mine, _ in results]
        theirs = [other[name][1] for _, other in results]
        assert all(mine[name][0] == other[name][0] for mine, other in results), "different numbers of tokens"
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        print(f"| {name} | {results[0][1][name][0]:,} | {min(ours):.1f} to {max(ours):.1f} | {min(theirs):.2f} to {max(theirs):.2f} "
              f"| {ratio:.0f} |")


if __name__ == "__main__":
    main()
