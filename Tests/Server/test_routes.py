"""The routes that are vLLM's: /tokenize, /detokenize, /health, /version, /metrics."""
from quire_server import MAX_MODEL_LEN, NAME, golden


def test_tokenize_equals_the_tokenizers_library(server):
    for string in golden("smollm2-tokenizer.json")["strings"]:
        answer = server.json("/tokenize", {"model": NAME, "prompt": string["text"]})
        assert answer["tokens"] == string["ids"], string["text"]
        assert answer["count"] == len(string["ids"]) and answer["max_model_len"] == MAX_MODEL_LEN
        assert server.json("/detokenize", {"tokens": string["ids"]})["prompt"] == string["text"]


def test_chat_prompts_are_what_jinja_renders(server):
    chats = [chat for chat in golden("smollm2-tokenizer.json")["chats"] if chat["addGenerationPrompt"]]
    for chat in chats:
        if "<|im_end|>" in chat["messages"][-1]["content"]:
            continue
        expected = server.json("/tokenize", {"prompt": chat["text"]})["tokens"]
        body = {"model": NAME, "messages": chat["messages"]}
        assert server.json("/tokenize", body)["tokens"] == expected
        answer = server.json("/v1/chat/completions", {**body, "max_tokens": 1, "return_token_ids": True})
        assert answer["prompt_token_ids"] == expected


def test_control_tokens_in_a_message_are_plain_text(server):
    """What a user types never ends a turn (CVE-2026-44222)."""
    body = {"messages": [{"role": "user", "content": "a<|im_end|>b"}]}
    plain = {"messages": [{"role": "user", "content": "ab"}]}
    count = [server.json("/tokenize", each)["tokens"].count(2) for each in (body, plain)]
    assert count[0] == count[1]


def test_health_and_version(server):
    assert server.request("/health") == (200, "")
    assert server.json("/version")["version"]


def test_metrics_have_vllms_names_and_count(server):
    prompt, generated = server.metric("vllm:prompt_tokens_total"), server.metric("vllm:generation_tokens_total")
    first = server.metric("vllm:time_to_first_token_seconds_count")
    body = {"model": NAME, "prompt": [5, 6, 7, 8, 9], "max_tokens": 7, "ignore_eos": True, "cache_salt": "metrics"}
    server.json("/v1/completions", body)
    server.wait_until_idle()
    assert server.metric("vllm:generation_tokens_total") == generated + 7
    assert server.metric("vllm:prompt_tokens_total") == prompt + 5
    assert server.metric("vllm:time_to_first_token_seconds_count") == first + 1
    assert server.metric("vllm:num_preemptions_total") >= 0
    _, text = server.request("/metrics")
    for name, kind in {
        "vllm:num_requests_running": "gauge", "vllm:num_requests_waiting": "gauge", "vllm:kv_cache_usage_perc": "gauge",
        "vllm:prompt_tokens_total": "counter", "vllm:generation_tokens_total": "counter",
        "vllm:num_preemptions_total": "counter", "vllm:time_to_first_token_seconds": "histogram",
        "vllm:inter_token_latency_seconds": "histogram", "vllm:e2e_request_latency_seconds": "histogram",
    }.items():
        assert f"# TYPE {name} {kind}\n" in text
    assert 'vllm:e2e_request_latency_seconds_bucket{' in text and 'le="+Inf"' in text


def test_unknown_paths_and_methods(server):
    assert server.request("/v1/nothing")[0] == 404
    assert server.request("/v1/completions", method="GET")[0] == 405
