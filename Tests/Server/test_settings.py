"""What a configuration says is what the served engine does: a small cache with a swap space, and narrow limits."""
import concurrent.futures
import json
import re

import pytest

from quire_server import NAME, QuireServer

# A token takes 30 layers times 2 times 3 heads of 64 numbers and a scale, so a block 391,680 bytes.
BLOCK_SIZE, BLOCKS, SWAP_BLOCKS = 32, 21, 10


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    server = QuireServer(
        tmp_path_factory.mktemp("small"), logging__format="json", model__max_model_len=512, cache__dtype="int8",
        cache__block_size=BLOCK_SIZE, cache__memory="8MiB", cache__swap_space="4MiB", scheduler__preemption="swap",
        scheduler__max_num_seqs=2, scheduler__max_num_batched_tokens=128, server__max_choices=2, server__max_logprobs=1,
        server__max_body="16KiB")
    yield server
    assert server.stop() == 0, "".join(server.log[-50:])


def complete(server, first_token, prompt_tokens, max_tokens=1):
    """The tokens that follow a prompt of tokens from `first_token` on."""
    prompt = [first_token + index % 97 for index in range(prompt_tokens)]
    answer = server.json("/v1/completions", {
        "model": NAME, "prompt": prompt, "max_tokens": max_tokens, "temperature": 0, "ignore_eos": True,
        "return_token_ids": True})
    return answer["choices"][0]["token_ids"]


def test_the_log_says_what_the_cache_became(small):
    ready = next(line for line in map(json.loads, small.log) if line["message"] == "model ready")
    assert {key: ready[key] for key in ("blocks", "swap_blocks", "cache_dtype", "max_model_len")} == {
        "blocks": str(BLOCKS), "swap_blocks": str(SWAP_BLOCKS), "cache_dtype": "int8", "max_model_len": "512"}


def test_limits_are_those_of_the_configuration(small):
    body = {"model": NAME, "prompt": "Hello", "max_tokens": 2}
    for more, field, limit in (({"n": 3}, "n", "2"), ({"logprobs": 2}, "logprobs", "1"),
                               ({"max_tokens": 512}, "max_tokens", "512")):
        status, text = small.request("/v1/completions", {**body, **more})
        assert status == 400 and re.search(rf"\b{limit}\b", json.loads(text)["error"]["message"]), (field, text)
    assert small.request("/v1/completions", {**body, "prompt": "word " * 4096})[0] == 413
    small.json("/v1/completions", {**body, "n": 2, "logprobs": 1})


def test_cached_prefixes_move_to_the_swap_space_and_come_back(small):
    names = ["vllm:external_prefix_cache_hits_total", "quire:swapped_out_blocks_total", "quire:swapped_in_blocks_total"]
    before = [small.metric(name) for name in names]
    first = complete(small, 1000, 300, 8)
    complete(small, 2000, 500)
    assert complete(small, 1000, 300, 8) == first
    small.wait_until_idle()
    hits, out, back = [small.metric(name) - value for name, value in zip(names, before)]
    assert hits >= BLOCK_SIZE and hits % BLOCK_SIZE == 0 and out >= back == hits / BLOCK_SIZE


def test_a_preempted_request_waits_in_the_swap_space_and_loses_nothing(small):
    names = ["vllm:num_preemptions_total", "quire:swapped_in_blocks_total"]
    alone = [complete(small, first, 300, 150) for first in (3000, 4000)]
    before = [small.metric(name) for name in names]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda first: complete(small, first, 300, 150), (3000, 4000)))
    assert together == alone
    small.wait_until_idle()
    preemptions, back = [small.metric(name) - value for name, value in zip(names, before)]
    assert preemptions >= 1 and back >= 1
    assert small.metric("vllm:cpu_cache_usage_perc") == 0
