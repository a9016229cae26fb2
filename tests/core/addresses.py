"""Servers of zarr stores on this machine, one for http and one for s3, that can simulate faults."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import obstore
from moto.server import ThreadedMotoServer
from obstore.store import S3Store


@dataclass
class Server:
    """A folder at an address, with its faults.

    ``faults`` maps the end of a path to an answer and its count: a status, ``"cut"`` or ``"slow"``.
    A server ``behind`` it answers in place of the folder.
    """

    url: str = ""
    behind: str = ""
    faults: dict[str, tuple[int | str, float]] = field(default_factory=dict)
    asked: Counter = field(default_factory=Counter)

    def fault(self, path: str) -> int | str | None:
        for end, (what, often) in self.faults.items():
            if path.endswith(end) and self.asked[path] <= often:
                return what
        return None


class Handler(SimpleHTTPRequestHandler):
    """Serves files, ranges of them on request, and faults."""

    def __init__(self, *args, known, **options) -> None:
        self.known = known
        super().__init__(*args, **options)

    def log_message(self, *_args) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(self._send if self.known.behind else super().do_HEAD)

    def do_GET(self) -> None:
        self._answer(self._send)

    def _answer(self, well) -> None:
        self.known.asked[self.path] += 1
        fault = self.known.fault(self.path)
        try:
            if fault is None:
                well()
            elif fault == "slow":
                time.sleep(2)
            elif fault == "cut":
                self._send(most=10)
                self.close_connection = True
            else:
                self.send_error(fault)
        except ConnectionError:
            pass  # whoever asked did not wait

    def _send(self, most: int | None = None) -> None:
        if self.known.behind:
            self._pass_on(most)
        elif file := self.send_head():
            with file:
                self.wfile.write(file.read()[:most])

    def _pass_on(self, most: int | None) -> None:
        asked = dict(self.headers)
        request = Request(self.known.behind + self.path, headers=asked, method=self.command)
        try:
            answer = urlopen(request)
        except HTTPError as error:
            answer = error
        with answer:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.read()[:most])


@contextmanager
def serve(folder, behind=""):
    """Yield a server of a folder, or of the content of another server."""
    known = Server(behind=behind)
    make = partial(Handler, known=known, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), make) as server:
        known.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield known
        server.shutdown()
        thread.join()


@contextmanager
def serve_s3(folder, monkeypatch):
    """Yield the server of a bucket, ``s3://bucket``, with the content of a folder."""
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    with serve(folder, f"http://{host}:{port}") as server:
        settings = {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_REGION": "us-east-1",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        urlopen(Request(f"{server.behind}/moto-api/reset", method="POST")).close()
        urlopen(Request(f"{server.behind}/bucket", method="PUT")).close()
        bucket = S3Store("bucket", endpoint=server.behind, client_options={"allow_http": True})
        for file in folder.rglob("*"):
            if file.is_file():
                obstore.put(bucket, file.relative_to(folder).as_posix(), file.read_bytes())
        yield server
    moto.stop()
