"""Starts the real binary as a user would, and talks to it over plain HTTP where the SDK would be in the way."""
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("QUIRE_BINARY", str(REPOSITORY / ".build/release/quire"))
CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
MODEL = os.environ.get("QUIRE_TEST_MODEL", f"{CACHE}/quire/models/smollm2-135m-instruct.gguf")
NAME = "smollm2"
MAX_MODEL_LEN = 1024


def golden(name):
    """A file of Tests/Goldens."""
    return json.loads((REPOSITORY / "Tests/Goldens" / name).read_text())


class QuireServer:
    """`quire serve` on a free port; `settings` go to `--set`. Ready when the constructor returns."""

    def __init__(self, directory, **settings):
        for path, remedy in ((BINARY, "make build"), (MODEL, "make model")):
            assert os.path.exists(path), f"{path} is missing: {remedy}"
        config = Path(directory) / "server.yaml"
        config.write_text(
            f"model:\n  path: {MODEL}\n  name: {NAME}\n  max_model_len: {MAX_MODEL_LEN}\n"
            "backend:\n  name: cpu\ncache:\n  memory: 256MiB\nserver:\n  port: 8000\n")
        command = [BINARY, "serve", str(config), "--set", "server.port=0"]
        for key, value in settings.items():
            command += ["--set", f"{key.replace('__', '.')}={value}"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.log, self.url, self._listening = [], None, threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._listening.wait(180) or self.url is None:
            self.process.kill()
            raise AssertionError("the server did not start:\n" + "".join(self.log[-50:]))

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(r"listening on (http://\S+:\d+)", line):
                self.url = found[1]
                self._listening.set()
        self._listening.set()

    def stop(self, seconds=60):
        """Sends SIGTERM; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def wait(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("the server did not stop:\n" + "".join(self.log[-50:])) from None

    def request(self, path, body=None, method=None, headers=None):
        """(status, text) of one request; `body` is bytes or something for JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def json(self, path, body=None):
        """The object that a request must be answered with."""
        status, text = self.request(path, body)
        assert status == 200, text
        return json.loads(text)

    def metric(self, name):
        """The sum of a metric's series."""
        _, text = self.request("/metrics")
        values = [float(line.split()[-1]) for line in text.splitlines() if re.match(re.escape(name) + r"[ {]", line)]
        assert values, f"{name} is not in /metrics"
        return sum(values)

    def wait_until_idle(self, seconds=10):
        """Waits until no request runs or waits and no block is held."""
        names = ("vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc")
        end = time.monotonic() + seconds
        while (values := {name: self.metric(name) for name in names}) and any(values.values()):
            assert time.monotonic() < end, f"not idle after {seconds} s: {values}"
            time.sleep(0.05)
