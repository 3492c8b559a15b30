"""A server on the loopback interface that misbehaves on order, and tiny archives."""

import dataclasses
import hashlib
import io
import socket
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lift.config import load
from lift.errors import UserError
from lift.fetch import Remote
from lift.fetch.transfer import Transfer
from lift.fetch.unpack import unpack

PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"


@dataclasses.dataclass
class File:
    """What is served under one path, and how."""

    data: bytes
    etag: str = '"one"'
    ranges: bool = True
    wrong_range: bool = False  # answers another range than it was asked for
    announce: int | None = None  # a Content-Length that is a lie
    no_length: bool = False
    cuts: list = dataclasses.field(default_factory=list)  # bytes sent before each of the next answers is cut
    stall: int | None = None  # bytes sent before the next answer falls silent
    slow: bool = False  # a byte now and then
    statuses: list = dataclasses.field(default_factory=list)  # of the next answers
    kind: str = "application/octet-stream"
    honest_if_range: bool = True


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.close_connection = True
        self.server.requests.append((self.path, self.headers.get("Range")))
        file = self.server.files.get(self.path)
        if file is None or file.statuses:
            status = file.statuses.pop(0) if file else 404
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = self.start(file)
        if start is None:
            return
        body = file.data[start:]
        length = file.announce if file.announce is not None else len(body)
        if not file.no_length:
            self.send_header("Content-Length", str(length))
        if file.etag:
            self.send_header("ETag", file.etag)
        self.send_header("Content-Type", file.kind)
        self.end_headers()
        self.body(file, body)

    def start(self, file):
        wanted = self.headers.get("Range")
        condition = self.headers.get("If-Range")
        if (
            wanted is None
            or not file.ranges
            or (condition and condition != file.etag and file.honest_if_range)
        ):
            self.send_response(200)
            return 0
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(file.data):
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        start = 0 if file.wrong_range else start
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{len(file.data) - 1}/{len(file.data)}")
        return start

    def body(self, file, body):
        if file.cuts:
            self.wfile.write(body[: file.cuts.pop(0)])
        elif file.stall is not None:
            self.wfile.write(body[: file.stall])
            self.wfile.flush()
            file.stall = None
            self.server.closing.wait(5)
        elif file.slow:
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                if self.server.closing.wait(0.05):
                    return
        else:
            self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.requests, self.closing = {}, [], threading.Event()

    def handle_error(self, *_):
        """A client that hangs up is what several tests are about."""

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}{path}"

    def serve(self, path, data, **behaviour):
        self.files[path] = File(data, **behaviour)
        return self.url(path)


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def settings():
    """The settings of params.yaml, with waits of milliseconds."""
    return dataclasses.replace(
        load(PARAMS, "demo").download,
        parallel=2, tries=3, first_wait=0.005, longest_wait=0.02, connect=2.0, stall=0.3, slowest=100.0,
    )  # fmt: skip


def noise(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, count, np.uint8).tobytes()


def zipped(entries):
    """Give a zip archive's bytes; an entry is name -> bytes, or a ZipInfo -> bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, data)
    return buffer.getvalue()


def tarred(entries):
    """Give a tar.gz archive's bytes; an entry is name -> bytes, or a TarInfo -> bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        for name, data in entries.items():
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def remote(*urls, name="set.zip", **fields):
    return Remote(name=name, page="https://example.org/set", urls=urls, **fields)


def files(folder):
    """Give the contents of the files under `folder` by their relative names."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def free_port():
    """Give a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def make():
    """Writers of archives and descriptions."""
    return SimpleNamespace(
        noise=noise, zipped=zipped, tarred=tarred, remote=remote, free_port=free_port, files=files,
        sha256=lambda data: hashlib.sha256(data).hexdigest(),
    )  # fmt: skip


@pytest.fixture
def into(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


@pytest.fixture
def refused(tmp_path, into):
    """Unpack `data` and give the one-line refusal; nothing may lie outside the folder."""

    def call(data, kind, most=10**7):
        path = tmp_path / f"a.{kind}"
        path.write_bytes(data)
        with pytest.raises(UserError) as error:
            unpack(path, kind, into, most)
        assert sorted(p.name for p in tmp_path.iterdir()) == [path.name, "in"]
        message = str(error.value)
        assert "\n" not in message
        assert str(path) in message
        return message

    return call


@pytest.fixture
def archive():
    return zipped({"a/frame.png": noise(300_000)})


@pytest.fixture
def bring(tmp_path, settings):
    """Fetch `remote` to tmp_path/set.zip; records the bytes reported."""

    def call(remote, **changes):
        call.counted = []
        return Transfer(
            remote=remote,
            path=tmp_path / remote.name,
            key=f"set/{remote.name}",
            manifest=tmp_path / "manifest.json",
            settings=dataclasses.replace(settings, **changes),
            advance=call.counted.append,
        ).fetch()

    return call


@pytest.fixture
def refusal():
    """Give a function that calls, and wants a one-line refusal with certain words."""

    def check(call, *words):
        with pytest.raises(UserError) as error:
            call()
        message = str(error.value)
        assert "\n" not in message
        for word in words:
            assert word in message, message
        return message

    return check
