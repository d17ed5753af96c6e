"""Servers that mean harm, on loopback: what they send elsewhere is not followed."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.attacks.guard import COUNTS
from tsxfer.data import RemoteFile
from tsxfer.data.card import Card, Dataset
from tsxfer.data.fetch import Redirects, fetch
from tsxfer.errors import DataError

CONTENT = b"a,b\n1,2\n"
SUM = hashlib.sha256(CONTENT).hexdigest()
pytestmark = pytest.mark.enable_socket


class _Sends(BaseHTTPRequestHandler):
    """Redirects ``/to/URL`` to URL; everything else is CONTENT."""

    def do_GET(self) -> None:
        name, _, goal = self.path.removeprefix("/").partition("/")
        if name == "to":
            self.send_response(302)
            self.send_header("Location", goal)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    """Of the server."""
    logging.getLogger("pooch").setLevel(logging.ERROR)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Sends) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def _fetch(url: str, folder: Path, sha256: str = "") -> Path:
    card = Card(
        name="toy",
        version=1,
        title="t",
        domain="d",
        task="regression",
        label="l",
        unit="u",
        rate_hz=1.0,
        channels=("a",),
        length=2,
        group="g",
        metric="mae",
        margin=0.1,
        licence="none",
        cite="none",
        files=(RemoteFile(url, sha256),),
    )
    return fetch(Dataset(card), folder / "got")


def _refused(url: str, folder: Path, match: str, sha256: str = "") -> None:
    with pytest.raises(DataError, match=match):
        _fetch(url, folder, sha256)
    assert not [path for path in (folder / "got").rglob("*") if path.is_file()]
    COUNTS["addresses", "refused"] += 1


@pytest.mark.parametrize(
    "goal",
    ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x/1", "data:,x", "javascript:alert(1)"],
)
@pytest.mark.parametrize("sha256", ["", SUM])
def test_redirects_to_other_protocols_are_refused(
    goal: str, sha256: str, port: int, tmp_path: Path
) -> None:
    """A server cannot make tsxfer read local files or speak another protocol, checksum or not."""
    _refused(f"http://127.0.0.1:{port}/to/{goal}", tmp_path, "sends elsewhere", sha256)


def test_a_redirect_to_another_host_needs_a_checksum(port: int, tmp_path: Path) -> None:
    """Mirrors are common, so a redirect is followed where the checksum tells the file."""
    url = f"http://127.0.0.1:{port}/to/http://localhost:{port}/x.csv"
    _refused(url, tmp_path, "sends elsewhere")
    assert (_fetch(url, tmp_path, SUM) / "x.csv").read_bytes() == CONTENT
    _refused(f"{url}2", tmp_path / "other", "checksum", "0" * 64)


def test_a_redirect_on_the_same_host_is_followed(port: int, tmp_path: Path) -> None:
    """Zenodo moves its records that way."""
    folder = _fetch(f"http://127.0.0.1:{port}/to//new/x.csv", tmp_path)
    assert (folder / "x.csv").read_bytes() == CONTENT


def test_an_endless_chain_of_redirects_ends(port: int, tmp_path: Path) -> None:
    """A redirect to itself is given up."""
    _refused(f"http://127.0.0.1:{port}/to//to/", tmp_path, "could not be downloaded|no http")


@pytest.mark.parametrize(
    ("old", "new", "sealed", "follows"),
    [
        ("https://a.org/x", "http://a.org/x", True, False),
        ("https://a.org/x", "http://a.org/x", False, False),
        ("https://a.org/x", "https://b.org/x", False, False),
        ("https://a.org/x", "https://b.org/x", True, True),
        ("https://a.org/x", "https://a.org.evil.com/x", False, False),
        ("https://a.org/x", "https://a.org@evil.com/x", False, False),
        ("https://a.org/x", "//evil.com/x", False, False),
        ("https://a.org/x", "/y", False, True),
        ("http://a.org/x", "https://a.org/x", False, True),
    ],
)
def test_which_redirects_are_followed(old: str, new: str, sealed: bool, follows: bool) -> None:
    """Never from https to http; to another host only where a checksum is known."""
    response = SimpleNamespace(is_redirect=True, url=old, headers={"location": new})
    if follows:
        Redirects(sealed=sealed)(response)
        return
    with pytest.raises(DataError, match="sends elsewhere"):
        Redirects(sealed=sealed)(response)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://h/x", "https://h/", "https://h/..", "/etc/passwd", ""]
)
def test_a_card_cannot_name_local_files(url: str, tmp_path: Path) -> None:
    """Only http and https addresses that end in a file name are asked for."""
    _refused(url, tmp_path, "no http or https address")
