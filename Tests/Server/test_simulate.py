"""`quire simulate` from outside: the table, the files it writes, and what it says of wrong traces."""
import json
import subprocess
from html.parser import HTMLParser

import pytest

from quire_server import BINARY, REPOSITORY

ENGINE = ["--set", "cache.num_blocks=256", "--set", "scheduler.max_num_seqs=8", "--set", "model.max_model_len=512"]
EVERY_POLICY = "fcfs,priority,sjf,mlfq,fair,deadline,prefix"


@pytest.fixture
def simulate(tmp_path):
    """Runs it; nothing of a model is needed."""
    config = tmp_path / "config.yaml"
    config.write_text("model: {path: /nowhere/model.gguf}\n")

    def run(*arguments, engine=ENGINE):
        command = [BINARY, "simulate", config, *engine, *arguments]
        return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300)
    return run


def rows(result):
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].startswith("policy ") and len({len(line) for line in lines}) == 1
    return {line.split()[0]: line.split()[1:] for line in lines[1:]}


def test_every_policy_serves_every_request(simulate):
    table = rows(simulate("--synthetic", "count=200,rate=20,max_length=500,tenants=3,urgent=0.3",
                          "--policies", EVERY_POLICY))
    assert list(table) == EVERY_POLICY.split(",")
    assert all(row[:2] == ["200", "0"] for row in table.values()), table


def test_figures_are_the_same_again(simulate):
    def run():
        return simulate("--synthetic", "count=300,rate=30,max_length=500", "--policies", EVERY_POLICY).stdout
    assert run() == run()


def test_swapping_is_counted_and_saves_computing(simulate, tmp_path):
    def run(mode):
        report = tmp_path / f"{mode}.json"
        result = simulate("--synthetic", "count=200,rate=20,max_length=500", "--json", report,
                          "--set", f"scheduler.preemption={mode}", "--set", "cache.num_swap_blocks=1024",
                          "--set", "cache.num_blocks=64", "--set", "cache.enable_prefix_caching=false")
        assert result.returncode == 0, result.stderr
        return json.loads(report.read_text())[0]
    swap, recompute = run("swap"), run("recompute")
    assert swap["moves"]["preemptions"] == swap["preemption_count"] > 0
    assert swap["tokens"]["swapped"] > 0 and swap["tokens"]["recomputed"] == 0
    assert swap["moves"]["out"] == swap["moves"]["in"] > 0 and swap["moves"]["seconds"] > 0
    assert recompute["moves"]["out"] == 0 and recompute["tokens"]["recomputed"] > 0
    assert swap["requests"] == recompute["requests"]


def test_a_swap_space_in_bytes_needs_a_model(simulate):
    result = simulate("--synthetic", "count=1", "--set", "cache.swap_space=1GiB")
    assert result.returncode == 64 and "num_swap_blocks" in result.stderr


def test_a_trace_of_each_kind(simulate, tmp_path):
    lines = tmp_path / "trace.jsonl"
    lines.write_text("".join(json.dumps({"arrival": i / 10, "prompt_tokens": 20 + i, "output_tokens": 5, "tenant": "a",
                                         "priority": i % 2, "deadline_ms": 60000}) + "\n" for i in range(30)))
    burst = tmp_path / "burst.csv"
    burst.write_text("Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
                     + "".join(f"{i},ChatGPT,{20 + i},{5 * (i % 3)},{25 + i},API log\n" for i in range(30)))
    azure = tmp_path / "azure.csv"
    azure.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n"
                     + "".join(f"2023-11-16 18:17:{i:02}.5000000,{20 + i},5\n" for i in range(30)))
    assert rows(simulate("--trace", lines))["fcfs"][-1] == "100.0%"
    assert rows(simulate("--trace", burst))["fcfs"][0] == "20"
    assert rows(simulate("--trace", azure))["fcfs"][0] == "30"


def test_the_json_and_the_page(simulate, tmp_path):
    class Page(HTMLParser):
        open_elements, seen, links = [], [], []

        def handle_starttag(self, tag, attributes):
            self.seen.append(tag)
            self.links += [value for name, value in attributes if name in ("src", "href")]
            if tag not in ("meta", "line", "polyline"):
                self.open_elements.append(tag)

        def handle_startendtag(self, tag, attributes):
            self.seen.append(tag)

        def handle_endtag(self, tag):
            assert self.open_elements.pop() == tag

    result = simulate("--synthetic", "count=100,max_length=500,urgent=0.5", "--policies", "fcfs,priority",
                      "--json", tmp_path / "report.json", "--html", tmp_path / "report.html")
    assert result.returncode == 0, result.stderr
    reports = json.loads((tmp_path / "report.json").read_text())
    assert [report["policy"] for report in reports] == ["fcfs", "priority"]
    for report in reports:
        assert report["requests"]["finished"] == 100 and 0 < report["time_to_first_token"]["p50"]
        assert {group["name"] for group in report["priorities"]} == {"0", "1"}
    page = Page()
    page.feed((tmp_path / "report.html").read_text())
    assert page.open_elements == [] and page.links == [] and "script" not in page.seen
    assert page.seen.count("svg") == 8 and page.seen.count("polyline") == 16


@pytest.mark.parametrize("arguments, message", [
    (["--synthetic", "rat=3"], "synthetic trace: rat: expected one of count, rate"),
    (["--synthetic", "count=3", "--policies", "fcfs,sjff"], 'did you mean "sjf"?'),
    (["--trace", "/nowhere.csv"], "/nowhere.csv: cannot be opened"),
    (["--synthetic", "count=1", "--trace", "/nowhere.csv"], "either --trace FILE or --synthetic"),
    ([], "either --trace FILE or --synthetic"),
    (["--synthetic", "count=1", "--json", "/nowhere/report.json"], "/nowhere/report.json: cannot be written"),
])
def test_what_is_wrong_is_said_in_a_line(simulate, arguments, message):
    result = simulate(*arguments)
    assert result.returncode == 64 and message in result.stderr, result.stderr


def test_a_parameter_that_no_policy_reads_is_warned_of(simulate):
    def warnings(*arguments):
        result = simulate("--synthetic", "count=1", "--set", "policy_options.levels=3",
                          "--set", "policy_options.prompt_cost=2", *arguments)
        assert result.returncode == 0
        return result.stderr
    # Shares of tenants are compared whatever the policy, so fair's parameters are always read.
    assert warnings() == "warning --set policy_options.levels: not read by fcfs, fair, only by mlfq\n"
    assert warnings("--policies", "fcfs,mlfq") == ""


def test_a_wrong_line_is_named(simulate, tmp_path):
    trace = tmp_path / "trace.csv"
    trace.write_text("arrival,prompt,output\n0,10,5\n1,ten,5\n")
    result = simulate("--trace", trace)
    assert result.returncode == 64
    assert result.stderr.strip().endswith("trace.csv:3: expected a number as prompt, found 'ten'")


def test_a_cache_without_a_size_is_asked_for(simulate):
    result = simulate("--synthetic", "count=1", engine=[])
    assert result.returncode == 64 and "cache.num_blocks: needed by simulate" in result.stderr


@pytest.mark.parametrize("name", sorted(path.name for path in (REPOSITORY / "Configs").glob("policy-*.yaml")))
def test_the_samples_run(name):
    result = subprocess.run([BINARY, "simulate", REPOSITORY / "Configs" / name, "--synthetic", "count=50"],
                            capture_output=True, text=True, timeout=300)
    assert result.returncode == 0 and len(result.stdout.splitlines()) == 2, result.stderr
