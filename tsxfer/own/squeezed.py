"""Texts whose cells stand in columns, with several blanks between two of them."""

from __future__ import annotations

import io
import re
from typing import Any

BLANKS, EDGES = re.compile(rb" {2,}"), re.compile(rb"(?m)^ +| +(?=\r?$)")


class Squeezed(io.RawIOBase):
    """A text whose cells stand in columns, with one blank between two of them.

    Args:
        raw: What gives its bytes.
    """

    def __init__(self, raw: Any) -> None:
        super().__init__()
        self._raw, self._ahead = raw, b""

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """About as many bytes as are asked for, in whole lines; fewer at the end."""
        text = self._ahead + self._raw.read(size if size >= 0 else None)
        while (end := text.rfind(b"\n") + 1) == 0 and (more := self._raw.read(max(size, 1))):
            text += more
        whole, self._ahead = (text[:end], text[end:]) if end else (text, b"")
        return BLANKS.sub(b" ", EDGES.sub(b"", whole))
