"""Requests that cannot be served get status 400, a sentence and the field's name, and harm nobody else."""
import concurrent.futures
import json

import pytest

from quire_server import MAX_MODEL_LEN, NAME

COMPLETION = {"model": NAME, "prompt": "Hello", "max_tokens": 4}
CHAT = {"model": NAME, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4}

FIELDS = [
    ("max_tokens", "ten"), ("max_tokens", -1), ("max_tokens", 1.5), ("max_tokens", 10**30), ("max_tokens", 2**31),
    ("max_tokens", True), ("max_tokens", MAX_MODEL_LEN), ("temperature", "hot"), ("temperature", -0.1),
    ("temperature", 1e30), ("temperature", [1]), ("top_p", 0), ("top_p", 1.01), ("top_p", -1), ("top_k", -2),
    ("top_k", 0.5), ("top_k", 2**40), ("min_p", -0.1), ("min_p", 2), ("repetition_penalty", 0),
    ("repetition_penalty", -3), ("presence_penalty", 3), ("frequency_penalty", "x"), ("n", 0), ("n", -1),
    ("n", 1_000_000_000), ("n", "2"), ("seed", "x"), ("seed", 1.5), ("seed", 2**70), ("stop", 5), ("stop", [""]),
    ("stop", [1]), ("stop_token_ids", [10**9]), ("stop_token_ids", [-1]), ("stop_token_ids", "2"),
    ("logit_bias", {"999999": 1}), ("logit_bias", {"word": 1}), ("logit_bias", {"5": "x"}), ("logit_bias", [1]),
    ("min_tokens", -1), ("min_tokens", 5), ("ignore_eos", "yes"), ("stream", "yes"), ("stream_options", {}),
    ("return_token_ids", 1), ("model", 5),
]
PROMPTS = ["", [], {}, 5, [[]], [""], [49152], [-1], [1.5], [2**31], [10**30], ["a", 1], [1, "a"], [[1], "a"],
           [1] * (MAX_MODEL_LEN + 1), [[1] * (MAX_MODEL_LEN + 1)], "word " * (MAX_MODEL_LEN + 1)]


def refused(server, path, body, field=None):
    status, text = server.request(path, body)
    assert status == 400, (status, text[:500])
    error = json.loads(text)["error"]
    assert error["type"] == "invalid_request_error" and len(error["message"]) > 10 and "\n" not in error["message"]
    assert len(error["message"]) < 1000
    if field:
        assert (error["param"] or "").startswith(field), error
    return error


@pytest.mark.parametrize("field, value", FIELDS, ids=[f"{f}={str(v)[:20]}" for f, v in FIELDS])
def test_a_bad_field(server, field, value):
    refused(server, "/v1/completions", {**COMPLETION, field: value}, field)
    refused(server, "/v1/chat/completions", {**CHAT, field: value}, field)


@pytest.mark.parametrize("prompt", PROMPTS, ids=[str(p)[:20] for p in PROMPTS])
def test_a_bad_prompt(server, prompt):
    refused(server, "/v1/completions", {**COMPLETION, "prompt": prompt}, "prompt")


def test_a_missing_prompt(server):
    refused(server, "/v1/completions", {"model": NAME}, "prompt")


@pytest.mark.parametrize("logprobs", [-1, "x", 10**6, 0.5])
def test_bad_logprobs(server, logprobs):
    refused(server, "/v1/completions", {**COMPLETION, "logprobs": logprobs}, "logprobs")
    refused(server, "/v1/chat/completions", {**CHAT, "logprobs": True, "top_logprobs": logprobs}, "top_logprobs")


def test_top_logprobs_need_logprobs(server):
    refused(server, "/v1/chat/completions", {**CHAT, "top_logprobs": 2}, "top_logprobs")


@pytest.mark.parametrize("messages", [
    None, [], "hi", {}, [5], [{}], [{"role": "user", "content": None}], [{"content": "x"}], [{"role": 5, "content": "x"}],
    [{"role": "user", "content": 5}], [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}],
    [{"role": "user", "content": "word " * (MAX_MODEL_LEN + 1)}],
], ids=lambda m: str(m)[:40])
def test_bad_messages(server, messages):
    refused(server, "/v1/chat/completions", {**CHAT, "messages": messages})


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("field", ["temperature", "top_p", "min_p", "presence_penalty", "repetition_penalty"])
def test_numbers_that_are_none(server, field, number):
    body = json.dumps(COMPLETION)[:-1] + f', "{field}": {number}}}'
    error = refused(server, "/v1/completions", body.encode())
    assert error["param"] in (field, None)


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"null", b"\"text\"", b"{\"model\": }", b"{} {}", b"\xff\xfe", b"{\"prompt\": \"\\ud800\"",
    b"[" * 100_000, b"{\"prompt\":" + b"[" * 100_000, b"{\"a\":" * 50_000,
], ids=lambda b: str(b[:20]))
def test_bodies_that_are_no_request(server, body):
    refused(server, "/v1/completions", body)
    refused(server, "/v1/chat/completions", body)


@pytest.mark.parametrize("path, body, field", [
    ("/tokenize", {}, "prompt"), ("/tokenize", {"prompt": 5}, "prompt"), ("/detokenize", {}, "tokens"),
    ("/detokenize", {"tokens": "x"}, "tokens"), ("/detokenize", {"tokens": [10**9]}, "tokens"),
    ("/detokenize", {"tokens": [-1]}, "tokens"),
])
def test_bad_tokenizing(server, path, body, field):
    refused(server, path, body, field)


def test_a_body_that_is_too_large_is_413(server):
    status, _ = server.request("/v1/completions", {**COMPLETION, "padding": "x" * (9 << 20)})
    assert status == 413


def test_bad_requests_do_not_disturb_good_ones(server, complete):
    alone = complete("The sea is", max_tokens=40).choices[0].text
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        good = pool.submit(lambda: complete("The sea is", max_tokens=40).choices[0].text)
        bad = [pool.submit(server.request, "/v1/completions", {**COMPLETION, field: value}) for field, value in FIELDS]
        assert {future.result()[0] for future in bad} == {400}
        assert good.result() == alone
