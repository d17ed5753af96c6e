"""Archives that mean harm: nothing leaves the folder, nothing fills the disk or the memory."""

from __future__ import annotations

import bz2
import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from tests.attacks import made
from tests.attacks.guard import LEVELS, attack, watched
from tests.attacks.mutations import NAMES, Damage, damage
from tsxfer.data import archive
from tsxfer.data.archive import unpacked
from tsxfer.errors import DataError

OUTSIDE = ("../x", "a/../../x", "/opt/x", "//opt/x", "..", "a/../..", "./../x")


def _zip(*members: tuple[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as packed:
        for name, content in members:
            packed.writestr(zipfile.ZipInfo(name), content, kind)
    return out.getvalue()


def _tar(*members: tuple[str, bytes], mode: Any = "w:gz", **facts: Any) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=tarfile.PAX_FORMAT) as packed:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for fact, value in facts.items():
                setattr(info, fact, value)
            packed.addfile(info, io.BytesIO(content))
    return out.getvalue()


FORMS = {"x.zip": _zip, "x.tar.gz": _tar, "x.tar": lambda *m: _tar(*m, mode="w")}


def _unpack(name: str, content: bytes, folder: Path) -> dict[str, bytes]:
    """Unpack below a folder; what was unpacked, by name."""
    (folder / "in").mkdir(exist_ok=True)
    place = folder / "in" / name
    place.write_bytes(content)
    with unpacked(place, folder / "scratch") as ready:
        return {
            path.relative_to(ready).as_posix(): path.read_bytes()
            for path in ready.rglob("*")
            if path.is_file()
        }


@pytest.mark.parametrize("form", FORMS)
def test_good_archives_are_unpacked(form: str, tmp_path: Path) -> None:
    """Files in folders come out as they went in."""
    files = {"a/b.txt": b"1", "c.txt": b"2" * 5000}
    with watched(tmp_path):
        assert _unpack(form, FORMS[form](*files.items()), tmp_path) == files


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_lead_outside_are_refused(form: str, name: str, tmp_path: Path) -> None:
    """Neither dots nor absolute paths leave the folder."""
    before = sorted(tmp_path.parent.iterdir())
    with watched(tmp_path), pytest.raises(DataError):
        _unpack(form, FORMS[form]((name, b"owned")), tmp_path)
    assert sorted(tmp_path.parent.iterdir()) == before
    assert not list(tmp_path.glob("x")) + list(Path("/opt").glob("x"))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
@pytest.mark.parametrize("goal", ["/etc/passwd", "../secret", "inner.txt"])
def test_links_and_devices_are_refused(kind: bytes, goal: str, tmp_path: Path) -> None:
    """Links, even to inside, and devices have no place in a data set."""
    (tmp_path / "secret").write_text("s")
    content = _tar(("inner.txt", b""), ("y", b""), type=kind, linkname=goal)
    with watched(tmp_path), pytest.raises(DataError, match="link or a device"):
        _unpack("x.tar.gz", content, tmp_path)


def test_a_link_in_a_zip_is_a_plain_file(tmp_path: Path) -> None:
    """A zip that marks a member as symbolic link gives a file with the goal as its text."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        link = zipfile.ZipInfo("y")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(link, "/etc/passwd")
    with watched(tmp_path):
        assert _unpack("x.zip", out.getvalue(), tmp_path) == {"y": b"/etc/passwd"}


def test_nothing_is_written_through_a_link_beside_the_archive(tmp_path: Path) -> None:
    """An archive beside a folder ``sub`` cannot write into that folder."""
    made.put({"in/sub/kept": b"old", "in/z.zip": _zip(("sub/kept", b"new"))}, tmp_path)
    with (
        pytest.raises(DataError, match="beside an archive"),
        unpacked(tmp_path / "in", tmp_path / "scratch"),
    ):
        pass
    assert (tmp_path / "in/sub/kept").read_bytes() == b"old"


BOMBS = {
    "x.zip": lambda size: _zip(*((f"{n}", b"\0" * size) for n in range(2))),
    "x.tar.gz": lambda size: _tar(*((f"{n}", b"\0" * size) for n in range(2))),
    "x.tar.xz": lambda size: _tar(*((f"{n}", b"\0" * size) for n in range(2)), mode="w:xz"),
    "x.bz2": lambda size: bz2.compress(b"\0" * 2 * size),
}


@pytest.mark.parametrize("form", BOMBS)
def test_bombs_are_stopped_before_they_fill_the_disk(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zeros that pack a thousand times are stopped at the limit, and nothing stays behind."""
    monkeypatch.setattr(archive, "SMALL", 1 << 20)
    with watched(tmp_path), pytest.raises(DataError, match="unpacks to more"):
        _unpack(form, BOMBS[form](4 << 20), tmp_path)
    assert not list((tmp_path / "scratch").iterdir())
    monkeypatch.setattr(archive, "SMALL", 1 << 30)
    assert _unpack(form, BOMBS[form](4 << 20), tmp_path), "what fits is no bomb"


def test_an_archive_of_very_many_files_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Empty files cost no bytes, but a file system has an end too."""
    monkeypatch.setattr(archive, "MEMBERS", 50)
    for form, pack in FORMS.items():
        with pytest.raises(DataError, match="unpacks to more"):
            _unpack(form, pack(*((str(n), b"") for n in range(60))), tmp_path)


def test_a_header_of_a_tar_cannot_fill_the_memory(tmp_path: Path) -> None:
    """An extended header is held in memory, so one that announces 8 MB is refused unread."""
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 8 << 20
    content = gzip.compress(header.tobuf() + b"\0" * (8 << 20))
    with watched(tmp_path), pytest.raises(DataError, match="a header of"):
        _unpack("x.tar.gz", content, tmp_path)


@pytest.mark.parametrize("form", [*FORMS, "x.bz2"])
@pytest.mark.parametrize("level", LEVELS)
def test_damaged_archives(form: str, level: int, tmp_path: Path) -> None:
    """Whatever bytes change: unpacked inside, or refused in words."""
    members = (("a/b.txt", b"text" * 50), ("c", b""))
    good = FORMS[form](*members) if form in FORMS else bz2.compress(b"text" * 50)

    def check(hit: Damage) -> None:
        _unpack(form, hit.of(good), tmp_path)

    attack(f"bytes of {form}", level, tmp_path, damage(good), check)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("level", LEVELS)
def test_odd_names_in_archives(form: str, level: int, tmp_path: Path) -> None:
    """Whatever a member is called: unpacked inside, or refused in words."""

    def check(names: list[str]) -> None:
        try:
            packed = FORMS[form](*((name, b"x") for name in names))
        except (ValueError, UnicodeError, IndexError):
            return  # cannot be packed, so nobody can send it this way
        _unpack(form, packed, tmp_path)

    parts = st.sampled_from(("..", "/", "a", "\\", "C:", "~", "-", " ", ".", "\0")) | NAMES
    names = st.lists(parts, min_size=1, max_size=6).map("".join)
    attack(f"names in {form}", level, tmp_path, st.lists(names, min_size=1, max_size=3), check)
