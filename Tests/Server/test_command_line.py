"""The command line as scripts see it: results on standard output, the rest on standard error, and the exit status."""
import json
import os
import re
import subprocess

import pytest

from quire_server import BINARY, MODEL, REPOSITORY


def quire(*arguments):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=300)


@pytest.fixture
def config(tmp_path):
    """A configuration with some lines more."""
    def write(*lines):
        path = tmp_path / "config.yaml"
        path.write_text("\n".join([f"model: {{path: {MODEL}}}", *lines]) + "\n")
        return path
    return write


def test_a_prompt_is_answered_on_standard_output(config):
    result = quire("generate", config(), "--raw", "--prompt", "The capital of France is", "--max-tokens", 8)
    assert result.returncode == 0 and result.stdout.startswith(" Paris")
    assert "tokens" in result.stderr and "Paris" not in result.stderr


def test_json_has_the_text_and_what_it_took(config):
    result = quire("generate", config(), "--prompt", "What is the capital of France?", "--max-tokens", 20, "--json")
    report = json.loads(result.stdout)
    assert result.returncode == 0 and "Paris" in report["text"]
    assert report["finish_reason"] == "stop" and report["prompt_tokens"] > 20
    assert 1 < report["completion_tokens"] < 20 and report["decode_tokens_per_second"] > 0


def test_a_seed_repeats_a_random_answer(config):
    def ask(seed):
        return quire("generate", config(), "--prompt", "Tell me a story.", "--max-tokens", 30, "--temperature", 1,
                     "--seed", seed).stdout
    assert ask(5) == ask(5) != ask(6)


@pytest.mark.parametrize("name", sorted(path.name for path in (REPOSITORY / "Configs").glob("*.yaml")))
def test_shipped_configurations_are_valid(name):
    result = quire("config", "check", REPOSITORY / "Configs" / name)
    assert result.returncode == 0 and "valid" in result.stdout, result.stderr


def test_a_wrong_value_is_named_with_its_place(config):
    result = quire("config", "check", config("cache: {block_size: 24}"))
    assert result.returncode == 64 and result.stdout == ""
    assert result.stderr.strip().endswith(
        "config.yaml:2:21: cache.block_size: expected a power of two from 1 to 256, found 24")


@pytest.mark.parametrize("line, hint", [("cach: {}", "cache"), ("backend: {name: cpuu}", "cpu"),
                                        ("scheduler: {policy: fcsf}", "fcfs")])
def test_a_misspelt_name_gets_a_suggestion(config, line, hint):
    result = quire("config", "check", config(line))
    assert result.returncode == 64 and f"did you mean {hint}?" in result.stderr.replace('"', ""), result.stderr


def test_set_overrides_and_is_checked(config):
    assert "block_size: 32" in quire("config", "show", config(), "--set", "cache.block_size=32").stdout
    result = quire("config", "show", config(), "--set", "cache.block_size=33")
    assert result.returncode == 64 and "cache.block_size" in result.stderr


def test_the_schema_is_the_full_configuration():
    assert quire("config", "schema").stdout == (REPOSITORY / "Configs/full.yaml").read_text()


def test_the_reference_of_the_configuration_is_generated():
    assert quire("config", "schema", "--markdown").stdout == (REPOSITORY / "Configs/README.md").read_text()


def test_a_former_name_is_read_and_warned_of(config):
    path = config("backend: {kernels: [norm_subgroup]}")
    result = quire("config", "show", path)
    assert result.returncode == 0 and "disabled_kernels: [norm_subgroup]" in result.stdout
    assert f"{path}:2:11: backend.kernels: now called backend.disabled_kernels" in result.stderr


def test_a_model_takes_the_place_of_a_configuration():
    result = quire("generate", MODEL, "--raw", "--prompt", "The capital of France is", "--max-tokens", 8)
    assert result.returncode == 0 and result.stdout.startswith(" Paris"), result.stderr
    directory = REPOSITORY / "Tests/Goldens/checkpoints/llama-gqa-untied"
    result = quire("config", "show", directory, "--set", "cache.block_size=32")
    assert f"path: {directory}  # command line" in result.stdout and "block_size: 32" in result.stdout


@pytest.mark.parametrize("name, found", [("directory", "a directory without config.json"),
                                         ("model.safetensors", "a .safetensors file")])
def test_what_is_neither_model_nor_configuration_says_what_is_expected(tmp_path, name, found):
    path = tmp_path / name
    path.write_text("x") if "." in name else path.mkdir()
    result = quire("serve", path)
    assert result.returncode == 64
    assert f"{path}: expected a YAML configuration, a .gguf file or the directory of a checkpoint, found {found}" in result.stderr


def test_without_a_backend_one_is_chosen_and_the_log_says_why():
    # Only the software driver, whatever the machine has: it is listed, and not chosen.
    driver = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json"
    environment = {**os.environ, "VK_DRIVER_FILES": driver, "VK_ICD_FILENAMES": driver, "VK_ADD_DRIVER_FILES": ""}
    process = subprocess.Popen([BINARY, "serve", MODEL, "--set", "server.port=0", "--set", "cache.memory=64MiB"],
                               stderr=subprocess.PIPE, text=True, env=environment)
    log = []
    for line in process.stderr:
        log.append(line)
        if "listening on" in line:
            process.terminate()
    assert process.wait() == 0, log
    line = next(line for line in log if line.startswith("info backend: "))
    assert re.match(r"info backend: cpu, because no Vulkan device is a usable GPU: llvmpipe .* is a software driver$",
                    line), line


def test_a_plan_is_printed_one_operation_a_line(config):
    lines = quire("config", "show", config(), "--plan").stdout.splitlines()
    assert lines[0].startswith("%0 [tokens, 576] = embed(") and lines[-1].startswith("%")
    assert sum("pagedAttention(" in line for line in lines) == 30


@pytest.mark.parametrize("arguments, status", [
    ([], 0), (["--version"], 0), (["serve"], 64), (["nonsense"], 64), (["generate", "/nowhere.yaml", "-p", "x"], 64),
])
def test_usage(arguments, status):
    assert quire(*arguments).returncode == status


@pytest.mark.parametrize("prompt, words", [("", "no tokens"), ("a " * 9000, "takes at most")])
def test_a_prompt_that_cannot_be_answered_is_the_users_fault(config, prompt, words):
    result = quire("generate", config(), "--raw", "--prompt", prompt)
    assert result.returncode == 64 and words in result.stderr, result.stderr


@pytest.mark.parametrize("key, name, content, words", [
    ("chat_template", "chat.jinja", None, "cannot be read"), ("chat_template", "chat.jinja", "{% if %}", "line 1"),
    ("tokenizer", "tok.json", None, "no such file"), ("tokenizer", "tok.json", "{", "byte 1")])
def test_another_file_for_the_tokenizer_is_named_with_its_key(config, tmp_path, key, name, content, words):
    if content is not None:
        (tmp_path / name).write_text(content)
    path = config()
    path.write_text(f"model:\n  path: {MODEL}\n  {key}: {tmp_path / name}\n")
    result = quire("generate", path, "--prompt", "Hi")
    assert result.returncode == 64
    assert f"config.yaml:3:{len(key) + 5}: model.{key}: {tmp_path / name}" in result.stderr and words in result.stderr


def test_a_context_longer_than_the_models_is_refused(config):
    result = quire("generate", config(), "--set", "model.max_model_len=65536", "--prompt", "Hi")
    assert result.returncode == 64
    assert "model.max_model_len: expected at most the 8192 tokens of the model, found 65536" in result.stderr


def test_a_missing_model_is_named(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("model: {path: /nowhere/model.gguf}\n")
    result = quire("generate", path, "--prompt", "x")
    assert result.returncode == 64 and "/nowhere/model.gguf" in result.stderr


def test_a_cache_that_does_not_fit_is_not_the_users_typo(config):
    result = quire("generate", config("cache: {num_blocks: 200000000}"), "--prompt", "x")
    assert result.returncode == 70 and "fit into" in result.stderr and len(result.stderr.splitlines()) == 1


def test_devices_say_why_a_driver_is_not_used(tmp_path):
    manifest = tmp_path / "broken_icd.json"
    manifest.write_text('{"file_format_version": "1.0.0", "ICD": {"library_path": "/no/libvulkan_broken.so", "api_version": "1.3.0"}}')
    result = subprocess.run([BINARY, "devices"], capture_output=True, text=True, timeout=300,
                            env={**os.environ, "VK_ADD_DRIVER_FILES": str(manifest)})
    assert result.returncode == 0, result.stderr
    line = next(line for line in result.stdout.splitlines() if str(manifest) in line)
    assert "/no/libvulkan_broken.so cannot be opened" in line and "install" in line
