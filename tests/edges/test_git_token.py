"""The token for a remote over https, against a server that keeps what git sends."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from reconciler.core.errors import GitError
from reconciler.edges import git


@contextmanager
def host(folder: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """A host that refuses everything: its address, and the `Authorization` of each request."""
    seen: list[list[str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get_all("Authorization") or [])
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    pem = folder / "host.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"),
            *("-keyout", str(pem), "-out", str(folder / "certificate.pem")),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", pem)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}/", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_token_replaces_the_header_that_a_checkout_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub refuses two `Authorization` headers: "Duplicate header"."""
    monkeypatch.setenv("GIT_SSL_NO_VERIFY", "1")
    monkeypatch.setenv("no_proxy", "*")
    root = tmp_path / "clone"
    with host(tmp_path) as (address, seen):
        for command in (
            ["init", "-q", str(root)],
            ["-C", str(root), "remote", "add", "origin", f"{address}team/records.git"],
            ["-C", str(root), "config", f"http.{address}.extraheader", "Authorization: Basic kept"],
        ):
            subprocess.run(["git", *command], check=True)
        with pytest.raises(GitError) as caught:
            git.fetch(root, git.Remote("origin", "main", "secret-token"))
    assert len(seen) == 1
    # base64 of x-access-token:secret-token
    assert seen[0] == ["Basic eC1hY2Nlc3MtdG9rZW46c2VjcmV0LXRva2Vu"]
    assert "secret" not in str(caught.value)
    assert "eC1h" not in str(caught.value)
