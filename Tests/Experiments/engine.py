#!/usr/bin/env python3
"""The experiments on the real engine of Tests/Benchmarks/simulation.md, with SmolLM2 on the CPU: prints every number that stands there.

    python3 Tests/Experiments/engine.py .build/release/quire [prediction h]

Needs the model of `make demo`, and a machine that does nothing else: about eight minutes. Every command is printed.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
CONFIG = "Configs/dequantized.yaml"
ENGINE = {"scheduler__max_num_batched_tokens": 512, "model__max_model_len": 1024}
# Requests that come at a moderate rate, and about as many as the engine can serve, with too few blocks for them.
TRACES = {
    "moderate": ("rate=1.4,count=90,max_length=1024", {"scheduler__max_num_seqs": 16, "cache__num_blocks": 2048}),
    "near overload": ("rate=2.2,count=120,max_length=1024", {"scheduler__max_num_seqs": 16, "cache__num_blocks": 320}),
}


def bench(quire, kind, *arguments, **overrides):
    """What a run wrote; overrides are keys with __ for the dot."""
    settings = [f"--set={key.replace('__', '.')}={value}" for key, value in overrides.items()]
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = ["bench", kind, CONFIG, *settings, *arguments]
        print("    quire " + " ".join(command))
        subprocess.run([quire, *command, f"--json={report.name}"], check=True, cwd=REPOSITORY,
                       stdout=subprocess.DEVNULL)
        return json.load(open(report.name))


def fitted_cost(quire, path):
    """Fits what a step costs on this machine, writes it to `path` and returns it."""
    fit = bench(quire, "steps", scheduler__max_num_seqs=64, **ENGINE)
    pathlib.Path(path).write_text(json.dumps(fit))
    return fit


def prediction(quire):
    """predicted against measured: a step cost fitted on this machine, then traces on the real engine and simulated."""
    with tempfile.NamedTemporaryFile(suffix=".json") as cost:
        fit = fitted_cost(quire, cost.name)
        errors = fit["errors"]
        yield (f"{len(fit['samples'])} steps: median error {errors['median']:.1%}, p90 {errors['p90']:.1%},"
               f" largest {errors['max']:.1%}")
        for name, (trace, settings) in TRACES.items():
            report = bench(quire, "trace", f"--synthetic={trace}", f"--step-cost={cost.name}", **ENGINE, **settings)
            yield f"{name}: {report['measured']['requests']} requests, {report['measured']['seconds']:.1f} s"
            for figure in report["prediction"]["figures"]:
                error = "-" if figure.get("error") is None else f"{figure['error']:+.1%}"
                yield f"  {figure['name']:28} {figure['measured']:12.4f} {figure['predicted']:12.4f} {error}"


def paging(quire):
    """(h) paged against one buffer for each sequence: 8,192 tokens of cache, sequences of at most 1,024 tokens.

    With one buffer each, the engine has room for eight of them and so runs no more at once; its blocks are as large as
    they come, so that a sequence lies in one piece but for three seams.
    """
    with tempfile.NamedTemporaryFile(suffix=".json") as cost:
        fitted_cost(quire, cost.name)
        for sequences in (1, 2, 4, 8, 16, 32, 64):
            for name, most, block in (("paged", 64, 16), ("one buffer each", 8, 256)):
                if sequences > most and sequences > 16:
                    continue
                trace = f"rate=1e6,count={min(max(8, 4 * sequences), 96)},max_length=1024"
                report = bench(quire, "trace", f"--synthetic={trace}", f"--step-cost={cost.name}", **ENGINE,
                               scheduler__max_num_seqs=min(sequences, most), cache__block_size=block,
                               cache__num_blocks=8192 // block)
                measured = report["measured"]
                predicted = [figure["predicted"] for figure in report["prediction"]["figures"]
                             if figure["name"] == "output tokens/s"]
                yield (f"{sequences:2} wanted, {name:15}: at most {measured['max_running']:2} at once,"
                       f" {measured['mean_running']:4.1f} on average,"
                       f" {measured['output_tokens'] / measured['seconds']:5.0f} tokens/s (predicted {predicted[0]:.0f}),"
                       f" {measured['preemptions']} preempted")


EXPERIMENTS = {"prediction": prediction, "h": paging}

if __name__ == "__main__":
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    for name in sys.argv[2:] or EXPERIMENTS:
        print(EXPERIMENTS[name].__doc__.splitlines()[0])
        for line in EXPERIMENTS[name](binary):
            print("  " + line)
