"""Every command and snippet of README.md and docs is executed, word for word, page by page."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.docs.pages import (
    PAGES,
    REASONS,
    ROOT,
    Block,
    blocks,
    cut_of,
    loose_marks,
    parse,
    path_of,
    skeleton,
)

EVERY = ("README.md", *PAGES)
NOT_RUN = {
    "README.md": 2,
    "adding.md": 1,
    "index.md": 1,
    "joining.md": 1,
    "paper.md": 1,
    "tutorial.md": 1,
    "weights.md": 2,
}  # blocks, by page; the others run
# No network, the package of this tree first, and output as on a terminal of 100 columns
# (rich takes a dumb one to have 80).
NOWHERE = "http://127.0.0.1:9"


def _mine(folder: Path) -> None:
    """A file of a user's: two kinds of noisy waves of twelve people, a window a row."""
    draw, time = np.random.default_rng(1), np.arange(64) / 100
    names = [f"x_{t}" for t in range(64)]
    with (folder / "mine.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([*names, "y", "patient"])
        for row in range(400):
            wave = np.sin(2 * np.pi * ((4, 9)[row % 2] * time + draw.random()))
            noisy = wave + draw.normal(0, 0.5, 64)
            rows.writerow([*noisy.round(4), ("slow", "fast")[row % 2], f"p{draw.integers(12)}"])


GIVEN = {"mine.csv": _mine}


def _environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TSXFER_")}
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    shape = {"FORCE_COLOR": "1", "NO_COLOR": "1", "COLUMNS": "100", "TERM": "xterm"}
    return {**kept, **proxies, **shape, "PATH": path, "no_proxy": "", "NO_PROXY": ""}


def _run(block: Block, text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = ["bash", "-euo", "pipefail", "-c", text]
    if block.language == "python":
        program = [sys.executable, "-W", "error", "-c", text]
    return subprocess.run(
        program,
        cwd=folder,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )


def _execute(block: Block, folder: Path) -> None:
    """Run a block as the page gives it, or hold its mark to be true."""
    if "given" in block.marks:
        GIVEN[block.marks["given"]](folder)
    if "not run" in block.marks:
        _hold_to_the_mark(block, folder)
        return
    done = _run(block, block.text, folder)
    assert done.returncode == 0, f"{block.place} failed:\n{block.text}\n{done.stdout}"
    said = skeleton(done.stdout)
    missing = [line for line in skeleton(block.shown) if not any(map(cut_of(line), said))]
    assert not missing, f"{block.place} shows what is not printed: {missing}\n{done.stdout}"


def _hold_to_the_mark(block: Block, folder: Path) -> None:
    """What needs the network or real data must fail without, command by command."""
    if not REASONS[block.marks["not run"]]:
        return
    for command in filter(None, block.text.splitlines()):
        done = _run(block, command, folder)
        assert done.returncode != 0, f"{block.place}: stale mark, this runs: {command}"
        assert "Traceback" not in done.stdout, f"{block.place}: {command}\n{done.stdout}"


def _page(name: str, folder: Path, slow: bool) -> None:
    for block in blocks(name):
        if slow or "slow" not in block.marks:
            _execute(block, folder)


@pytest.mark.timeout(900)  # some 40 s of one core, on a machine that may be busy
@pytest.mark.parametrize("name", [n for n in EVERY if blocks(n)])
def test_a_page_runs_word_for_word(name: str, tmp_path: Path) -> None:
    """In an empty folder, from top to bottom, each block does what it says; slow ones left out."""
    _page(name, tmp_path, slow=False)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", [n for n in EVERY if any("slow" in b.marks for b in blocks(n))])
def test_a_page_with_slow_blocks_runs_word_for_word(name: str, tmp_path: Path) -> None:
    """The same with the blocks that take longer, in their places."""
    _page(name, tmp_path, slow=True)


def test_blocks_that_are_not_run_are_counted() -> None:
    """Each has a known reason, and there are no more of them than are counted here."""
    marked = [b for name in EVERY for b in blocks(name) if "not run" in b.marks]
    assert {b.marks["not run"] for b in marked} <= set(REASONS)
    found = {name: sum(b.page == name for b in marked) for name in EVERY}
    assert {name: count for name, count in found.items() if count} == NOT_RUN


def test_no_mark_stands_before_nothing() -> None:
    """A mark whose block has gone, or that something has slipped behind, is found."""
    assert {name: loose_marks(name) for name in EVERY if loose_marks(name)} == {}


def test_every_fence_has_a_language_that_is_known() -> None:
    """A block cannot escape by another name: it is run, shown output, or a file's content."""
    for name in EVERY:
        page = path_of(name).read_text(encoding="utf-8")
        opened = re.findall(r"^```(\S*)", page, flags=re.MULTILINE)[::2]
        assert set(opened) <= {"bash", "python", "text", "toml", "{eval-rst}", "{toctree}"}, name


def test_a_false_page_is_found_out(tmp_path: Path) -> None:
    """A failing block, a stale mark and output that is not printed each fail."""
    for page, message in (
        ("```bash\ntsxfer lits\n```\n", "failed"),
        ("<!-- not run: needs the network -->\n```bash\ntrue\n```\n", "stale mark"),
        ("```bash\necho one\n```\n\n```text\ntwo\n```\n", "shows what is not printed"),
    ):
        (block,) = parse("false.md", page)
        with pytest.raises(AssertionError, match=message):
            _execute(block, tmp_path)


@pytest.mark.parametrize("place", [path_of("leaks.md"), ROOT / "tests/faults/README.md"])
def test_tests_that_hold_leaks_and_faults_exist(place: Path) -> None:
    """Each test named on the page about leaks, or beside a mended fault, is defined in tests."""
    page = place.read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    code = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "tests").rglob("test_*.py"))
    defined = set(re.findall(r"^def (test_\w+)\(", code, flags=re.MULTILINE))
    assert len(named) > 10
    assert named <= defined, named - defined


def test_every_command_is_on_its_page() -> None:
    """The table of commands leaves none out and invents none."""
    from tsxfer.cli.app import app

    known = {
        c.name or c.callback.__name__.rstrip("_") for c in app.registered_commands if c.callback
    }
    rows = re.findall(r"^\| (`tsxfer.*?) \|", path_of("commands.md").read_text(), re.MULTILINE)
    listed = {
        word.split()[0] for row in rows for word in re.findall(r"`(?:tsxfer )?(\w[^`]*)`", row)
    }
    assert listed == known


def test_links_lead_somewhere() -> None:
    """Paths in all pages, those at the root too, and repository addresses are files of it."""
    site = "https://github.com/tsxfer/tsxfer/blob/main/"
    at_root = [ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"]
    for path in (*map(path_of, EVERY), *at_root):
        for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8")):
            if target.startswith("http") and not target.startswith(site):
                continue
            place = ROOT / target[len(site) :] if target.startswith(site) else path.parent / target
            assert place.exists() or place.name == "reference.md", f"{path.name}: {target}"
