"""One server for most tests, in the types a user gets; every test must leave it idle."""
import openai
import pytest

from plugins import build
from quire_server import NAME, REPOSITORY, QuireServer


@pytest.fixture(scope="session", autouse=True)
def sample_plugin():
    """The library that Configs/policy-plugin.yaml names, built as it says."""
    build(REPOSITORY / "Configs", "two_classes.c")


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory):
    server = QuireServer(tmp_path_factory.mktemp("server"))
    yield server
    assert server.stop() == 0, "".join(server.log[-50:])


@pytest.fixture
def server(shared_server):
    yield shared_server
    assert shared_server.process.poll() is None, "".join(shared_server.log[-50:])
    shared_server.wait_until_idle()


def sdk(server, **options):
    """The SDK's client for `server`; errors are not retried."""
    return openai.OpenAI(
        base_url=server.url + "/v1", **{"api_key": "none", "timeout": 180, "max_retries": 0, **options})


@pytest.fixture
def client(server):
    with sdk(server) as client:
        yield client


@pytest.fixture
def complete(client):
    """A greedy completion of 12 tokens, unless asked otherwise; fields unknown to the SDK go into `extra`."""
    def complete(prompt, extra=None, **options):
        options = {"model": NAME, "max_tokens": 12, "temperature": 0, **options}
        return client.completions.create(prompt=prompt, extra_body=extra, **options)
    return complete


@pytest.fixture
def chat(client):
    """A greedy chat answer of at most 12 tokens, unless asked otherwise."""
    def chat(content, extra=None, **options):
        messages = content if isinstance(content, list) else [{"role": "user", "content": content}]
        options = {"model": NAME, "max_tokens": 12, "temperature": 0, **options}
        return client.chat.completions.create(messages=messages, extra_body=extra, **options)
    return chat
