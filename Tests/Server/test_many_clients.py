"""Many clients at once: the same texts as alone, and nothing kept for those who leave."""
import asyncio
import time

import aiohttp
import openai
import pytest

from quire_server import NAME

WORDS = "river stone cloud engine paper winter garden silver music ocean letter bridge candle forest mirror wheel".split()


def work(index):
    """Greedy, sampled, short and long, whole and streamed, so that batches are mixed."""
    prompt = " ".join(WORDS[(index * 7 + k) % 16] for k in range(1 + index * 3 % 40))
    return dict(
        model=NAME, prompt=f"{index}: {prompt}", max_tokens=8 + index % 17, temperature=(index % 3) * 0.5, seed=index,
        stream=index % 2 == 1)


async def ask(client, index):
    answer = await client.completions.create(**work(index))
    if not work(index)["stream"]:
        return answer.choices[0].text
    return "".join([chunk.choices[0].text async for chunk in answer])


def test_64_clients_at_once_get_what_each_gets_alone(server):
    async def run():
        options = dict(base_url=server.url + "/v1", api_key="none", timeout=300, max_retries=0)
        async with openai.AsyncOpenAI(**options) as client:
            alone = [await ask(client, index) for index in range(64)]
            assert await asyncio.gather(*[ask(client, index) for index in range(64)]) == alone
            assert await asyncio.gather(*[ask(client, index) for index in reversed(range(64))]) == alone[::-1]
    asyncio.run(run())


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_hangs_up_frees_its_blocks(server, stream):
    body = dict(model=NAME, prompt="Tell me everything.", max_tokens=900, ignore_eos=True, stream=stream)
    before = server.metric("vllm:generation_tokens_total")

    async def start_and_leave():
        async with aiohttp.ClientSession() as session:
            request = asyncio.ensure_future(session.post(server.url + "/v1/completions", json=body))
            if stream:
                response = await request
                assert (await response.content.readline()).startswith(b"data:")
                assert await asyncio.to_thread(server.metric, "vllm:num_requests_running") == 1
                response.close()
                return
            end = time.monotonic() + 30
            while await asyncio.to_thread(server.metric, "vllm:num_requests_running") == 0:
                assert time.monotonic() < end and not request.done()
                await asyncio.sleep(0.01)
            request.cancel()
            await asyncio.gather(request, return_exceptions=True)
    asyncio.run(start_and_leave())
    server.wait_until_idle(seconds=5)
    assert server.metric("vllm:generation_tokens_total") - before < 800


def test_an_abort_storm_leaves_nothing_behind(server, complete):
    async def run():
        async def leave(session, index):
            body = {**work(index), "max_tokens": 400, "ignore_eos": True, "stream": True}
            async with session.post(server.url + "/v1/completions", json=body) as response:
                await response.content.readline()
                await asyncio.sleep(0.01 * (index % 20))
                response.close()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await asyncio.gather(*[leave(session, index) for index in range(48)])
    text = complete("The sea is").choices[0].text
    asyncio.run(run())
    server.wait_until_idle(seconds=10)
    assert complete("The sea is").choices[0].text == text
