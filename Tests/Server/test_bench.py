"""`quire bench` from outside: the figures are there, and they belong to what was asked for."""
import json
import subprocess

import pytest

from quire_server import BINARY, REPOSITORY

CHECKPOINT = REPOSITORY / "Tests/Goldens/checkpoints/llama-gqa-untied"


@pytest.fixture
def config(tmp_path):
    def write(backend):
        path = tmp_path / f"{backend}.yaml"
        path.write_text(f"model: {{path: {CHECKPOINT}}}\nbackend: {{name: {backend}}}\ncache: {{memory: 16MiB}}\n")
        return path
    return write


def bench(*arguments):
    return subprocess.run([BINARY, "bench", *map(str, arguments)], capture_output=True, text=True, timeout=300)


def test_engines_are_measured_side_by_side(config, tmp_path):
    path = tmp_path / "figures.json"
    result = bench(config("cpu"), config("reference"), "--requests", 4, "--concurrency", "1,2", "--prompt-tokens", "4-8",
                   "--output-tokens", "4-8", "--rounds", 2, "--json", path, "--set", "model.max_model_len=256")
    assert result.returncode == 0, result.stderr
    assert "cpu.yaml" in result.stdout and "decode, tokens/s" in result.stdout
    figures = json.loads(path.read_text())
    assert [len(entry["rounds"]) for entry in figures] == [2, 2]
    assert all(round["decode_tokens_per_second"] > 0 for entry in figures for round in entry["rounds"])
    assert "KV cache, tokens" in result.stdout
    assert all(16e6 < entry["memory"]["cache_bytes"] <= 16 << 20 for entry in figures)
    assert all(entry["memory"]["weights_bytes"] > 0 for entry in figures)
    assert all(entry["memory"]["cache_tokens"] % 16 == 0 < entry["memory"]["cache_tokens"] for entry in figures)


def test_kernels_are_timed(config):
    result = bench("kernels", config("vulkan"), "--sequences", "1,3", "--context", 40, "--prompt-tokens", 33,
                   "--rounds", 2, "--json", "-")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["speed"]["memory_bytes_per_second"] > 0 and report["speed"]["operations_per_second"] > 0
    assert len(report["steps"]) == 3
    for step in report["steps"]:
        labels = [kernel["label"] for kernel in step["kernels"]]
        assert any(label.startswith("linear") for label in labels)
        assert any(label.startswith("attention") for label in labels)
        assert all(kernel["seconds"] >= 0 and kernel["bytes"] > 0 for kernel in step["kernels"])


def test_kernels_are_a_table_for_people(config):
    result = bench("kernels", config("vulkan"), "--sequences", 1, "--context", 8, "--prompt-tokens", 8, "--rounds", 1)
    assert result.returncode == 0, result.stderr
    assert "GB/s" in result.stdout and "of peak" in result.stdout and "floor" in result.stdout


SMALL = ["--set", "model.max_model_len=128", "--set", "scheduler.max_num_batched_tokens=64",
         "--set", "scheduler.max_num_seqs=8"]


def test_what_steps_cost_is_found_and_simulated_with(config, tmp_path):
    cost = tmp_path / "cost.json"
    result = bench("steps", config("cpu"), *SMALL, "--rounds", 2, "--json", cost, "--set", "cache.num_swap_blocks=16")
    assert result.returncode == 0, result.stderr
    assert "tokens of a step" in result.stdout and "error over" in result.stdout
    report = json.loads(cost.read_text())
    assert report["cost"]["curve"][0]["tokens"] == 1 and report["cost"]["curve"][-1]["tokens"] == 64
    assert report["cost"]["move_token_seconds"] > 0 and len(report["samples"]) > 10

    engine = tmp_path / "engine.yaml"
    engine.write_text(f"model: {{path: {CHECKPOINT}}}\ncache: {{num_blocks: 64}}\n")

    def simulate(*arguments):
        return subprocess.run([BINARY, "simulate", engine, *SMALL, "--synthetic=count=50,max_length=100", *arguments],
                              capture_output=True, text=True, timeout=300)
    with_cost, without = simulate("--step-cost", str(cost)), simulate()
    assert with_cost.returncode == without.returncode == 0 and with_cost.stdout != without.stdout
    cost.write_text(cost.read_text().replace("move_token_seconds", "move_seconds"))
    wrong = simulate("--step-cost", str(cost))
    assert wrong.returncode == 64 and "cost.json: cost.move_seconds: unknown" in wrong.stderr


def test_a_trace_is_measured_beside_its_prediction(config):
    result = bench("trace", config("cpu"), *SMALL, "--synthetic", "rate=1000,count=30,max_length=100", "--json", "-")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["measured"]["requests"] == 30
    figures = {figure["name"]: figure for figure in report["prediction"]["figures"]}
    assert all(figures[f"{name}, p99"]["measured"] > 0 < figures[f"{name}, p99"]["predicted"]
               for name in ("time to first token", "inter-token latency", "end-to-end latency"))
    assert figures["output tokens/s"]["error"] is not None


@pytest.mark.parametrize("arguments, message", [
    (["--synthetic", "count=1000000"], "at most 10000 requests"),
    (["--synthetic", "count=1", "--step-cost", "/nowhere.json"], "/nowhere.json: cannot be read"),
    ([], "either --trace FILE or --synthetic"),
])
def test_a_trace_that_cannot_be_replayed_is_refused(config, arguments, message):
    result = bench("trace", config("cpu"), *arguments)
    assert result.returncode == 64 and message in result.stderr


def test_a_backend_without_a_clock_is_named(config):
    result = bench("kernels", config("cpu"))
    assert result.returncode == 64 and "backend.name" in result.stderr and "vulkan" in result.stderr


@pytest.mark.parametrize("option", ["--sequences=0", "--context=-1", "--sequences=a", "--rounds=0"])
def test_bad_options_are_usage_errors(config, option):
    result = bench("kernels", config("vulkan"), option)
    assert result.returncode == 64 and option.split("=")[0] in result.stderr


def test_steps_run_at_least_once(config):
    result = bench("steps", config("cpu"), "--rounds=0")
    assert result.returncode == 64 and "--rounds" in result.stderr
