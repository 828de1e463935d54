"""A hub of our own on loopback: the API of a Hugging Face hub as far as downloads need it, with a fault for each test."""
import hashlib
import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LFS = (".safetensors", ".gguf")


def digest(name, content):
    """The hub's checksum: of files stored with Git LFS their SHA-256, of others git's."""
    if name.endswith(LFS):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub:
    """Serves `files` of org/name at COMMIT; large files come from a second server, as those of real hubs do.

    `faults` maps a path to functions that are called one after another instead of answering; each gets the request's
    handler and returns True where it has answered. `seen` has (server, method, path, headers) of all requests.
    """

    def __init__(self, files, token=None, listing=None, gives_facts=True):
        self.files, self.token, self.gives_facts = files, token, gives_facts
        self.listing, self.faults, self.seen = listing, {}, []
        self.content = self._start("content")
        self.url = self._start("hub")

    def _start(self, role):
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle(self):
                try:
                    super().handle()
                except (ConnectionError, BrokenPipeError):
                    pass

            def do_GET(self):
                path = urllib.parse.unquote(self.path.partition("?")[0])
                hub.seen.append((role, self.command, path, dict(self.headers)))
                queue = hub.faults.get((role, path)) or hub.faults.get(path if role == "hub" else None)
                if queue and queue.pop(0)(self):
                    return
                getattr(hub, "_" + role)(self, path)

            do_HEAD = do_GET

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        setattr(self, f"_{role}_server", server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    def close(self):
        for server in (self._hub_server, self._content_server):
            server.shutdown()
            server.server_close()

    def _hub(self, handler, path):
        if self.token and handler.headers.get("Authorization") != f"Bearer {self.token}":
            return answer(handler, 401, b'{"error": "Invalid username or password."}', {"X-Error-Code": "RepoNotFound"})
        api = "/api/models/org/name/revision/"
        if path.startswith(api):
            if path[len(api):] not in ("main", "v1", COMMIT):
                return answer(handler, 404, b'{"error": "Invalid rev id"}', {"X-Error-Code": "RevisionNotFound"})
            return answer(handler, 200, json.dumps(self.listing or self._list()).encode())
        if not path.startswith("/org/name/resolve/"):
            return answer(handler, 404, b'{"error": "Repository not found"}', {"X-Error-Code": "RepoNotFound"})
        revision, _, name = path.removeprefix("/org/name/resolve/").partition("/")
        if revision not in ("main", COMMIT) or name not in self.files:
            return answer(handler, 404, b"Entry not found", {"X-Error-Code": "EntryNotFound"})
        content = self.files[name]
        facts = {"X-Repo-Commit": COMMIT, "ETag": f'"{digest(name, content)}"'}
        if not name.endswith(LFS):
            return answer(handler, 200, content, facts)
        facts |= {"X-Linked-Size": str(len(content)), "X-Linked-Etag": facts.pop("ETag"),
                  "Location": f"{self.content}/{name}?signature=secret"}
        return answer(handler, 302, b"moved", facts)

    def _list(self):
        siblings = []
        for name, content in self.files.items():
            sibling = {"rfilename": name}
            if self.gives_facts:
                sibling |= {"size": len(content), "blobId": digest("", content)}
                if name.endswith(LFS):
                    sibling["lfs"] = {"sha256": digest(name, content), "size": len(content), "pointerSize": 134}
            siblings.append(sibling)
        return {"sha": COMMIT, "siblings": siblings}

    def _content(self, handler, path):
        content = self.files[path[1:]]
        start = int((handler.headers.get("Range") or "bytes=0-")[6:-1])
        if start == 0:
            return answer(handler, 200, content, {"ETag": '"of-the-content-server"'})
        answer(handler, 206, content[start:], {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"})

    def requests(self, role, path=None):
        """The headers of the requests that a server got, of one path or of all."""
        return [headers for server, _, requested, headers in self.seen
                if server == role and path in (None, requested)]


def answer(handler, status, body, headers={}):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)
    return True


def status(code, headers={}, body=b"{}"):
    """A fault: another status."""
    return lambda handler: answer(handler, code, body, headers)


def cut(content, count, ends=True, start=0):
    """A fault: the first `count` bytes of the whole content, then the connection ends, or stays silent for 30 seconds."""
    def fault(handler):
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        handler.wfile.write(content[start:start + count])
        handler.wfile.flush()
        handler.close_connection = True
        end = time.monotonic() + (0 if ends else 30)
        while time.monotonic() < end:
            time.sleep(0.1)
        return True
    return fault
