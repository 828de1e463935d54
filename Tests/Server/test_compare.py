"""`quire compare` from outside: small checkpoints of Tests/Goldens, everything that it writes, and what it says of failures."""
import json
import os
import re
import signal
import subprocess
import time
from html.parser import HTMLParser

import pytest

from quire_server import BINARY, REPOSITORY

CHECKPOINTS = REPOSITORY / "Tests/Goldens/checkpoints"
SMALL = ["--text-tokens", "300", "--window", "64", "--continuation", "8", "--prompt-tokens", "24", "--output-tokens", "8",
         "--concurrency", "1,3", "--budget", "64MiB"]


@pytest.fixture
def place(tmp_path):
    """Configurations and a way to compare them; caches are the test's own."""
    class Place:
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
        cache = tmp_path / "cache/quire/compare"

        def config(self, name, checkpoint=None, more="", path=None):
            file = tmp_path / f"{name}.yaml"
            model = path or CHECKPOINTS / checkpoint
            file.write_text(f"model: {{path: {model}{more}}}\ncache: {{memory: 8MiB}}\nbackend: {{name: cpu, threads: 1}}\n")
            return file

        def start(self, *arguments, amounts=SMALL):
            command = [BINARY, "compare", *amounts, *map(str, arguments)]
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
                                    env=self.environment)

        def compare(self, *arguments, amounts=SMALL):
            process = self.start(*arguments, amounts=amounts)
            process.stdout_text, process.stderr_text = process.communicate(timeout=300)
            return process
    return Place()


@pytest.fixture
def configs(place):
    """Four bits dequantized, as they are, and two bits."""
    return [place.config("dense", "quantized-gptq-4bit", ", loader: dense, dtype: f32"),
            place.config("four", "quantized-gptq-4bit", ", dtype: f32"), place.config("two", "quantized-gptq-2bit")]


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open_elements, self.seen, self.links = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href")]
        if tag != "meta":
            self.open_elements.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open_elements.pop() == tag


def test_a_table_json_a_page_and_a_picture(place, configs, tmp_path):
    result = place.compare(*configs, "--json", "r.json", "--html", "r.html", "--svg", "r.svg")
    assert result.returncode == 0, result.stderr_text
    assert result.stderr_text == "", "progress is for terminals"
    lines = result.stdout_text.splitlines()
    assert lines[0].split() == ["dense", "four", "two"]
    assert any(line.startswith("3 at once: decode, tokens/s") for line in lines)

    report = json.loads((tmp_path / "r.json").read_text())
    dense, four, two = report["configurations"]
    assert report["reference"] == "dense" and "against" not in dense["quality"]
    # The same numbers, quantized or not: only the order of additions differs.
    assert four["quality"]["against"]["divergence"]["value"] < 1e-6
    assert four["quality"]["against"]["same_top_token"]["value"] == 1
    assert four["quality"]["against"]["identical_continuations"] == 24 and four["worst_prompts"] == []
    assert two["quality"]["against"]["divergence"]["value"] > 0.1 and len(two["worst_prompts"]) == 5
    assert abs(four["quality"]["perplexity"]["value"] / dense["quality"]["perplexity"]["value"] - 1) < 1e-4
    for configuration in report["configurations"]:
        assert [speed["concurrency"] for speed in configuration["speed"]] == [1, 3]
        assert all(value > 0 for speed in configuration["speed"] for value in speed.values())
        memory = configuration["memory"]
        capacity = (memory["budget_bytes"] - memory["weights_bytes"] - memory["scratch_bytes"]) \
            / memory["cache_bytes_per_token"]
        assert 0.97 * capacity < memory["cache_capacity_tokens"] <= capacity
        assert memory["peak_resident_bytes"] > memory["weights_bytes"]
    assert two["memory"]["weights_bytes"] < four["memory"]["weights_bytes"] < dense["memory"]["weights_bytes"]

    page = Page((tmp_path / "r.html").read_text())
    assert page.open_elements == [] and page.links == [] and "script" not in page.seen and page.seen.count("svg") > 8
    picture = (tmp_path / "r.svg").read_text()
    assert Page(picture).open_elements == [] and "prefers-color-scheme" in picture and "href" not in picture
    assert re.findall(r"https?://\S+?(?=[\"<\s])", picture) == ["http://www.w3.org/2000/svg"]
    assert list(place.cache.iterdir()) == [], "nothing is left of a comparison that is over"


def test_a_configuration_beside_itself_differs_by_nothing(place, configs, tmp_path):
    assert place.compare(configs[2], configs[2], "--json", "r.json").returncode == 0
    first, second = json.loads((tmp_path / "r.json").read_text())["configurations"]
    assert second["name"] == "two#2"
    against = second["quality"]["against"]
    assert against["divergence"] == {"value": 0, "standard_error": 0} and against["divergence_max"] == 0
    assert against["perplexity_ratio"]["value"] == 1 and against["identical_continuations"] == 24


def test_it_goes_on_after_it_was_killed(place, configs):
    amounts = [*SMALL, "--rounds", "15"]
    process = place.start(*configs, amounts=amounts)
    end = time.monotonic() + 120
    # Killed like by the kernel, in the middle of the load; its worker must not outlive it.
    while not (rounds := [path for path in place.cache.glob("*/two-*.json") if "load, round 3" in path.read_text()]):
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.01)
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True).stdout
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for child in children.split():
        while os.path.exists(f"/proc/{child}"):
            assert time.monotonic() < end, "a worker lives on"
            time.sleep(0.01)
    result = place.compare(*configs, amounts=amounts)
    assert result.returncode == 0 and rounds, result.stderr_text
    taken = [line for line in result.stderr_text.splitlines() if line.endswith(": taken from an earlier run")]
    for part in ("text", "continuations", "load, round 1", "load, round 2"):
        assert {f"{name}: {part}: taken from an earlier run" for name in ("dense", "four", "two")} <= set(taken)
    assert "load, round 15: taken" not in result.stderr_text


def test_a_worker_that_dies_is_reported_and_the_others_are_compared(place, configs):
    # Fifty thousand windows: there is time to find the worker.
    (text := configs[0].parent / "long.txt").write_text("All work and no play. " * 100_000)
    process = place.start(configs[0], configs[2], "--text", text, "--text-tokens", "1000000")
    end = time.monotonic() + 60
    while not (children := subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(process.pid)], capture_output=True,
                                          text=True).stdout.split("\n")[0].split()) or "compare-worker" not in children:
        assert time.monotonic() < end
    os.kill(int(children[0]), signal.SIGKILL)
    # The second is the reference now; its text need not be scored to the end.
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    assert "dense: text: its process was ended by a signal: Killed" in process.communicate(timeout=60)[1]


def test_what_has_changed_is_measured_again_and_said(place, configs, tmp_path):
    amounts = [*SMALL, "--work", "kept"]
    assert place.compare(*configs, amounts=amounts).returncode == 0
    again = place.compare(*configs, amounts=amounts).stderr_text.splitlines()
    assert len(again) == 9 and all(line.endswith("taken from an earlier run") for line in again)
    # A comment is no change, a key is.
    configs[1].write_text("# a comment\n" + configs[1].read_text())
    assert "again" not in place.compare(*configs, amounts=amounts).stderr_text
    configs[1].write_text(configs[1].read_text() + "scheduler: {max_num_seqs: 7}\n")
    lines = place.compare(*configs, amounts=amounts).stderr_text.splitlines()
    assert "four: load, round 1: measured again: the configuration has changed" in lines
    assert "two: load, round 1: taken from an earlier run" in lines
    (tmp_path / "text").write_text("A short text of the user's own, about nothing at all. " * 20)
    lines = place.compare(*configs, "--text", "text", amounts=amounts).stderr_text.splitlines()
    assert "two: text: measured again: reference, text have changed" in lines
    assert "two: continuations: taken from an earlier run" in lines


def test_a_configuration_that_fails_is_named_and_the_others_are_compared(place, configs, tmp_path):
    missing = place.config("missing", path="/nowhere/model.gguf")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("model: {path: x}\ncach: {}\n")
    result = place.compare(missing, configs[0], wrong, configs[2], "--json", "r.json")
    assert result.returncode == 64
    assert "missing: text: /nowhere/model.gguf" in result.stderr_text
    assert re.search(r"wrong: \S*wrong.yaml:2:1: cach", result.stderr_text)
    assert "missing was not measured to the end: /nowhere/model.gguf" in result.stdout_text
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["reference"] == "dense"
    assert [("failure" in each, "quality" in each) for each in report["configurations"]] == [
        (True, False), (False, True), (True, False), (False, True)]
    assert report["configurations"][3]["quality"]["against"]["divergence"]["value"] > 0


def test_models_with_other_tokens_are_not_compared_token_by_token(place, configs, tmp_path):
    other = place.config("other", "llama-bf16")
    result = place.compare(configs[0], other, "--json", "r.json")
    assert result.returncode == 0 and "other cannot be compared in everything" in result.stdout_text
    quality = json.loads((tmp_path / "r.json").read_text())["configurations"][1]["quality"]
    assert quality["perplexity"]["value"] > 1 and "divergence" not in quality["against"]


def test_a_text_and_prompts_of_the_users_own(place, configs, tmp_path):
    (tmp_path / "t.txt").write_text("It was a bright cold day, and the clocks were new. " * 30)
    (tmp_path / "p.jsonl").write_text('{"prompt": "One\\ntwo"}\n\n{"prompt": "three"}\n')
    result = place.compare(*configs[:2], "--text", "t.txt", "--prompts", "p.jsonl", "--json", "r.json")
    assert result.returncode == 0, result.stderr_text
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["setup"]["text"] == "t.txt" and report["configurations"][1]["quality"]["against"]["continuations"] == 2


@pytest.mark.parametrize("arguments, message", [
    (["--text", "/nowhere.txt"], "/nowhere.txt: cannot be read"),
    (["--prompts", "p.jsonl"], "p.jsonl:2: the object has no \"prompt\""),
    (["--text-tokens", "1"], "--text-tokens: expected 2 or more, found 1"),
    (["--concurrency", "1,x"], "expected numbers such as 1,4,16"),
    (["--budget", "lots"], "expected bytes such as 512MiB"),
    (["--json", "/nowhere/r.json"], "/nowhere/r.json: cannot be written"),
    (["--work", "/proc/nowhere"], "/proc/nowhere: cannot be made a folder"),
])
def test_what_is_wrong_is_said_in_a_line(place, configs, tmp_path, arguments, message):
    (tmp_path / "p.jsonl").write_text('{"prompt": "a"}\n{"promt": "b"}\n')
    result = place.compare(configs[2], *arguments)
    assert result.returncode == 64 and message in result.stderr_text, result.stderr_text


def test_usage(place):
    assert place.compare(amounts=[]).returncode == 64
    assert "compare-worker" not in subprocess.run([BINARY, "--help"], capture_output=True, text=True).stdout


def test_an_adapter_is_a_configuration(place, tmp_path):
    """A model beside itself with an adapter: the text and the continuations are the adapter's."""
    adapter = REPOSITORY / "Tests/Goldens/adapters/llama-gqa-untied"
    lora = f"lora: {{adapters: {{german: {adapter}}}, max_lora_rank: 2, use: german}}\n"
    files = [place.config(name, "llama-gqa-untied", ", dtype: f32") for name in ("base", "room", "german")]
    files[1].write_text(files[1].read_text() + lora.replace(", use: german", ""))
    files[2].write_text(files[2].read_text() + lora)
    done = place.compare(*files, "--json", "r.json")
    assert done.returncode == 0, done.stderr_text
    configurations = json.loads((tmp_path / "r.json").read_text())["configurations"]
    room, german = (each["quality"]["against"] for each in configurations[1:])
    # Room for adapters changes no bit of the model without one.
    assert room["divergence_max"] == 0 and room["identical_continuations"] == 24
    assert german["divergence"]["value"] > 0.01 and german["identical_continuations"] < 24
