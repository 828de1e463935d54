"""LoRA adapters from outside: the tokens of merged weights, models by name, loading and unloading while requests run."""
import concurrent.futures
import json
import subprocess

import pytest

from quire_server import BINARY, REPOSITORY, QuireServer, golden

GOLDENS = REPOSITORY / "Tests/Goldens"
ADAPTERS = ["llama", "llama-layers", "llama-gguf"]


def settings(**more):
    return {
        "model__path": GOLDENS / "families/llama", "model__name": "tiny", "model__max_model_len": 128,
        "model__tokenizer": GOLDENS / "checkpoints/llama-mha-tied/tokenizer.json", "model__dtype": "f32",
        "cache__dtype": "f32", "cache__memory": "8MiB", "lora__max_loras": 2, "lora__max_lora_rank": 8,
        "lora__adapters": "{%s}" % ", ".join(f"{name}: {GOLDENS / 'adapters' / name}" for name in ADAPTERS[:2]), **more}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    server = QuireServer(tmp_path_factory.mktemp("adapters"), **settings(lora__allow_runtime_loading="true"))
    yield server
    assert server.stop() == 0, "".join(server.log[-50:])


@pytest.fixture
def adapters(shared):
    yield shared
    shared.wait_until_idle()


def complete(server, model, prompt, count=16):
    body = {"model": model, "prompt": prompt, "max_tokens": count, "temperature": 0, "ignore_eos": True,
            "return_token_ids": True}
    answer = server.json("/v1/completions", body)
    assert answer["model"] == model
    return answer["choices"][0]["token_ids"]


def load(server, name, path=None):
    path = path or GOLDENS / "adapters" / name
    return server.request("/v1/load_lora_adapter", {"lora_name": name, "lora_path": str(path)})


def unload(server, name):
    return server.request("/v1/unload_lora_adapter", {"lora_name": name})


def prompts(name):
    return golden(f"adapters/{name}/goldens.json")["prompts"]


def test_tokens_are_those_of_merged_weights_whoever_else_is_served(adapters):
    assert load(adapters, "llama-gguf")[0] == 200
    wanted = {name: prompts(name) for name in ADAPTERS}
    base = golden("families/llama/goldens.json")["prompts"]
    wanted["tiny"] = [dict(prompt, greedy=prompt["greedy"][:16]) for prompt in base]
    jobs = [(name, prompt) for name in wanted for prompt in wanted[name]] * 3
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        found = list(pool.map(lambda job: complete(adapters, job[0], job[1]["tokens"]), jobs))
    assert found == [prompt["greedy"] for _, prompt in jobs]
    assert unload(adapters, "llama-gguf") == (200, "Success: LoRA adapter 'llama-gguf' removed successfully.")


def test_models_and_metrics(adapters):
    models = adapters.json("/v1/models")["data"]
    assert [(model["id"], model["parent"]) for model in models] == [
        ("tiny", None), ("llama", "tiny"), ("llama-layers", "tiny")]
    assert str(GOLDENS) not in json.dumps(models)
    _, text = adapters.request("/metrics")
    assert 'vllm:lora_requests_info{max_lora="2",running_lora_adapters="",waiting_lora_adapters=""}' in text


def test_unloading_waits_for_requests_and_new_ones_are_404(adapters):
    assert load(adapters, "late", GOLDENS / "adapters/llama/")[0] == 200
    tokens = prompts("llama")[0]["tokens"]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        running = [pool.submit(complete, adapters, "late", tokens, 100) for _ in range(4)]
        while adapters.metric("vllm:num_requests_running") == 0 and not all(job.done() for job in running):
            pass
        assert unload(adapters, "late")[0] == 200
        status, text = adapters.request("/v1/completions", {"model": "late", "prompt": [5], "max_tokens": 1})
        assert status == 404 and "late" in text and json.loads(text)["error"]["code"] == "model_not_found"
        for job in running:
            assert len(job.result()) == 100 and job.result()[:16] == prompts("llama")[0]["greedy"]
    assert unload(adapters, "late")[0] == 404
    # The name is free again; another adapter under it finds nothing of the former one's in the cache.
    assert load(adapters, "late", GOLDENS / "adapters/llama-layers")[0] == 200
    assert complete(adapters, "late", prompts("llama-layers")[1]["tokens"]) == prompts("llama-layers")[1]["greedy"]
    assert unload(adapters, "late")[0] == 200


def test_bad_adapters_cost_that_load_only(adapters, tmp_path):
    assert load(adapters, "llama")[0] == 400
    assert load(adapters, "tiny")[0] == 400
    status, text = load(adapters, "nothing", tmp_path / "nothing")
    assert status == 404 and "nothing is there" in text
    status, text = load(adapters, "wide", GOLDENS / "adapters/phi3")
    assert status == 400 and "no linear module of the served model" in text
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 4}')
    whole = (GOLDENS / "adapters/llama/adapter_model.safetensors").read_bytes()
    for count in (0, 7, 100, len(whole) - 1):
        (tmp_path / "adapter_model.safetensors").write_bytes(whole[:count])
        status, text = load(adapters, "cut", tmp_path)
        assert status == 400 and "adapter_model.safetensors" in text
    assert adapters.request("/v1/load_lora_adapter", {"lora_name": "x"})[0] == 400
    assert complete(adapters, "llama", prompts("llama")[0]["tokens"]) == prompts("llama")[0]["greedy"]


def test_a_bad_adapter_of_the_configuration_ends_the_start(tmp_path):
    config = tmp_path / "server.yaml"
    config.write_text(
        f"model: {{path: {GOLDENS}/families/llama, tokenizer: {GOLDENS}/checkpoints/llama-mha-tied/tokenizer.json}}\n"
        f"backend: {{name: cpu}}\nlora: {{adapters: {{german: {GOLDENS}/adapters/llama}}, max_lora_rank: 2}}\n")
    done = subprocess.run([BINARY, "serve", config], capture_output=True, text=True, timeout=60)
    assert done.returncode == 64
    assert "lora.adapters: german: " in done.stderr and "lora.max_lora_rank" in done.stderr


def test_inspect_says_what_an_adapter_is():
    for path in ("adapters/llama-gguf", "adapters/llama-gguf/adapter.gguf"):
        done = subprocess.run([BINARY, "inspect", GOLDENS / path], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "LoRA adapter" in done.stdout and "at most 3" in done.stdout
