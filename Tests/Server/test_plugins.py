"""Scheduling policies from outside, in the built command: loaded by a line of YAML, and harmless whatever they do."""
import re
import subprocess
import urllib.request

import pytest

from plugins import build
from quire_server import BINARY, NAME, QuireServer

SMALL = ["--set", "cache.num_blocks=256", "--set", "scheduler.max_num_seqs=8", "--set", "model.max_model_len=512"]


@pytest.fixture
def quire(tmp_path):
    """Runs a command on a configuration with `plugins` and `scheduler`, both YAML."""
    def run(command, *arguments, plugins, scheduler="{}"):
        config = tmp_path / "config.yaml"
        config.write_text(f"model: {{path: /nowhere/model.gguf}}\nplugins: {plugins}\nscheduler: {scheduler}\n")
        return subprocess.run(
            [BINARY, *command.split(), config, *arguments], capture_output=True, text=True, timeout=300)
    return run


def test_a_policy_is_known_by_name_and_its_path_is_relative_to_the_file(quire, tmp_path):
    build(tmp_path, "two_classes.c")
    scheduler = "{policy: two_classes, plugin_options: {long_tokens: 100, share: 3}}"
    checked = quire("config check", plugins="[libtwo_classes.so]", scheduler=scheduler)
    assert checked.returncode == 0, checked.stderr
    result = quire("simulate", *SMALL, "--synthetic", "count=300,rate=30,max_length=500", "--policies",
                   "fcfs,two_classes", plugins="[libtwo_classes.so]", scheduler=scheduler)
    assert result.returncode == 0, result.stderr
    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()[1:]}
    assert list(rows) == ["fcfs", "two_classes"]
    assert all(row[:2] == ["300", "0"] for row in rows.values())
    assert rows["fcfs"] != rows["two_classes"] and "left to fcfs" not in result.stderr


def test_what_cannot_be_loaded_is_refused_with_its_file_and_line(quire, tmp_path):
    other, twin = build(tmp_path, "hostile.c", "ABI=7"), build(tmp_path, "hostile.c", 'NAME="two_classes"')
    impostor, example = build(tmp_path, "hostile.c", 'NAME="fcfs"'), build(tmp_path, "two_classes.c")
    (tmp_path / "garbage.so").write_text("no library")
    for plugins, sentence in (
            ("[libnone.so]", f"plugin {tmp_path}/libnone.so cannot be loaded: "),
            ("[garbage.so]", f"plugin {tmp_path}/garbage.so cannot be loaded: "),
            (f"[{other}]", f"plugin {other} speaks ABI 7; this quire speaks 1"),
            (f"[{impostor}]", f'plugin {impostor}: quire itself has a policy "fcfs" already'),
            (f"[{example}, {twin}]", f'plugin {twin}: plugin {example} has a policy "two_classes" already')):
        result = quire("config check", plugins=plugins)
        assert result.returncode == 64
        assert f"config.yaml:2:10: plugins: {sentence}" in result.stderr, result.stderr


def test_options_that_a_policy_does_not_want_are_refused(quire, tmp_path):
    library = build(tmp_path, "two_classes.c")
    result = quire("config check", plugins=f"[{library}]",
                   scheduler="{policy: two_classes, plugin_options: {share: few}}")
    assert result.returncode == 64
    assert (f'scheduler.plugin_options: plugin {library}: policy "two_classes" would not start: '
            "share: expected a number from 1 to 1e9") in result.stderr


def test_a_simulation_says_how_often_a_policy_failed(quire, tmp_path):
    library = build(tmp_path, "hostile.c")
    result = quire("simulate", *SMALL, "--synthetic", "count=50,rate=30,max_length=500", plugins=f"[{library}]",
                   scheduler="{policy: hostile, plugin_options: {mode: error}}")
    assert result.returncode == 0
    assert re.search(r'^hostile: \d+ decisions failed, and fcfs decided instead: policy "hostile" failed: out of ideas$',
                     result.stderr, re.MULTILINE), result.stderr


def metric(server, decision):
    with urllib.request.urlopen(server.url + "/metrics", timeout=60) as response:
        text = response.read().decode()
    line = re.search(rf'^quire:policy_failures_total{{.*decision="{decision}".*}} (\S+)$', text, re.MULTILINE)
    assert 'policy="hostile"' in line[0]
    return float(line[1])


@pytest.mark.parametrize("mode", ["error", "unknown", "stuck"])
def test_a_server_lives_with_a_hostile_policy_and_gives_the_same_tokens(complete, tmp_path, mode):
    library = build(tmp_path, "hostile.c")
    server = QuireServer(
        tmp_path, plugins=f"[{library}]", scheduler__policy="hostile", scheduler__plugin_options=f"{{mode: {mode}}}",
        scheduler__plugin_time_budget_ms=50)
    prompts = ["The capital of France is", "One, two, three,"]
    for prompt in prompts:
        body = {"model": NAME, "prompt": prompt, "max_tokens": 12, "temperature": 0}
        answer = server.json("/v1/completions", body)["choices"][0]["text"]
        assert answer == complete(prompt).choices[0].text
    assert metric(server, "decide") >= len(prompts)
    # It is asked for a place before the step in which the request is admitted.
    assert mode != "error" or metric(server, "place") >= len(prompts)
    assert server.stop() == 0, "".join(server.log[-50:])
    assert any('policy "hostile"' in line or "which does not wait" in line for line in server.log), server.log
