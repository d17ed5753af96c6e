"""Blocks of the pages as a reader meets them, with the marks that stand before them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = tuple(sorted(p.name for p in (ROOT / "docs").glob("*.md") if p.name != "reference.md"))
RUN = ("bash", "python")
# What may keep a block from being run, and whether running it here must fail.
REASONS = {
    "needs the network": True,
    "needs real data": True,
    "installs": False,  # it would change the environment of the tests
}
MARK = re.compile(r"<!-- (not run|slow|given): (.+?) -->")
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        page: File, relative to the repository.
        line: Of its fence.
        language: Word behind the fence.
        text: What it holds.
        marks: Kind to reason, of the comments right before it.
        shown: Output that the page shows right behind it, empty for none.
    """

    page: str
    line: int
    language: str
    text: str
    marks: dict[str, str]
    shown: str = ""

    @property
    def place(self) -> str:
        """Where an editor finds it."""
        return f"{self.page}:{self.line}"


def path_of(name: str) -> Path:
    """README.md lies at the root, every other page in docs."""
    return ROOT / name if name == "README.md" else ROOT / "docs" / name


def blocks(name: str) -> list[Block]:
    """Blocks that are run, each with the output that is shown for it."""
    return parse(name, path_of(name).read_text(encoding="utf-8"))


def parse(name: str, page: str) -> list[Block]:
    """The same for a text."""
    found: list[Block] = []
    end = 0
    for match in FENCE.finditer(page):
        between, language = page[end : match.start()], match[1]
        marks = dict(MARK.findall(_last_comments(between)))
        line = page.count("\n", 0, match.start()) + 1
        if language == "text" and found and not between.strip():
            found[-1] = Block(**{**vars(found[-1]), "shown": match[2]})
        elif language in RUN:
            found.append(Block(name, line, language, match[2], marks))
        end = match.end()
    return found


def _last_comments(before: str) -> str:
    """The comments that end a text, without anything between them and its end."""
    ending = re.search(r"(?:<!--(?:(?!-->).)*-->\s*)+$", before, re.DOTALL)
    return ending[0] if ending else ""


def loose_marks(name: str) -> int:
    """Marks of a page that stand before no block that is run."""
    page = path_of(name).read_text(encoding="utf-8")
    return len(MARK.findall(page)) - sum(len(block.marks) for block in blocks(name))


def skeleton(text: str) -> list[str]:
    """Lines without what differs between machines: numbers, verdicts, colours, spaces."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "\n")
    plain = re.sub(r"[▲△≈▼?] (better|not worse|equivalent|worse|undecided)", "VERDICT", plain)
    plain = re.sub(r"@[0-9a-f]{8}\b", "@HASH", plain)
    plain = re.sub(r"[-+]?\d[\d.,]*", "#", plain)
    return [line for line in (" ".join(row.split()) for row in plain.splitlines()) if line]


def cut_of(shown: str) -> Callable[[str], bool]:
    """Whether a printed line is the shown one, whose end may be left out with "..."."""
    start = shown.removesuffix("...").rstrip()
    return lambda line: line == shown or (shown.endswith("...") and line.startswith(start))
