"""Strategies that make hostile bytes, texts and plain values out of good ones."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

TOKENS = (
    b"", b"\x00", b"\xff\xfe", b"nan", b"-inf", b"1e309", b"-1", b"0", b"9" * 400, b"9" * 5000,
    b"\n", b"\r", b",", b"\t", b'"', b"'", b"{}", b"[]", b"null", b"true", b"=1+1", b"\x1b[31m",
    b"[" * 3000, b'{"a":' * 3000, b"../../etc/passwd", "é".encode("latin-1"), b"\xed\xa0\x80",
)  # fmt: skip
NAMES = st.text(
    st.characters(exclude_categories=())
    | st.sampled_from("\\\"'<>&{}[]()$%#_^~=+-@|`*!;\x1b\n\r\t"),
    min_size=1, max_size=30,
) | st.sampled_from((
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg onload=alert(1)>",
    "=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "|cmd", "../../x",
    "\\input{/etc/passwd}", "$\\write18{id}$", "^^5cinput", "[1cm]", "*", "%", "\x1b]0;x\x07",
    "\x1b[2J", "\x9b31m", "a\u202eb", "a\u2028b", "\ud800", "[x](javascript:alert(1))", "![x](//y)",
    "`x`", "|a|b|", "[red]x[/red]", "{{ 7*7 }}", "{% raw %}", "a\0b", "",
))  # fmt: skip

scalars: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | NAMES
    | st.sampled_from((10**18, -(10**18), 10**400, 1e308, float("nan"), float("inf"), "9" * 5000))
)  # fmt: skip
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)


@dataclass(frozen=True)
class Damage:
    """Cuts, swaps and insertions; what is shown when an attack succeeds.

    Attributes:
        edits: ``(position, bytes taken out, bytes put in)``.
        keep: Bytes kept at the end; None keeps all.
    """

    edits: tuple[tuple[int, int, bytes], ...]
    keep: int | None

    def of(self, good: bytes) -> bytes:
        """Good bytes, damaged."""
        out = bytearray(good)
        for at, taken, put in self.edits:
            out[at : at + taken] = put
        return bytes(out[: self.keep])


def damage(good: bytes) -> st.SearchStrategy[Damage]:
    """Damage to these bytes; half of it near the start, where headers are."""
    at = st.integers(0, len(good)) | st.integers(0, min(len(good), 256))
    taken = st.sampled_from((0, 1, 2, 4, 8, 64))
    edit = st.tuples(at, taken, st.sampled_from(TOKENS) | st.binary(max_size=16))
    edits = st.lists(edit, min_size=1, max_size=4).map(tuple)
    return st.builds(Damage, edits, st.none() | st.none() | st.integers(0, len(good)))


@st.composite
def changed(draw: st.DrawFn, good: Any, value: st.SearchStrategy[Any] = values) -> Any:
    """Nested plain data with a few of its values replaced, removed or added to."""
    made = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 3))):
        holder, where = _place(draw, made)
        what = draw(st.sampled_from(("replace", "replace", "replace", "remove", "add")))
        if what == "remove":
            del holder[where]
        elif what == "add" and isinstance(holder, dict):
            holder[draw(NAMES)] = draw(value)
        else:
            holder[where] = draw(value)
        if not made:
            break
    return made


def _place(draw: st.DrawFn, holder: Any) -> tuple[Any, Any]:
    """A dict or list inside, and a key or index of it."""
    while True:
        where = draw(
            st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder)))
        )
        inner = holder[where]
        if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
            return holder, where
        holder = inner
