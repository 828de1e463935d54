"""`quire pull` and a hub that fails in every way, and `quire serve ORG/NAME` from the cache."""
import json
import os
import random
import resource
import signal
import subprocess
import time

import pytest
from huggingface_hub import hf_hub_download, snapshot_download

from hub import COMMIT, Hub, answer, cut, digest, status
from quire_server import BINARY, REPOSITORY

NOISE = random.Random(3).randbytes(3_000_000)
GGUF = {"README.md": b"# Name", "name-Q8_0.gguf": NOISE}
TENSORS = {
    "config.json": b'{"model_type": "llama"}', "generation_config.json": b"{}", "tokenizer.json": b"{}",
    "tokenizer_config.json": b"{}", "chat_template.jinja": b"{{ messages }}", "pytorch_model.bin": b"pickle",
    "modeling_name.py": b"import os", "original/consolidated.00.pth": b"pickle", "README.md": b"# Name",
    "model.safetensors.index.json": json.dumps({"weight_map": {
        "a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}).encode(),
    "model-00001-of-00002.safetensors": NOISE[:700_000], "model-00002-of-00002.safetensors": NOISE[700_000:],
    "consolidated.safetensors": NOISE,
}
CONTENT = ("content", "/name-Q8_0.gguf")


@pytest.fixture
def hub():
    """Makes hubs that are closed at the end."""
    hubs = []

    def make(*arguments, **options):
        hubs.append(Hub(*arguments, **options))
        return hubs[-1]
    yield make
    for made in hubs:
        made.close()


def environment(cache, **more):
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("HF_") and "proxy" not in name.lower()}
    return {**kept, "HF_HOME": str(cache), **{name: value for name, value in more.items() if value is not None}}


def command(hub, *arguments, model="org/name"):
    return [BINARY, "pull", model, "--endpoint", getattr(hub, "url", hub), "--retry-seconds", "0.05",
            "--stall-seconds", "20", *map(str, arguments)]


def pull(hub, cache, *arguments, model="org/name", limit=None, **variables):
    return subprocess.run(
        command(hub, *arguments, model=model), capture_output=True, text=True, timeout=60,
        env=environment(cache, **variables), preexec_fn=limit)


def repository(cache):
    return cache / "hub/models--org--name"


def snapshot(cache):
    """The files of the snapshot and their contents."""
    root = repository(cache) / "snapshots" / COMMIT
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def check_whole(cache, files):
    """The cache has these files and nothing unfinished."""
    assert snapshot(cache) == files
    blobs = {path.name for path in (repository(cache) / "blobs").iterdir()}
    assert blobs == {digest(name, content) for name, content in files.items()}
    assert (repository(cache) / "refs/main").read_text() == COMMIT


def test_safetensors_come_with_what_serving_needs(hub, tmp_path):
    source = hub(TENSORS)
    result = pull(source, tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{repository(tmp_path)}/snapshots/{COMMIT}\n"
    assert "quire serve org/name" in result.stderr.splitlines()[-1]
    check_whole(tmp_path, {name: content for name, content in TENSORS.items() if name not in (
        "pytorch_model.bin", "modeling_name.py", "original/consolidated.00.pth", "README.md", "consolidated.safetensors")})
    for path in repository(tmp_path).rglob("snapshots/*/*"):
        assert os.readlink(path).startswith("../../blobs/")
    # A second time, only the list is asked for.
    count = len(source.seen)
    assert pull(source, tmp_path).returncode == 0 and len(source.seen) == count + 1


def test_a_hub_without_checksums_in_its_list_is_asked_for_each_file(hub, tmp_path):
    source = hub(TENSORS, gives_facts=False)
    result = pull(source, tmp_path)
    assert result.returncode == 0, result.stderr
    assert snapshot(tmp_path)["model-00002-of-00002.safetensors"] == NOISE[700_000:]
    # Heads of files on the other server are not asked for: their tags are others.
    assert {method for role, method, *_ in source.seen if role == "content"} == {"GET"}


def test_one_of_several_gguf_models_is_chosen(hub, tmp_path):
    files = {**GGUF, "name-Q4_K_M-00001-of-00002.gguf": b"one", "name-Q4_K_M-00002-of-00002.gguf": b"two"}
    source = hub(files)
    result = pull(source, tmp_path)
    assert result.returncode == 64 and "--file" in result.stderr
    assert "name-Q8_0.gguf (3 MB)" in result.stderr and "00001-of-00002.gguf and 1 more" in result.stderr
    assert not (tmp_path / "hub").exists()
    result = pull(source, tmp_path, "--file", "q4_k_m")
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith(f"{COMMIT}/name-Q4_K_M-00001-of-00002.gguf\n")
    check_whole(tmp_path, {name: files[name] for name in files if "Q4_K_M" in name})
    # With two models in the snapshot, the name alone is ambiguous.
    result = pull(source, tmp_path, "--file", "*Q8_0.gguf")
    assert result.returncode == 0 and result.stderr.splitlines()[-1].endswith("serve " + result.stdout.strip())


def test_huggingface_hub_finds_what_was_pulled(hub, tmp_path):
    assert pull(hub(TENSORS), tmp_path).returncode == 0
    found = snapshot_download("org/name", cache_dir=tmp_path / "hub", local_files_only=True)
    assert found == f"{repository(tmp_path)}/snapshots/{COMMIT}"
    for name in ("config.json", "model-00002-of-00002.safetensors"):
        path = hf_hub_download("org/name", name, cache_dir=tmp_path / "hub", local_files_only=True)
        assert open(path, "rb").read() == TENSORS[name]


def test_what_huggingface_hub_fetched_is_found(hub, tmp_path):
    source = hub(GGUF)
    hf_hub_download("org/name", "name-Q8_0.gguf", cache_dir=tmp_path / "hub", endpoint=source.url, token=False)
    shown = subprocess.run([BINARY, "config", "show", "org/name"], capture_output=True, text=True, timeout=60,
                           env=environment(tmp_path))
    assert f"{repository(tmp_path)}/snapshots/{COMMIT}/name-Q8_0.gguf" in shown.stdout, shown.stderr
    # Nothing of it is downloaded again.
    source.seen.clear()
    assert pull(source, tmp_path).returncode == 0 and not source.requests("content")


def test_a_revision_is_pulled_under_its_name(hub, tmp_path):
    source = hub(GGUF)
    assert pull(source, tmp_path, model="org/name:v1").returncode == 0
    assert (repository(tmp_path) / "refs/v1").read_text() == COMMIT
    assert not (repository(tmp_path) / "refs/main").exists()
    assert pull(source, tmp_path, model=f"org/name:{COMMIT}").returncode == 0


@pytest.mark.parametrize("faults", [
    [cut(NOISE, 1_000_000)], [cut(NOISE, 1_000_000, ends=False)], [status(500), status(503)],
    [status(429, {"Retry-After": "0"})], [cut(NOISE, 100_000), cut(NOISE, 100_000, start=100_000)] * 3,
    [cut(NOISE, 2_000_000), status(416)], [cut(NOISE, 2_000_000), lambda handler: answer(handler, 200, NOISE)],
], ids=["cut", "stall", "5xx", "429", "many cuts", "416", "no ranges"])
def test_what_passes_is_tried_again(hub, tmp_path, faults):
    source = hub(GGUF)
    source.faults[CONTENT] = list(faults)
    if len(faults) == 6:
        # Each attempt goes on where the last one ended, so more of them fail than are allowed in a row.
        source.faults[CONTENT] = [cut(NOISE, 100_000, start=start * 100_000) for start in range(9)]
    result = pull(source, tmp_path, "--stall-seconds", 2)
    assert result.returncode == 0, result.stderr
    assert "next attempt" in result.stderr
    check_whole(tmp_path, {"name-Q8_0.gguf": NOISE})


def test_retry_after_is_respected(hub, tmp_path):
    source = hub(GGUF)
    source.faults["/api/models/org/name/revision/main"] = [status(429, {"Retry-After": "2"})]
    start = time.monotonic()
    assert pull(source, tmp_path).returncode == 0 and time.monotonic() - start >= 2


def test_what_does_not_pass_ends_with_the_reason(hub, tmp_path):
    source = hub(GGUF)
    source.faults[CONTENT] = [status(503)] * 20
    result = pull(source, tmp_path)
    assert result.returncode == 70 and "status 503; given up after 6 attempts" in result.stderr
    assert not (repository(tmp_path) / "refs/main").exists()


def test_an_interrupted_download_goes_on(hub, tmp_path):
    source = hub(GGUF)
    source.faults[CONTENT] = [cut(NOISE, 2_000_000, ends=False)]
    process = subprocess.Popen(command(source), env=environment(tmp_path), stderr=subprocess.DEVNULL)
    unfinished = repository(tmp_path) / f"blobs/{digest('x.gguf', NOISE)}.incomplete"
    end = time.monotonic() + 20
    while not unfinished.exists() or unfinished.stat().st_size < 2_000_000:
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    result = pull(source, tmp_path)
    assert result.returncode == 0 and "2 MB are there" in result.stderr, result.stderr
    assert source.requests(*CONTENT)[-1]["Range"] == "bytes=2000000-"
    check_whole(tmp_path, {"name-Q8_0.gguf": NOISE})


def test_two_pulls_at_once_download_once(hub, tmp_path):
    source = hub(GGUF)

    def after_both_began(handler):
        while len(source.requests("hub", "/api/models/org/name/revision/main")) < 2:
            time.sleep(0.05)
        time.sleep(1)
        return answer(handler, 200, NOISE)
    source.faults[CONTENT] = [after_both_began, after_both_began]
    processes = [subprocess.Popen(command(source), env=environment(tmp_path), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    assert len(source.requests(*CONTENT)) == 1 and any("another process" in error for error in errors)
    check_whole(tmp_path, {"name-Q8_0.gguf": NOISE})


def test_a_wrong_checksum_keeps_nothing(hub, tmp_path):
    source = hub(GGUF)
    wrong = bytes(len(NOISE))
    source.faults[CONTENT] = [lambda handler: answer(handler, 200, wrong)] * 2
    result = pull(source, tmp_path)
    assert result.returncode == 70 and "expected SHA-256" in result.stderr
    assert list((repository(tmp_path) / "blobs").iterdir()) == [] and snapshot(tmp_path) == {}


def test_a_damaged_beginning_is_downloaded_again(hub, tmp_path):
    source = hub(GGUF)
    blobs = repository(tmp_path) / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{digest('x.gguf', NOISE)}.incomplete").write_bytes(bytes(1000))
    assert pull(source, tmp_path).returncode == 0
    check_whole(tmp_path, {"name-Q8_0.gguf": NOISE})


@pytest.mark.parametrize("body, headers, reason", [
    (b"<html>Please log in", {"Content-Type": "text/html; charset=utf-8"}, "a web page"), (NOISE + b"more", {}, "longer"),
])
def test_another_content_is_refused(hub, tmp_path, body, headers, reason):
    source = hub(GGUF)
    source.faults[CONTENT] = [status(200, headers, body)]
    result = pull(source, tmp_path)
    assert result.returncode == 70 and reason in result.stderr and "Traceback" not in result.stderr


def test_a_link_out_of_the_cache_is_not_written_to(hub, tmp_path):
    source = hub(GGUF)
    blobs = repository(tmp_path) / "blobs"
    blobs.mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (blobs / f"{digest('x.gguf', NOISE)}.incomplete").symlink_to(victim)
    assert pull(source, tmp_path).returncode == 70 and victim.read_text() == "mine"


def test_the_token_goes_to_the_hub_alone_and_is_not_shown(hub, tmp_path):
    token = "hf_verysecret"
    source = hub(GGUF, token=token)
    file = tmp_path / "token"
    file.write_text(token + "\n")
    # The last one is where `hf auth login` stores it, in HF_HOME.
    for cache, arguments, variables in [
            ("a", (), {"HF_TOKEN": token}), ("b", ("--token-file", file), {}), ("c", (), {"HF_TOKEN_PATH": str(file)}), (".", (), {})]:
        source.seen.clear()
        result = pull(source, tmp_path / cache, *arguments, **variables)
        assert result.returncode == 0, result.stderr
        assert token not in result.stdout + result.stderr
        assert all(headers["Authorization"] == f"Bearer {token}" for headers in source.requests("hub"))
        assert source.requests("content") and not any("Authorization" in headers for headers in source.requests("content"))


@pytest.mark.parametrize("fault, model, code, sentence", [
    (status(401, {"X-Error-Code": "RepoNotFound"}), "org/name", 64, "give an access token"),
    (status(403, {"X-Error-Code": "GatedRepo"}), "org/name", 64, "accept the model's terms at http"),
    (None, "org/other", 64, "the hub has no such model"),
    (None, "org/name:v2", 64, "has no revision v2"),
    (status(404, {"X-Error-Message": "gone \x1b[2J away"}), "org/name", 64, "gone \ufffd[2J away"),
    (status(418), "org/name", 70, "status 418"),
    (status(200, {}, b"<html>"), "org/name", 70, "found a web page"),
    (status(200, {}, b'{"sha": 1}'), "org/name", 70, "a commit's hash"),
    (status(302, {"Location": "file:///etc/passwd"}), "org/name", 70, "redirected"),
    (status(302, {"Location": "/api/models/org/name/revision/main"}), "org/name", 70, "redirected more than"),
])
def test_refusals_say_what_to_do(hub, tmp_path, fault, model, code, sentence):
    source = hub(GGUF)
    if fault:
        source.faults["/api/models/org/name/revision/main"] = [fault] * 20
    result = pull(source, tmp_path, model=model)
    assert (result.returncode, sentence in result.stderr) == (code, True), result.stderr
    assert not (tmp_path / "hub").exists()


def test_a_gated_file_says_what_to_do(hub, tmp_path):
    source = hub(GGUF)
    source.faults[f"/org/name/resolve/{COMMIT}/name-Q8_0.gguf"] = [status(403, {"X-Error-Code": "GatedRepo"})]
    result = pull(source, tmp_path)
    assert result.returncode == 64 and "accept the model's terms" in result.stderr


@pytest.mark.parametrize("name", ["../../../x.gguf", "/tmp/x.gguf", "a/../../x.gguf", "x\n.gguf"])
def test_a_list_with_a_path_out_of_the_snapshot_is_refused(hub, tmp_path, name):
    listing = {"sha": COMMIT, "siblings": [{"rfilename": name, "size": 1, "blobId": "0" * 40}]}
    result = pull(hub(GGUF, listing=listing), tmp_path)
    assert result.returncode == 70 and "a path within the repository" in result.stderr
    assert not (tmp_path / "hub").exists()


def test_an_index_with_a_path_out_of_the_snapshot_is_refused(hub, tmp_path):
    index = json.dumps({"weight_map": {"a": "../../../../x.safetensors"}}).encode()
    result = pull(hub({"config.json": b"{}", "model.safetensors.index.json": index}), tmp_path)
    assert result.returncode == 70 and "weight_map" in result.stderr


def test_more_than_the_disk_holds_is_refused_before_the_download(hub, tmp_path):
    listing = {"sha": COMMIT, "siblings": [
        {"rfilename": "x.gguf", "lfs": {"size": 1 << 50, "sha256": "0" * 64}}]}
    source = hub(GGUF, listing=listing)
    result = pull(source, tmp_path)
    assert result.returncode == 70 and "are needed, and" in result.stderr and not source.requests("content")


def test_a_full_disk_leaves_what_can_go_on(hub, tmp_path):
    # A limit on the size of files stands for the disk: both refuse to write in the middle of the file.
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    source = hub(GGUF)
    result = pull(source, tmp_path, limit=limit)
    assert result.returncode == 70 and "File too large" in result.stderr, result.stderr
    assert snapshot(tmp_path) == {} and not (repository(tmp_path) / "refs/main").exists()
    assert pull(source, tmp_path).returncode == 0
    assert source.requests(*CONTENT)[-1]["Range"] == "bytes=1000000-"
    check_whole(tmp_path, {"name-Q8_0.gguf": NOISE})


@pytest.mark.parametrize("name", ["name", "../name", "org/na me", "org/name:../x", "org/na--me"])
def test_a_bad_name_is_refused_before_any_request(hub, tmp_path, name):
    source = hub(GGUF)
    result = pull(source, tmp_path, model=name)
    assert result.returncode == 64 and "expected ORG/NAME" in result.stderr and source.seen == []


def test_no_hub_at_all(tmp_path):
    result = pull("http://127.0.0.1:9", tmp_path)
    assert result.returncode == 70 and "given up" in result.stderr
    assert pull("ftp://x", tmp_path).returncode == 64


def test_a_pulled_model_is_served_by_its_name(hub, tmp_path):
    files = {path.name: path.read_bytes() for path in (REPOSITORY / "Tests/Goldens/checkpoints/llama-mha-tied").iterdir()}
    result = pull(hub(files), tmp_path)
    assert result.returncode == 0, result.stderr
    config = tmp_path / "config.yaml"
    config.write_text("model: {path: org/name}\n")

    def quire(*arguments):
        return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=120, cwd=tmp_path,
                              env=environment(tmp_path))
    for name in ("org/name", config):
        result = quire("generate", name, "--set", "backend.name=cpu", "--raw", "--prompt", "The", "--max-tokens", 4, "--json")
        assert result.returncode == 0 and json.loads(result.stdout)["completion_tokens"] == 4, result.stderr
        shown = quire("config", "show", name).stdout
        assert f"path: {repository(tmp_path)}/snapshots/{COMMIT} " in shown and "name: name " in shown, shown
    config.write_text("model: {path: org/other}\n")
    for name in ("org/other", config):
        result = quire("inspect", name)
        assert result.returncode == 64 and "`quire pull org/other`" in result.stderr, result.stderr
