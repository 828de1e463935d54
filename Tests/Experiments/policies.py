#!/usr/bin/env python3
"""The experiments on scheduling policies of Tests/Benchmarks/scheduling.md: prints every number that stands there.

    python3 Tests/Experiments/policies.py .build/release/quire [a b c d e f g plugin speed]

Each experiment is a few runs of `quire simulate` on synthetic traces; every command is printed, so that any of them can
be repeated by hand. Simulated figures are the same on any machine; times of the scheduler itself are this machine's.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
CONFIG = "Configs/policy-fcfs.yaml"


def simulate(quire, synthetic, policies="fcfs", **overrides):
    """The reports of one run; overrides are keys with __ for the dot."""
    settings = [f"--set={key.replace('__', '.')}={value}" for key, value in overrides.items()]
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = ["simulate", CONFIG, *settings, f"--synthetic={synthetic}", f"--policies={policies}"]
        print("    quire " + " ".join(command))
        subprocess.run([quire, *command, f"--json={report.name}"], check=True, cwd=REPOSITORY,
                       stdout=subprocess.DEVNULL)
        return json.load(open(report.name))


def throughput(report):
    return report["tokens"]["output"] / report["seconds"]


def waste(quire):
    """(a) memory by block size, 65,536 tokens of cache, ShareGPT-like lengths of at most 2,048 tokens."""
    for size in (1, 2, 4, 8, 16, 32, 64, 128, 256):
        cache = simulate(quire, "rate=8,count=5000", cache__block_size=size, cache__num_blocks=65536 // size)[0]["cache"]
        yield f"block {size:3}: waste {cache['waste']:6.2%}, {cache['share_of_reserving']:.1%} of reserving 2,048 each"


def priority(quire):
    """(b) time to first token of urgent requests: alone, and as a twentieth of twice what the engine can serve."""
    urgent, everybody = "rate=1.2,count=3000,urgent=1", "rate=24,count=20000,urgent=0.05"
    for sequences in (32, 64):
        alone = None
        for trace, share, policies in ((urgent, 1, "priority"), (everybody, 1, "fcfs,priority"),
                                       (everybody, 0.0625, "priority")):
            reports = simulate(quire, trace, policies, scheduler__max_num_seqs=sequences,
                               scheduler__prompt_share=share, scheduler__max_waiting=100000,
                               policy_options__ageing_seconds=3600)
            for report in reports:
                groups = {group["name"]: group["time_to_first_token"] for group in report["priorities"]}
                first = groups.get("0", report["time_to_first_token"])
                alone = alone or first
                yield (f"{sequences} sequences, {trace}, {report['policy']}, prompt_share {share}:"
                       f" mean {first['mean']:.4f} s ({first['mean'] / alone['mean']:.2f} x alone),"
                       f" median {first['p50']:.4f} s, p99 {first['p99']:.4f} s, {throughput(report):,.0f} tokens/s")


def fairness(quire):
    """(c) how far the service of two waiting tenants drifts apart; one sends four times as much as the other."""
    bound = 2 * max(1 * 2047, 2 * 2048 * 16)
    for count in (2000, 8000, 32000):
        reports = simulate(quire, f"rate=100000,count={count},tenants=2,skew=2", "fcfs,fair",
                           scheduler__max_waiting=100000)
        for report in reports:
            yield (f"{count} requests, {report['policy']}: gap {report['fairness_gap']:,.0f} weighted tokens"
                   f" (proven bound of fair {bound:,}), {throughput(report):,.0f} tokens/s")


def latency(quire):
    """(d) mean latency: four tenants whose answers differ in length, by 16 from the first to the last."""
    for rate in (10, 13, 16):
        reports = simulate(quire, f"rate={rate},count=6000,tenants=4,contrast=16", "fcfs,sjf,mlfq",
                           scheduler__max_waiting=100000)
        base = reports[0]
        for report in reports:
            end, token = report["end_to_end"], report["per_output_token"]
            yield (f"{rate} requests/s, {report['policy']:4}: mean {end['mean']:6.2f} s"
                   f" ({end['mean'] / base['end_to_end']['mean']:.2f} x fcfs), p99 {end['p99']:6.1f} s, for each token of"
                   f" output {token['mean'] * 1e3:7.1f} ms ({token['mean'] / base['per_output_token']['mean']:.2f} x);"
                   f" first token {report['time_to_first_token']['mean']:6.2f} s; {report['preemption_count']} preempted")


def victims(quire):
    """(e) what preemptions cost, by who gives way; half the memory that the load wants."""
    for rule in ("last_arrived", "lowest_priority", "least_computed", "most_blocks"):
        report = simulate(quire, "rate=12,count=5000,urgent=0.2", scheduler__victim=rule, cache__num_blocks=1024)[0]
        tokens = report["tokens"]
        yield (f"{rule:15}: {report['preemption_count']:6} preempted, {tokens['recomputed']:9,} tokens computed again"
               f" ({tokens['recomputed'] / tokens['computed']:.1%}), {throughput(report):,.0f} tokens/s")


def swapping(quire):
    """(f) swapping against computing again, by block size; half the memory that the load wants, in all 16,384 tokens."""
    for size in (1, 4, 8, 16, 32, 64, 128, 256):
        for mode in ("recompute", "swap", "auto"):
            report = simulate(quire, "rate=12,count=5000", scheduler__preemption=mode, cache__block_size=size,
                              cache__num_blocks=16384 // size, cache__num_swap_blocks=65536 // size,
                              cache__enable_prefix_caching="false", scheduler__max_waiting=100000)[0]
            tokens, moves = report["tokens"], report["moves"]
            yield (f"block {size:3}, {mode:9}: {report['preemption_count']:6} preempted, {moves['preemptions']:6} of them"
                   f" swapped, {tokens['recomputed']:9,} tokens computed again, {tokens['swapped']:9,} swapped,"
                   f" {moves['seconds']:6.1f} s of copies, {throughput(report):,.0f} tokens/s,"
                   f" mean end-to-end {report['end_to_end']['mean']:.1f} s")


def scheduler(quire):
    """(g) the scheduler's own time for a step, schedule and update together, of 1,000,000 blocks."""
    for count in (10, 100, 1000, 10000):
        time = simulate(quire, f"rate=1e9,count={count},lengths=fixed,prompt=64,output=300",
                        scheduler__max_num_seqs=count, scheduler__max_num_batched_tokens=max(2048, count),
                        scheduler__max_waiting=100000, cache__num_blocks=1000000)[0]["scheduler_time"]
        yield f"{count:5} running: mean {time['mean'] * 1e6:7.1f} us, median {time['p50'] * 1e6:7.1f} us, p99 {time['p99'] * 1e6:7.1f} us"


def plugin(quire):
    """A step's time under a policy from outside that decides and hears everything (Tests/Plugins/hostile.c, which behaves here)."""
    with tempfile.TemporaryDirectory() as folder:
        library = f"{folder}/libhostile.so"
        subprocess.run(["clang", "-O2", "-shared", "-fPIC", "-I", REPOSITORY / "Sources/CQuirePlugin/include", "-o", library,
                        REPOSITORY / "Tests/Plugins/hostile.c"], check=True)
        for count in (1, 10, 1000):
            for policy in ("fcfs", "hostile"):
                report = simulate(quire, f"rate=1e9,count={count},lengths=fixed,prompt=64,output=1000", policy,
                                  plugins=f"[{library}]",
                                  scheduler__plugin_options="{mode: none}", scheduler__max_num_seqs=count,
                                  scheduler__max_waiting=100000, cache__num_blocks=1000000)[0]
                time = report["scheduler_time"]
                yield (f"{count:5} running, {policy:7}: mean {time['mean'] * 1e6:7.1f} us, median"
                       f" {time['p50'] * 1e6:7.1f} us, p99 {time['p99'] * 1e6:7.1f} us,"
                       f" {report['policy_failure_count']} failures")


def speed(quire):
    """How long simulating takes, and how much memory: ten times the trace, the same memory."""
    for count in (10000, 100000):
        process = subprocess.Popen([quire, "simulate", CONFIG, f"--synthetic=rate=8,count={count}"], cwd=REPOSITORY,
                                   stdout=subprocess.DEVNULL)
        _, _, usage = os.wait4(process.pid, 0)
        yield f"{count:6} requests: {usage.ru_utime + usage.ru_stime:.1f} s of one core, {usage.ru_maxrss / 1024:.0f} MiB"


EXPERIMENTS = {"a": waste, "b": priority, "c": fairness, "d": latency, "e": victims, "f": swapping, "g": scheduler,
               "plugin": plugin, "speed": speed}

if __name__ == "__main__":
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    for name in sys.argv[2:] or EXPERIMENTS:
        print(EXPERIMENTS[name].__doc__.splitlines()[0])
        for line in EXPERIMENTS[name](binary):
            print("  " + line)
