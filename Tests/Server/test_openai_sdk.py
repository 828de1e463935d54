"""What the real `openai` SDK gets from the real binary: models, completions, chat, streaming and sampling."""
import openai
import pytest

from quire_server import MAX_MODEL_LEN, NAME

PROMPT = "The capital of France is"


def test_models_are_listed_and_found(client):
    models = client.models.list().data
    assert [model.id for model in models] == [NAME]
    assert models[0].object == "model" and models[0].created > 1_600_000_000
    assert models[0].max_model_len == MAX_MODEL_LEN
    assert client.models.retrieve(NAME).id == NAME


def test_completion_of_text(complete):
    answer = complete(PROMPT)
    assert answer.object == "text_completion" and answer.model == NAME and answer.id.startswith("cmpl-")
    [choice] = answer.choices
    assert choice.index == 0 and choice.finish_reason == "length" and choice.logprobs is None
    assert "Paris" in choice.text
    assert answer.usage.completion_tokens == 12
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 12


def test_completion_of_token_ids_equals_that_of_their_text(server, complete):
    tokens = server.json("/tokenize", {"prompt": PROMPT})["tokens"]
    by_tokens, by_text = complete(tokens), complete(PROMPT)
    assert by_tokens.choices[0].text == by_text.choices[0].text
    assert by_tokens.usage.prompt_tokens == len(tokens)


def test_a_list_of_prompts_gives_a_choice_for_each(server, complete):
    prompts = [PROMPT, "One, two, three,", "def add(a, b):"]
    alone = [complete(prompt).choices[0].text for prompt in prompts]
    answer = complete(prompts)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert [choice.text for choice in answer.choices] == alone
    tokens = [server.json("/tokenize", {"prompt": prompt})["tokens"] for prompt in prompts]
    assert [choice.text for choice in complete(tokens).choices] == alone
    assert answer.usage.prompt_tokens == sum(map(len, tokens)) and answer.usage.completion_tokens == 36


def test_chat(chat):
    answer = chat("What is the capital of France?", max_tokens=48)
    assert answer.object == "chat.completion" and answer.id.startswith("chatcmpl-")
    [choice] = answer.choices
    assert choice.message.role == "assistant" and "Paris" in choice.message.content
    assert choice.finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_chat_takes_text_parts_and_the_newer_limit(client, chat):
    parts = [{"type": "text", "text": "What is the capital"}, {"type": "text", "text": " of France?"}]
    answer = client.chat.completions.create(
        model=NAME, temperature=0, max_completion_tokens=3, messages=[{"role": "user", "content": parts}])
    assert answer.usage.completion_tokens == 3 and answer.choices[0].finish_reason == "length"


def test_streamed_completion_equals_the_whole_one(complete):
    whole = complete(PROMPT, max_tokens=24)
    chunks = list(complete(PROMPT, max_tokens=24, stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == whole.choices[0].text
    assert len(chunks) > 8
    assert len({chunk.id for chunk in chunks}) == 1
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["length"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 24
    assert chunks[-1].usage.prompt_tokens == whole.usage.prompt_tokens
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_streamed_chat_equals_the_whole_one(chat):
    question = "Count from one to five, with an emoji after each number."
    whole = chat(question, max_tokens=40)
    chunks = list(chat(question, max_tokens=40, stream=True))
    assert chunks[0].object == "chat.completion.chunk" and chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == whole.choices[0].message.content
    assert chunks[-1].choices[0].finish_reason == whole.choices[0].finish_reason
    assert all(chunk.usage is None for chunk in chunks)
    last = list(chat(question, max_tokens=40, stream=True, stream_options={"include_usage": True}))[-1]
    assert last.choices == [] and last.usage.completion_tokens == whole.usage.completion_tokens


def test_streams_never_carry_half_a_character(complete):
    prompt = "😀😀😀 你好 😀😀😀 你好 😀😀😀 你好"
    options = dict(max_tokens=40, extra={"ignore_eos": True})
    whole = complete(prompt, **options).choices[0].text
    pieces = [chunk.choices[0].text for chunk in complete(prompt, stream=True, **options)]
    assert "".join(pieces) == whole
    assert "\ufffd" not in whole[:-1] and not whole.isascii()


def test_two_choices_differ_and_both_count(complete):
    options = dict(n=2, temperature=1.3, seed=5, max_tokens=24, extra={"ignore_eos": True})
    answer = complete("Once upon a time", **options)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.choices[0].text != answer.choices[1].text
    # Each is what it would be by itself, with its own seed, though they share the blocks of a longer prompt.
    prompt = "Once upon a time there was a little girl who lived in a house at the end of the village, and every day she"
    shared = complete(prompt, **{**options, "n": 3}).choices
    for index, choice in enumerate(shared):
        assert choice.text == complete(prompt, **{**options, "n": 1, "seed": 5 + index}).choices[0].text
    assert answer.usage.completion_tokens == 48
    texts = ["", ""]
    for chunk in complete("Once upon a time", stream=True, **options):
        texts[chunk.choices[0].index] += chunk.choices[0].text
    assert texts == [choice.text for choice in answer.choices]


def test_two_chat_choices(chat):
    answer = chat("Tell me a story.", n=2, temperature=1.3, seed=5)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.choices[0].message.content != answer.choices[1].message.content


def test_the_same_seed_gives_the_same_text(complete):
    def text(seed):
        return complete("My favourite word is", temperature=1, seed=seed, max_tokens=24).choices[0].text
    assert text(7) == text(7)
    assert text(7) != text(8)


def test_logprobs_of_a_completion(complete):
    [choice] = complete(PROMPT, logprobs=3).choices
    scores = choice.logprobs
    assert "".join(scores.tokens) == choice.text
    assert len(scores.tokens) == len(scores.token_logprobs) == len(scores.top_logprobs) == len(scores.text_offset) == 12
    assert scores.text_offset[0] == 0 and scores.text_offset[1] == len(scores.tokens[0])
    for token, logprob, top in zip(scores.tokens, scores.token_logprobs, scores.top_logprobs):
        assert 3 <= len(top) <= 4 and -30 < logprob <= 0
        assert top[token] == logprob == max(top.values())


def test_logprobs_of_a_chat_answer(chat):
    [choice] = chat("What is the capital of France?", max_tokens=5, logprobs=True, top_logprobs=4).choices
    content = choice.logprobs.content
    assert len(content) == 5
    assert b"".join(bytes(entry.bytes) for entry in content).decode() == choice.message.content
    for entry in content:
        tops = [top.logprob for top in entry.top_logprobs]
        assert len(tops) == 4 and tops == sorted(tops, reverse=True)
        assert entry.logprob == tops[0] and entry.token == entry.top_logprobs[0].token
    streamed = []
    for chunk in chat("What is the capital of France?", max_tokens=5, logprobs=True, top_logprobs=4, stream=True):
        if chunk.choices[0].logprobs:
            streamed += chunk.choices[0].logprobs.content
    assert [(e.token, e.logprob) for e in streamed] == [(e.token, e.logprob) for e in content]


@pytest.mark.parametrize("stream", [False, True])
def test_a_stop_string_ends_the_text_before_it(complete, stream):
    full = complete(PROMPT, max_tokens=32, extra={"ignore_eos": True}).choices[0].text
    stop = full[20:26]  # across token borders
    answer = complete(PROMPT, max_tokens=32, stop=["not in the text", stop], stream=stream, extra={"ignore_eos": True})
    if stream:
        chunks = list(answer)
        text, reason = "".join(c.choices[0].text for c in chunks), chunks[-1].choices[0].finish_reason
    else:
        text, reason = answer.choices[0].text, answer.choices[0].finish_reason
    assert text == full[:full.index(stop)] and reason == "stop"
    kept = complete(PROMPT, max_tokens=32, stop=stop, extra={"ignore_eos": True, "include_stop_str_in_output": True})
    assert kept.choices[0].text == full[:full.index(stop)] + stop


def test_a_stop_token_ends_the_text(complete):
    extra = {"ignore_eos": True, "return_token_ids": True}
    tokens = complete(PROMPT, extra=extra).choices[0].token_ids
    stop = tokens[4]
    [choice] = complete(PROMPT, extra={**extra, "stop_token_ids": [stop]}).choices
    assert choice.finish_reason == "stop" and choice.token_ids[:4] == tokens[:tokens.index(stop)][:4]


def test_token_ids_come_back_when_asked_for(server, complete, chat):
    [choice] = complete(PROMPT, extra={"return_token_ids": True}).choices
    assert choice.prompt_token_ids == server.json("/tokenize", {"prompt": PROMPT})["tokens"]
    assert len(choice.token_ids) == 12
    assert server.json("/detokenize", {"tokens": choice.token_ids})["prompt"] == choice.text
    streamed = list(complete(PROMPT, stream=True, extra={"return_token_ids": True}))
    assert sum((chunk.choices[0].token_ids or [] for chunk in streamed), []) == choice.token_ids
    answer = chat("Hi", extra={"return_token_ids": True})
    assert len(answer.prompt_token_ids) == answer.usage.prompt_tokens
    assert len(answer.choices[0].token_ids) == answer.usage.completion_tokens


def test_echo_repeats_the_prompt(complete):
    plain = complete(PROMPT, max_tokens=4).choices[0].text
    assert complete(PROMPT, max_tokens=4, echo=True).choices[0].text == PROMPT + plain


def test_a_text_is_scored_without_generating(server, complete):
    answer = complete(PROMPT, max_tokens=0, echo=True, logprobs=2)
    [choice] = answer.choices
    scores, count = choice.logprobs, server.json("/tokenize", {"prompt": PROMPT})["count"]
    assert choice.text == PROMPT == "".join(scores.tokens)
    assert answer.usage.completion_tokens == 0 and choice.finish_reason == "length"
    assert len(scores.token_logprobs) == count
    assert scores.token_logprobs[0] is None and all(score < 0 for score in scores.token_logprobs[1:])


def test_sampling_options_act(complete):
    free = complete(PROMPT, extra={"ignore_eos": True, "return_token_ids": True}).choices[0].token_ids
    banned = complete(PROMPT, logit_bias={str(free[0]): -100}, extra={"return_token_ids": True}).choices[0].token_ids
    assert free[0] not in banned
    forced = complete(PROMPT, logit_bias={"100": 100}, max_tokens=3, extra={"return_token_ids": True})
    assert forced.choices[0].token_ids == [100, 100, 100]
    for greedy in ({"top_k": 1}, {"min_p": 1.0}):
        same = complete(PROMPT, temperature=1, extra={"ignore_eos": True, "return_token_ids": True, **greedy})
        assert same.choices[0].token_ids == free
    tiny = complete(PROMPT, temperature=1, top_p=1e-6, extra={"ignore_eos": True, "return_token_ids": True})
    assert tiny.choices[0].token_ids == free
    penal = complete("a a a a a a a a", frequency_penalty=2, presence_penalty=2, max_tokens=24,
                     extra={"return_token_ids": True, "repetition_penalty": 2.0, "ignore_eos": True})
    assert len(set(penal.choices[0].token_ids)) == 24


def test_min_tokens_holds_back_the_end(chat):
    short = chat("What is the capital of France?", max_tokens=60)
    assert short.choices[0].finish_reason == "stop"
    wanted = short.usage.completion_tokens + 8
    longer = chat("What is the capital of France?", max_tokens=60, extra={"min_tokens": wanted})
    assert longer.usage.completion_tokens >= wanted


def test_unknown_fields_are_ignored(complete):
    extra = {"frobnicate": {"deep": [1, None, "x"]}, "service_tier": "auto", "metadata": {"a": "b"}}
    assert complete(PROMPT, extra=extra).choices[0].text == complete(PROMPT).choices[0].text


def test_an_unknown_model_is_404(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.completions.create(model="gpt-17", prompt="x")
    assert caught.value.code == "model_not_found" and "gpt-17" in caught.value.message
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-17")


def test_a_bad_field_is_a_bad_request_with_its_name(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.completions.create(model=NAME, prompt="x", temperature=-1)
    assert caught.value.param == "temperature" and caught.value.type == "invalid_request_error"
