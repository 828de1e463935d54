"""model.expert_memory: a server whose experts are in the host's memory gives the same tokens, and counts them."""
from quire_server import NAME, REPOSITORY, QuireServer

MIXTURE = REPOSITORY / "Tests/Goldens/families/qwen3-moe/model.gguf"


def serve(directory, **settings):
    directory.mkdir()
    return QuireServer(
        directory, model__path=MIXTURE, model__max_model_len=128, backend__name="vulkan", backend__device="0",
        backend__disabled_features="[unified_memory]", **settings)


def rows(server, memory):
    _, text = server.request("/metrics")
    return sum(
        float(line.split()[-1]) for line in text.splitlines()
        if line.startswith("quire:expert_rows_total") and f'memory="{memory}"' in line)


def test_experts_in_the_hosts_memory(tmp_path):
    body = {"model": NAME, "prompt": [5, 6, 7, 8, 9], "max_tokens": 8, "ignore_eos": True, "temperature": 0}
    texts = []
    for budget in (None, "0", "12KiB"):
        server = serve(tmp_path / f"{budget}", **({} if budget is None else {"model__expert_memory": budget}))
        try:
            texts.append(server.json("/v1/completions", body)["choices"][0]["text"])
            device, host = rows(server, "device"), rows(server, "host")
        finally:
            assert server.stop() == 0
        # Four layers choose three experts for each of the prompt's tokens and the generated ones but the last.
        if budget is None:
            assert device == host == 0
        else:
            assert device + host == 4 * 3 * (5 + 7)
            assert (device == 0) == (budget == "0")
    assert texts[0] and texts == texts[:1] * 3
