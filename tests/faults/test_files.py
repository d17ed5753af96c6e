"""Damaged files: torn and garbage lines, lost or changed checkpoints, arrays not as prepared."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.ground import TRIALS, Ground, assert_equal, assert_kept, assert_told


def _lines(ground: Ground) -> tuple[Path, list[bytes]]:
    file = next(ground.results.glob("*.jsonl"))
    return file, file.read_bytes().splitlines(keepends=True)


def _torn_end(ground: Ground) -> None:
    file, lines = _lines(ground)
    file.write_bytes(b"".join(lines)[: -len(lines[-1]) // 2])


def _garbage_between(ground: Ground) -> None:
    file, lines = _lines(ground)
    noise = random.Random(0).randbytes(5000)  # noqa: S311
    file.write_bytes(b"".join([*lines[:3], noise, b"\n", *lines[3:]]))


def _zeros_at_the_end(ground: Ground) -> None:
    """What some file systems leave after a loss of power."""
    file, lines = _lines(ground)
    file.write_bytes(b"".join(lines) + bytes(4096))


def _torn_start(ground: Ground) -> None:
    file, lines = _lines(ground)
    file.write_bytes(b"".join(lines)[100:])


def _glued(ground: Ground) -> None:
    """A row without its line end runs into the next."""
    file, lines = _lines(ground)
    file.write_bytes(b"".join([*lines[:2], lines[2].rstrip(b"\n"), *lines[3:]]))


def _deep(ground: Ground) -> None:
    file, lines = _lines(ground)
    file.write_bytes(b"".join([b"[" * 200_000, b"\n", b'{"a":' * 5000, b"\n", *lines]))


def _windows(ground: Ground) -> None:
    file, lines = _lines(ground)
    file.write_bytes(b"\xef\xbb\xbf" + b"".join(lines).replace(b"\n", b"\r\n"))


def _twice(ground: Ground) -> None:
    file, lines = _lines(ground)
    (file.parent / "copy.jsonl").write_bytes(b"".join(lines))


def _no_scores(ground: Ground) -> None:
    """A line that is JSON and has the right key, but lost its scores."""
    file, lines = _lines(ground)
    at = lines[-1].index(b'"scores"')
    end = lines[-1].index(b"}", at)
    file.write_bytes(b"".join([*lines[:-1], lines[-1][:at] + b'"scores": {' + lines[-1][end:]]))


# What is done to the rows, and how many trials are lost by it.
LINES: dict[str, tuple[Callable[[Ground], None], int]] = {
    "torn end": (_torn_end, 1),
    "garbage between": (_garbage_between, 0),
    "zeros at the end": (_zeros_at_the_end, 0),
    "torn start": (_torn_start, 1),
    "glued": (_glued, 2),
    "deep": (_deep, 0),
    "windows": (_windows, 0),
    "twice": (_twice, 0),
    "no scores": (_no_scores, 1),
}


@pytest.mark.parametrize("case", LINES)
def test_damaged_lines_cost_only_themselves(done: Ground, undisturbed: Ground, case: str) -> None:
    """All whole lines are read, what was damaged is trained again, and the study is equal."""
    spoil, lost = LINES[case]
    spoil(done)
    kept = done.rows()
    assert len(kept) == TRIALS - lost
    ran = done.here()
    assert ran.returncode == 0, ran.stderr
    assert ("damaged line(s) are left out" in ran.stderr) == (case not in ("twice", "windows"))
    assert_kept(done, kept)
    assert_equal(done, undisturbed)


def _checkpoint(ground: Ground) -> Path:
    return min((ground.place.root / "weights").glob("*.safetensors"))


def _lost(ground: Ground) -> None:
    shutil.rmtree(ground.place.root / "weights")


def _bent(ground: Ground) -> None:
    _flip(_checkpoint(ground), -9)


def _bent_header(ground: Ground) -> None:
    _flip(_checkpoint(ground), 40)


def _short(ground: Ground) -> None:
    os.truncate(_checkpoint(ground), 3000)


def _empty(ground: Ground) -> None:
    os.truncate(_checkpoint(ground), 0)


def _swapped(ground: Ground) -> None:
    """The weights of another pretraining under this one's name."""
    first, second = sorted((ground.place.root / "weights").glob("*.safetensors"))
    shutil.copy(second, first)


def _flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


SLOW = pytest.mark.slow
MORE = (_bent_header, _short, _empty)
CHECKPOINTS = (_lost, _bent, _swapped, *(pytest.param(spoil, marks=SLOW) for spoil in MORE))


@pytest.mark.parametrize("spoil", CHECKPOINTS, ids=lambda f: f.__name__.strip("_"))
def test_a_spoilt_checkpoint_is_trained_again(
    done: Ground, undisturbed: Ground, spoil: Callable[[Ground], None]
) -> None:
    """Transfers that are still to do start from a source as good as the first."""
    file, lines = _lines(done)
    keep = [line for line in lines if b'"reuse"' not in line]
    assert 0 < len(keep) < len(lines)
    file.write_bytes(b"".join(keep))
    kept = done.rows()
    spoil(done)
    ran = done.here()
    assert ran.returncode == 0, ran.stderr
    assert_kept(done, kept)
    assert_equal(done, undisturbed)


def _array(ground: Ground) -> Path:
    return ground.place.data("finance+sim@1") / "x.npy"


def _one_bit(ground: Ground) -> None:
    _flip(_array(ground), -3)


def _cut_array(ground: Ground) -> None:
    os.truncate(_array(ground), 100_000)


def _no_array(ground: Ground) -> None:
    _array(ground).unlink()


def _no_meta(ground: Ground) -> None:
    os.truncate(_array(ground).with_name("meta.json"), 20)


ARRAYS = (_one_bit, _cut_array, _no_array, _no_meta)


@pytest.mark.parametrize("spoil", ARRAYS, ids=lambda f: f.__name__.strip("_"))
def test_an_array_that_is_not_what_was_prepared_is_refused(
    done: Ground, undisturbed: Ground, spoil: Callable[[Ground], None]
) -> None:
    """No row is made from it; after the mend that the message names, the study is equal."""
    next(done.results.glob("*.jsonl")).unlink()
    spoil(done)
    assert_told(done.here(), "delete", "finance+sim@1")
    assert done.rows() == {}
    shutil.rmtree(_array(done).parent)
    ran = done.here()
    assert ran.returncode == 0, ran.stderr
    assert_equal(done, undisturbed)


def test_a_touched_or_copied_array_is_hashed_once(done: Ground, undisturbed: Ground) -> None:
    """Another time of change alone is no fault: the hash decides, and is then remembered."""
    meta = _array(done).with_name("meta.json")
    before = meta.read_text()
    os.utime(_array(done), (1, 1))
    ran = done.here()
    assert ran.returncode == 0, ran.stderr
    assert f"all {TRIALS} trials are done" in ran.stderr
    assert meta.read_text() != before
    assert_equal(done, undisturbed)


def test_rows_of_other_data_never_hide_those_of_this(done: Ground, undisturbed: Ground) -> None:
    """After data changed and came back, what the run between overwrote is made again, once."""
    meta = _array(done).with_name("meta.json")
    then = meta.read_text()
    kept = done.rows()
    meta.write_text(then.replace('"fingerprint": "', '"fingerprint": "0'))
    assert done.here().returncode == 0
    assert f"all {TRIALS} trials are done" in done.here().stderr
    assert all(
        row.data["finance+sim@1"].startswith("0") for row in done.rows().values() if row.trial.reuse
    )
    meta.write_text(then)
    assert "6 row(s) are trained again" in done.here().stderr
    assert_kept(done, kept)
    assert_equal(done, undisturbed)
    assert f"all {TRIALS} trials are done" in done.here().stderr
