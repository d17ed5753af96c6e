"""From blocks of a reader or a simulator to memory-mapped arrays with a fingerprint."""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import shutil
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.cautions import Caution
from tsxfer.data.arrays import read_array
from tsxfer.data.card import Card, Dataset
from tsxfer.data.series import Series
from tsxfer.data.whole import lacking
from tsxfer.errors import DataError
from tsxfer.keys import stream
from tsxfer.store.workspace import unique, write_whole

# In the order in which they are hashed; the last is there where data has an official split.
ARRAYS = ("x", "y", "group", "start", "end", "part")

PARTIAL = ".partial"  # of the folder of all data sets: what is being prepared
DAY, PATIENCE = 86_400.0, 100  # seconds; tries against processes that do the same
VERBS = ("resampled", "cropped", "padded")
DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prepared data set on disk.

    Attributes:
        card: Its card.
        folder: Where its arrays lie.
        fingerprint: First 16 hexadecimal digits of the sha256 over windows, labels, groups, times.
        classes: Class names found in the files, sorted; empty for regression.
        count: Instances.
        notes: What preparation did to the windows, e.g. ``padded 3``.
    """

    card: Card
    folder: Path
    fingerprint: str
    classes: tuple[str, ...]
    count: int
    notes: tuple[str, ...]

    def array(self, name: str) -> NDArray[Any]:
        """``x`` float32 (n, channel, time); ``y`` codes or numbers; ``group``; ``start``; ``end``.

        And ``part``, ``train`` or ``test``, where the data has an official split.

        Raises:
            DataError: If the file is damaged.
        """
        mend = f"delete {self.folder} and prepare {self.card.name} again"
        return read_array(self.folder / f"{name}.npy", mend=mend, mapped="r")


def load(dataset: Dataset, folder: Path) -> Prepared | None:
    """What is prepared in `folder`, or None.

    Raises:
        DataError: If the folder is damaged.
    """
    facts = folder / "meta.json"
    if not facts.exists():
        return None
    try:
        meta = json.loads(facts.read_text(encoding="utf-8"))
        if not isinstance(meta, dict):
            raise TypeError("it is no table")
        _refuse_changed(folder, meta, dataset)
        return Prepared(
            _labelled(dataset.card, str(meta.get("lacks", ""))),
            folder,
            str(meta["fingerprint"]),
            tuple(map(str, meta["classes"])),
            int(meta["count"]),
            tuple(map(str, meta["notes"])),
        )
    except DAMAGE as error:
        raise DataError(
            f"the prepared data is damaged: {error}",
            where=str(facts),
            mend=f"delete {folder} and prepare {dataset.card.name} again",
        ) from None


def _labelled(card: Card, lacks: str) -> Card:
    """The card of data that is a part of the publisher's: every row made from it says so."""
    if not lacks:
        return card
    return replace(card, warnings=(*card.warnings, Caution.INCOMPLETE.of(f"{card.id} has {lacks}")))


def _refuse_changed(folder: Path, meta: dict[str, Any], dataset: Dataset) -> None:
    """Arrays whose size and time are those of their preparation are trusted, others hashed."""
    then, now, name = meta.get("arrays"), _stats(folder), dataset.card.name
    if then is None or then == now:
        return
    if not isinstance(then, dict):
        raise TypeError("arrays is no table")
    same_sizes = {n: s for n, (s, _) in then.items()} == {n: s for n, (s, _) in now.items()}
    if not same_sizes or fingerprint(folder) != meta["fingerprint"]:
        raise DataError(
            f"the arrays of {dataset.card.id} are not those that were prepared",
            where=str(folder),
            mend=f"delete {folder}, then "
            + (
                "run again: it is simulated again" if dataset.simulate else f"tsxfer prepare {name}"
            ),
        )
    with suppress(OSError):  # copied or touched: remember, so that it is not hashed each time
        write_whole(folder / "meta.json", json.dumps(meta | {"arrays": now}, indent=1))


def fingerprint(folder: Path) -> str:
    """The fingerprint of the arrays in a folder, from their content as it lies there."""
    digest = hashlib.sha256()
    for name in ARRAYS:
        path = folder / f"{name}.npy"
        if name == "part" and not path.exists():
            continue
        array = read_array(path, mend="prepare the data set again", mapped="r")
        for part in np.array_split(array, max(1, array.nbytes >> 24)):
            digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()[:16]


def _stats(folder: Path) -> dict[str, list[int]]:
    """Size in bytes and time of change in nanoseconds of each array."""
    found = [(name, folder / f"{name}.npy") for name in ARRAYS]
    return {n: [p.stat().st_size, p.stat().st_mtime_ns] for n, p in found if p.exists()}


def simulate(dataset: Dataset, folder: Path) -> Prepared:
    """Make a simulated data set; its numbers depend on its versioned name alone."""
    if dataset.simulate is None:
        raise DataError(f"{dataset.card.id} has no simulator")
    made = dataset.simulate(dataset.card.count, stream("simulate", dataset.card.id))
    return prepare(dataset, [made], folder)


def prepare(
    dataset: Dataset,
    blocks: Iterable[Series],
    folder: Path,
    progress: Callable[[int], None] = lambda _: None,
    beside: Mapping[str, str] = MappingProxyType({}),
    notes: Iterable[str] = (),
) -> Prepared:
    """Resample, crop or pad every block, and write it; memory stays at a few blocks.

    Blocks are read in this thread while others resample those before: both let go of the GIL.

    The folder appears in one step at the end, so a killed preparation leaves nothing half done, and
    of several processes that prepare the same the last one's stays, whole.

    Args:
        dataset: Whose card says what windows must be.
        blocks: Of a reader.
        folder: Where the arrays will lie.
        progress: Is told how many instances were read.
        beside: Further text files of the folder, by name.
        notes: What is to be said of the windows, beside what preparing does to them.

    Raises:
        DataError: If the rate or the channels are not the card's, or a class stays empty.
    """
    parts = folder.parent / PARTIAL / f"{folder.name}.{unique()}"
    _sweep(parts.parent)
    parts.mkdir(parents=True)
    try:
        _fill(parts, dataset.card, blocks, progress, tuple(notes))
        for name, text in beside.items():
            (parts / name).write_text(text, encoding="utf-8")
        _put(parts, folder)
    finally:
        shutil.rmtree(parts, ignore_errors=True)  # a full disk gets its space back
    return _just_put(dataset, folder)


def _just_put(dataset: Dataset, folder: Path) -> Prepared:
    """What is prepared now: nothing for a moment, while another process puts its own there."""
    for _ in range(PATIENCE):
        with suppress(DataError):  # arrays of one, facts of the other
            if (found := load(dataset, folder)) is not None:
                return found
        time.sleep(0.05)
    found = load(dataset, folder)
    if found is None:
        raise DataError(
            f"{dataset.card.id} was prepared, and another process took it away again",
            where=str(folder),
            mend="run the command again",
        )
    return found


def _put(parts: Path, folder: Path) -> None:
    """Give a whole folder its name; what has the name already goes, whoever put it there."""
    for _ in range(PATIENCE):
        with suppress(OSError):  # not there, or another process moved it first
            folder.rename(parts.with_name(f"{parts.name}.{unique()}.old"))
        try:
            parts.rename(folder)
            break
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
    for old in parts.parent.glob(f"{glob.escape(parts.name)}.*.old"):
        shutil.rmtree(old, ignore_errors=True)


def _sweep(place: Path) -> None:
    """Remove what preparations that were killed left behind more than a day ago."""
    for left in place.glob("*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > DAY:
                shutil.rmtree(left, ignore_errors=True)


def _fill(
    parts: Path,
    card: Card,
    blocks: Iterable[Series],
    progress: Callable[[int], None],
    said: tuple[str, ...],
) -> None:
    columns: list[dict[str, NDArray[Any]]] = []
    changed, done = Counter[str](), 0
    digest = hashlib.sha256()
    with (parts / "x.npy").open("wb") as out:
        _head(out, 0, card)
        for block, windows, changes in _converted(blocks, card):
            out.write(windows.data)
            digest.update(windows.data)
            columns.append(_columns(block))
            changed.update(dict.fromkeys(changes, len(windows)))
            done += len(windows)
            progress(done)
        out.seek(0)
        _head(out, done, card)
    if not columns:
        raise DataError(f"{card.name}: the reader found no instance", mend=card.manual)
    merged = {name: np.concatenate([c[name] for c in columns]) for name in columns[0]}
    notes = [*said, *(f"{verb} {changed[verb]}" for verb in VERBS if changed[verb])]
    _write(parts, card, merged, notes, digest)


def _head(out: BinaryIO, count: int, card: Card) -> None:
    """The header of the windows; numpy leaves room in it, so that any count takes as many bytes."""
    shape = (count, len(card.channels), card.length)
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(out, header)


def _converted(
    blocks: Iterable[Series], card: Card
) -> Iterator[tuple[Series, NDArray[np.float32], list[str]]]:
    """Blocks in their order with their windows and what was done to those."""
    workers = 2  # one core's worth of reading feeds no more
    waiting: deque[tuple[Series, Future[tuple[NDArray[np.float32], list[str]]]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for block in blocks:
            waiting.append((block, pool.submit(_windows, block, card)))
            if len(waiting) > workers:
                first, future = waiting.popleft()
                yield first, *future.result()
        for first, future in waiting:
            yield first, *future.result()


def _windows(block: Series, card: Card) -> tuple[NDArray[np.float32], list[str]]:
    wanted = card.file_rate_hz or card.rate_hz
    if not np.isclose(block.rate_hz, wanted, rtol=1e-6):
        raise DataError(
            f"{card.name}: sampling rate is {block.rate_hz:g} Hz, the card says {wanted:g} Hz",
            where=f"block that starts with {block.uid[0]}",
            mend="resample the files to the card's rate",
        )
    if block.x.shape[1] != len(card.channels):
        raise DataError(
            f"{card.name}: {block.x.shape[1]} channels, the card names {len(card.channels)}",
            where=f"block that starts with {block.uid[0]}",
            mend=f"give {', '.join(card.channels)}",
        )
    x, changes = block.x, list[str]()
    if not np.isclose(wanted, card.rate_hz):
        x = resampled(x, wanted, card.rate_hz)
        changes.append("resampled")
    if x.shape[2] > card.length:
        changes.append("cropped")
        x = x[:, :, : card.length]
    elif x.shape[2] < card.length:
        changes.append("padded")
        x = np.pad(x, ((0, 0), (0, 0), (0, card.length - x.shape[2])))
    return np.ascontiguousarray(x, np.float32), changes


def resampled(x: NDArray[np.float32], given: float, wanted: float) -> NDArray[np.float32]:
    """Windows at another rate, with librosa.

    A few windows at a time: many at once fall out of the processor's cache.

    Args:
        x: ``(n, channel, time)``.
        given: Rate in Hz.
        wanted: Rate in Hz.
    """
    import librosa

    return np.concatenate(
        [
            librosa.resample(x[at : at + 32], orig_sr=given, target_sr=wanted, axis=-1)
            for at in range(0, len(x), 32)
        ]
    )


def _columns(block: Series) -> dict[str, NDArray[Any]]:
    unknown = np.full(len(block), np.nan)
    part = {} if block.part is None else {"part": block.part}
    return {
        "y": block.y,
        "group": block.group,
        "start": unknown if block.time_start is None else block.time_start,
        "end": unknown if block.time_end is None else block.time_end,
        **part,
    }


def _write(
    parts: Path,
    card: Card,
    columns: dict[str, NDArray[Any]],
    notes: list[str],
    digest: hashlib._Hash,
) -> None:
    """The arrays beside the windows, whose hash goes on, and the facts."""
    classes: list[str] = []
    if card.task == "classification":
        names, columns["y"] = np.unique(columns["y"], return_inverse=True)
        classes = [str(name) for name in names]
    else:
        columns["y"] = columns["y"].astype(np.float32)
    for name, column in columns.items():
        np.save(parts / f"{name}.npy", column, allow_pickle=False)
        digest.update(np.ascontiguousarray(column).tobytes())
    meta = {
        "arrays": _stats(parts),
        "dataset": card.id,
        "fingerprint": digest.hexdigest()[:16],
        "classes": classes,
        "count": len(columns["y"]),
        "groups": len(np.unique(columns["group"])),
        "notes": notes,
        "lacks": lacking(card.whole, columns, classes, card.group),
    }
    (parts / "meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")
