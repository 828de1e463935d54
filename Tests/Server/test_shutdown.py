"""Starting and stopping: SIGTERM lets what runs finish and exits 0; keys keep strangers out."""
import json
import signal
import subprocess
import time
import urllib.error

import openai
import pytest

from conftest import sdk
from quire_server import BINARY, NAME, QuireServer


def stream(server, max_tokens):
    return sdk(server).completions.create(
        model=NAME, prompt="Tell me a long story.", max_tokens=max_tokens, temperature=0, stream=True,
        stream_options={"include_usage": True}, extra_body={"ignore_eos": True})


def test_sigterm_when_idle_exits_0_at_once(tmp_path):
    server = QuireServer(tmp_path)
    start = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - start < 10


def test_sigterm_finishes_what_runs_and_takes_nothing_new(tmp_path):
    server = QuireServer(tmp_path)
    chunks = stream(server, max_tokens=300)
    first = next(chunks)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    try:
        status, _ = server.request("/v1/completions", {"model": NAME, "prompt": "x"})
        assert status == 503
    except (urllib.error.URLError, ConnectionError):
        pass  # no longer listening
    rest = list(chunks)
    assert first.choices and rest[-1].usage.completion_tokens == 300
    assert rest[-2].choices[0].finish_reason == "length"
    assert server.wait(60) == 0


def test_drain_seconds_bounds_the_wait(tmp_path):
    server = QuireServer(tmp_path, server__drain_seconds="500ms")
    chunks = stream(server, max_tokens=1000)
    next(chunks)
    start = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    try:
        produced = [chunk.usage.completion_tokens for chunk in chunks if chunk.usage]
    except openai.OpenAIError:
        produced = []
    assert produced != [1000]
    assert server.wait(20) == 0
    assert time.monotonic() - start < 15


def test_a_key_is_asked_for(tmp_path):
    server = QuireServer(tmp_path, server__api_key="open-sesame")
    try:
        with pytest.raises(openai.AuthenticationError):
            sdk(server, api_key="wrong").models.list()
        status, text = server.request("/v1/models")
        assert status == 401 and "open-sesame" not in text
        assert sdk(server, api_key="open-sesame").models.list().data[0].id == NAME
        assert server.request("/health")[0] == 200
    finally:
        assert server.stop() == 0


def test_a_port_in_use_is_said_in_a_line(tmp_path):
    server = QuireServer(tmp_path)
    try:
        port = server.url.rsplit(":", 1)[1]
        second = subprocess.run(
            [BINARY, "serve", str(tmp_path / "server.yaml"), "--set", f"server.port={port}"],
            capture_output=True, text=True, timeout=120)
        assert second.returncode not in (0, -11) and "in use" in second.stderr.lower()
    finally:
        assert server.stop() == 0
    assert json.dumps(server.log)  # the first one was not disturbed
