"""Which windows have a label: empty cells, ``-999``, and words such as ``NA`` and ``unknown``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.description import Description
from tsxfer.own.dialect import EMPTY, number
from tsxfer.own.sentinels import KNOWN

NAMELESS = EMPTY - {""} | {"-", "--", ".", "unknown", "missing", "undefined", "unk", "not known"}
ENDINGS = {"?", "unknown", "undefined", "unk"}  # last words of such names
CODE = re.compile(r"^0\d")  # 01 is a code, not 1
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Known:
    """Labels as far as they are known.

    Attributes:
        kept: ``(n,)`` windows whose label is known.
        y: ``(kept,)`` their labels: numbers where all are.
        notes: What was left out, and which class may mean that nothing is known.
    """

    kept: Mask
    y: NDArray[Any]
    notes: tuple[str, ...]


def known(
    y: NDArray[Any], described: Description, task: str, rows: NDArray[np.str_], column: str
) -> Known:
    """Labels that are known; windows without one are left out by ``--missing drop``.

    Args:
        y: ``(n,)`` numbers or text.
        described: ``nan``, ``missing`` and ``ignore`` settle it.
        task: What the user or the file says is learned; "" where neither does.
        rows: ``(n,)`` what messages call the windows.
        column: Name of the label.

    Raises:
        DataError: For labels that are missing, or numbers that seem to stand for missing ones,
            where nothing was said.
    """
    without, words = missing(y), _words(y)
    numeric = task != "classification" and _numbers_beside(y, ~(without | words))
    told = words if numeric else words & np.isin(y.astype(np.str_), described.ignore)
    absent = _absent(y, described, rows, column)
    asked = without | absent | (words & numeric)
    if described.missing != "drop":
        _refuse(asked, y, rows, column)
    kept = ~(asked | told)
    if not kept.any():
        raise DataError(f"no window has a label ({column})", where=str(rows[0]), mend="fill it in")
    rest = y[kept].astype(np.float64) if numeric and words.any() else y[kept]
    return Known(kept, rest, (*_left_out(y, ~kept, column), *_doubtful(rest)))


def missing(y: NDArray[Any]) -> Mask:
    """Cells that hold nothing."""
    if y.dtype.kind == "f":
        return np.asarray(np.isnan(y))
    if y.dtype.kind in "US":
        return np.asarray(np.char.strip(y.astype(np.str_)) == "")
    return np.zeros(len(y), np.bool_)


def _words(y: NDArray[Any]) -> Mask:
    """Labels that read as words for what nobody knows."""
    if y.dtype.kind not in "US":
        return np.zeros(len(y), np.bool_)
    names, at = np.unique(y.astype(np.str_), return_inverse=True)
    return np.array([_is_nameless(name.strip().lower()) for name in names.tolist()])[at]


def _is_nameless(name: str) -> bool:
    """Whether a name says that nobody knows, such as ``NA`` and ``sleep stage ?``."""
    return name in NAMELESS or name.rpartition(" ")[2] in ENDINGS


def _numbers_beside(y: NDArray[Any], rest: Mask) -> bool:
    """Whether all other labels, written as text, are numbers."""
    if y.dtype.kind not in "US" or not rest.any():
        return False
    return all(number(v) is not None and not CODE.match(v) for v in np.unique(y[rest]).tolist())


def _absent(y: NDArray[Any], described: Description, rows: NDArray[np.str_], column: str) -> Mask:
    """Labels that are the number which stands for missing ones.

    Raises:
        DataError: If one seems to be, and nothing was said of it.
    """
    hit = _is(y, _said(described))
    numeric = described.nan != "none" and y.dtype.kind in "iuf"
    value = _outermost(y[~hit]) if numeric else None
    if value is None:
        return hit
    far = _is(y, value)
    drop = f"say --nan {value:g} --missing drop, which leaves those windows out"
    raise DataError(
        f"the label {value:g} of {int(far.sum())} of {len(far)} windows ({column}) is far from all "
        "others: does it stand for what is missing?",
        where=f"first in {rows[int(np.argmax(far))]}",
        mend=f"if it does, {'remove those rows' if described.nan else drop}; if it is a label, "
        "--nan none",
    )


def _said(described: Description) -> float | None:
    """The number of ``--nan``, where programs write it for nothing: 0 is a class, too."""
    if described.nan in ("", "none"):
        return None
    value = float(described.nan)
    return value if np.isclose(value, KNOWN, rtol=1e-6, atol=0).any() else None


def _is(y: NDArray[Any], value: float | None) -> Mask:
    """Labels that are one number, also where it stands among words."""
    if value is None:
        return np.zeros(len(y), np.bool_)
    if y.dtype.kind in "iuf":
        return np.asarray(np.isclose(y.astype(np.float64), value, rtol=1e-6, atol=0))
    return np.array([number(str(cell)) == value for cell in y.tolist()], np.bool_)


def _outermost(y: NDArray[Any]) -> float | None:
    """The least or largest label, where programs write it for nothing and no other is near.

    Near is within the range of all others: labels have no extremes of windows to be held against.
    """
    values = np.unique(y[np.isfinite(y)].astype(np.float64))
    for value, rest in ((values[0], values[1:]), (values[-1], values[:-1])) if len(values) else ():
        nines = np.isclose(value, KNOWN, rtol=1e-6, atol=0).any()
        if nines and len(rest) and np.abs(rest - value).min() > np.ptp(rest):
            return float(value)
    return None


def _refuse(asked: Mask, y: NDArray[Any], rows: NDArray[np.str_], column: str) -> None:
    if asked.any():
        found = sorted({repr(str(v)) for v in y[asked].tolist() if str(v).strip()} - {"'nan'"})
        said = f"; what stands there: {', '.join(found[:4])}" if found else ""
        raise DataError(
            f"{int(asked.sum())} of {len(asked)} windows have no label ({column}{said})",
            where=f"first in {rows[int(np.argmax(asked))]}",
            mend="--missing drop leaves those windows out; or fill the label in"
            + (" (or say --task classification, if it is a class)" if found else ""),
        )


def _left_out(y: NDArray[Any], out: Mask, column: str) -> tuple[str, ...]:
    if not out.any():
        return ()
    found = sorted({repr(str(v)) if str(v).strip() else "empty" for v in y[out].tolist()})
    return (f"{int(out.sum())} windows without a label ({column} {', '.join(found)}): left out",)


def _doubtful(y: NDArray[Any]) -> tuple[str, ...]:
    """Classes whose names say that nobody knows the class."""
    names, counts = np.unique(y[_words(y)], return_counts=True)
    if not len(names):
        return ()
    said = ", ".join(f"{n!r} ({c} windows)" for n, c in zip(names.tolist(), counts, strict=True))
    return (
        f"{said}: taken as {'a class' if len(names) == 1 else 'classes'} by that name; if it means "
        f"that the label is not known, --ignore {','.join(names.tolist())} leaves those windows "
        "out",
    )
