"""Through HTTP and in float32, SmolLM2 says what Hugging Face transformers says, token for token."""
import concurrent.futures

import pytest

from conftest import sdk
from quire_server import NAME, QuireServer, golden

PROMPTS = golden("smollm2.json")["prompts"]


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    server = QuireServer(tmp_path_factory.mktemp("exact"), model__dtype="f32")
    yield server
    assert server.stop() == 0


def test_there_are_twenty_prompts():
    assert len(PROMPTS) == 20 and all(len(prompt["greedy"]) == 64 for prompt in PROMPTS)


def test_64_greedy_tokens_of_20_prompts_are_identical(exact):
    def ask(prompt):
        with sdk(exact) as client:
            [choice] = client.completions.create(
                model=NAME, prompt=prompt["text"], max_tokens=64, temperature=0,
                extra_body={"ignore_eos": True, "return_token_ids": True}).choices
            return choice.prompt_token_ids, choice.token_ids
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        for prompt, (tokens, greedy) in zip(PROMPTS, pool.map(ask, PROMPTS)):
            assert tokens == prompt["tokens"], prompt["name"]
            assert greedy == prompt["greedy"], prompt["name"]


@pytest.mark.parametrize("prompt", PROMPTS[:3], ids=lambda prompt: prompt["name"])
def test_prompt_logprobs_are_close(exact, prompt):
    [choice] = sdk(exact).completions.create(
        model=NAME, prompt=prompt["tokens"], max_tokens=0, echo=True, logprobs=0).choices
    scores = choice.logprobs.token_logprobs
    assert scores[0] is None and len(scores) == len(prompt["logprobs"])
    for found, expected in zip(scores[1:], prompt["logprobs"][1:]):
        assert abs(found - expected) < 1e-3
