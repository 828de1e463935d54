"""The built server on a socket: what it logs of secrets, and clients that go."""
import json
import socket
import struct
import time

from quire_server import NAME, QuireServer

KEY = "sk-6d79-open-sesame"
BODY = json.dumps({"model": NAME, "prompt": "The sea", "max_tokens": 400, "ignore_eos": True}).encode()


def connect(server):
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=60)


def head(length, fields="", path="/v1/completions"):
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{fields}"
            f"Content-Length: {length}\r\n\r\n").encode()


def reset(connection):
    """Closes so that the other side gets an error, not an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def counted(server):
    """Requests by status."""
    counts = {}
    for line in server.request("/metrics")[1].splitlines():
        if line.startswith("http_requests_total{"):
            status = line.split('status="')[1][:3]
            counts[status] = counts.get(status, 0) + float(line.split()[-1])
    return counts


def test_a_key_is_in_no_log_line(tmp_path):
    server = QuireServer(tmp_path, server__api_key=KEY, logging__level="trace", logging__format="json")
    for key in (KEY, KEY + "x", ""):
        headers = {"Authorization": f"Bearer {key}"}
        for path, body in [("/v1/models", None), ("/health", None), ("/none", None), ("/v1/completions", b"{"),
                           ("/v1/completions", {"prompt": "a", "max_tokens": 2}), ("/v1/completions", {"prompt": 5}),
                           ("/v1/chat/completions", {"messages": [{"role": "user", "content": "a"}], "max_tokens": 2})]:
            server.request(path, body, headers=headers)
    with connect(server) as connection:
        connection.sendall(head(99, f"Authorization: Bearer {KEY}\r\nTransfer-Encoding: chunked\r\n") + b"zz\r\n")
        connection.recv(4096)
    assert server.stop() == 0
    log = "".join(server.log)
    assert "listening" in log and len(server.log) > 20
    assert KEY not in log
    # A service that is printed brings its tokenizer along.
    assert max(map(len, server.log)) < 4096


def test_clients_that_go_are_no_failures_of_the_server(server):
    before = counted(server)
    for part in (b"", BODY[:10]):
        for leave in (reset, socket.socket.close):
            connection = connect(server)
            connection.sendall(head(len(BODY)) + part)
            time.sleep(0.1)
            leave(connection)
    for stream in (False, True):
        connection = connect(server)
        body = json.dumps({**json.loads(BODY), "stream": stream}).encode()
        connection.sendall(head(len(body)) + body)
        time.sleep(0.3)
        reset(connection)
    server.wait_until_idle()
    end = time.monotonic() + 10
    while (counts := counted(server)).get("499", 0) < before.get("499", 0) + 3 and time.monotonic() < end:
        time.sleep(0.05)
    # Two that were cut within their body and one before its answer. A stream has its status before it is cut.
    assert counts["499"] == before.get("499", 0) + 3
    assert not [status for status in counts if status.startswith("5") and counts[status] != before.get(status, 0)]
    assert not [line for line in server.log if line.startswith("error")]


def test_a_body_that_is_announced_as_too_large_is_refused_at_once(server):
    with connect(server) as connection:
        start = time.monotonic()
        connection.sendall(head(999_999_999))
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 413 ") and time.monotonic() - start < 2
        assert b"connection: close" in answer.lower()
