"""Downloads against a server on loopback: kept, checked, and told when they fail."""

import hashlib
import logging
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tsxfer.data import RemoteFile
from tsxfer.data.card import Card, Dataset
from tsxfer.data.fetch import fetch
from tsxfer.errors import DataError

CONTENT = b"a,b\n1,2\n"
pytestmark = pytest.mark.enable_socket


class _Quiet(SimpleHTTPRequestHandler):
    hits = 0

    def do_GET(self) -> None:
        type(self).hits += 1
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A folder served at an address on this machine."""
    logging.getLogger("pooch").setLevel(logging.ERROR)
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "x.csv").write_bytes(CONTENT)
    _Quiet.hits = 0
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path / "served"))
    ) as s:
        threading.Thread(target=s.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{s.server_port}"
        s.shutdown()


def _dataset(*files: RemoteFile, manual: str = "") -> Dataset:
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
        files=files,
        manual=manual,
    )
    return Dataset(card)


def test_a_file_is_fetched_once(server: str, tmp_path: Path) -> None:
    """The bytes arrive, and a second fetch finds them intact and asks nobody."""
    known = RemoteFile(f"{server}/x.csv?download=1", sha256=hashlib.sha256(CONTENT).hexdigest())
    folder = fetch(_dataset(known), tmp_path / "got")
    assert (folder / "x.csv").read_bytes() == CONTENT
    before = _Quiet.hits
    fetch(_dataset(known), tmp_path / "got")
    assert _Quiet.hits == before


def test_a_wrong_checksum_is_told(server: str, tmp_path: Path) -> None:
    """Bytes that are not the card's are refused and not left behind."""
    with pytest.raises(DataError, match=r"checksum of x\.csv differs"):
        fetch(_dataset(RemoteFile(f"{server}/x.csv", sha256="0" * 64)), tmp_path / "got")
    assert not (tmp_path / "got" / "x.csv").exists()


def test_a_missing_file_and_a_dead_server_are_told(server: str, tmp_path: Path) -> None:
    """Each gets a message that offers --from."""
    for url in (f"{server}/gone.csv", "http://127.0.0.1:9/x.csv"):
        with pytest.raises(DataError, match="could not be downloaded") as caught:
            fetch(_dataset(RemoteFile(url)), tmp_path / "got")
        assert "--from" in caught.value.mend


def test_a_set_without_downloads_says_how_to_get_it(tmp_path: Path) -> None:
    """The card's manual steps are the mend."""
    with pytest.raises(DataError, match="Ask the publisher"):
        fetch(_dataset(manual="Ask the publisher."), tmp_path)
