# SPDX-License-Identifier: LGPL-2.1-or-later
"""A web server on 127.0.0.1 for files, which serves them well or badly: the first part of a path
says how. Also a proxy, for whoever asks it for whole URLs."""
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HTML = b"\n<!DOCTYPE html>\n<html><body>Please log in.</body></html>\n"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
STATUS = {"missing": 404, "forbidden": 403, "busy": 429, "broken": 500, "out-of-order": 503}


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []  # path, Range
        self.is_half_sent = threading.Event()
        self.may_end = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"

    def asked(self, path: str) -> list[str]:
        """The Range of each request for the path; "" where there was none."""
        return [wanted for seen, wanted in self.requests if seen == path]

    def handle_error(self, request, client_address) -> None:  # type: ignore[no-untyped-def]
        """Clients that go away are what is tested."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_arguments: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:  # noqa: N802
        path = urlsplit(self.path).path.lstrip("/")
        how, _, name = path.partition("/")
        self.server.requests.append((path, self.headers.get("Range", "")))
        number = len(self.server.asked(path))
        self.close_connection = True
        if how in STATUS:
            self.answer_status(how, number, name)
        elif how in ("moved", "moved-to-cut"):
            self.send_response(302)
            to = "good" if how == "moved" else "cut"
            self.send_header("Location", self.server.url(f"{to}/{name}"))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif how in ("page", "lfs"):
            self.send(HTML if how == "page" else LFS, '"page"')
        else:
            self.answer_file(how, number, name)

    def answer_status(self, how: str, number: int, name: str) -> None:
        if number > 1 and name.startswith("once"):
            self.send(self.server.files["good"], '"one"')
            return
        self.send_response(STATUS[how], "\x1b]0;title\x07" if name == "steers" else None)
        self.send_header("Content-Length", "0")
        if how == "busy":
            self.send_header("Retry-After", "0" if name.startswith("once") else "3600")
        self.end_headers()

    def answer_file(self, how: str, number: int, name: str) -> None:
        data = self.server.files[name]
        tag = '"one"'
        if how == "replaced" and number > 1:
            data, tag = self.server.files["other"], '"two"'
        if how == "untagged":
            tag = ""
        knows_parts = how not in ("no-parts", "untagged")
        ends = len(data) // 2 if how in ("cut", "no-parts", "replaced", "untagged", "stall") and \
            number == 1 else len(data)
        self.send(data, tag, ends=0 if how == "nothing" else ends, knows_parts=knows_parts,
                  stalls=how == "stall" and number == 1)

    def send(self, data: bytes, tag: str, ends: int = -1, knows_parts: bool = True,
             stalls: bool = False) -> None:
        """@ends: the connection is closed there."""
        begin = 0
        wanted = self.headers.get("Range")
        if wanted is not None and knows_parts and self.headers.get("If-Range") == tag:
            begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - begin))
        if tag:
            self.send_header("ETag", tag)
        self.end_headers()
        self.wfile.write(data[begin:ends if ends >= 0 else len(data)])
        self.wfile.flush()
        if stalls:
            self.server.is_half_sent.set()
            self.server.may_end.wait(60)
