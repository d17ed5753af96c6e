"""LaTeX: long tables that a paper can use as they are, with every caveat."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.rows import noise, study
from tsxfer.report import latex
from tsxfer.report.build import Report, build
from tsxfer.report.headline import warnings
from tsxfer.report.sections import sections

LABELS = ("simulated", "leaky split", "free validation labels", "exploratory")
PAPER = (
    r"\documentclass{article}\usepackage[margin=2cm]{geometry}"
    r"\usepackage{booktabs,longtable,array,amssymb}\begin{document}\input{table}\end{document}"
)


@pytest.fixture(scope="module")
def report() -> Report:
    """A comparison with caveats of every kind: labels, repeats at chance, a failed run, a gap."""
    a, b = 0.5 + 0.01 * noise(0, (2, 7))
    a[1] = 0.01
    trials, rows = study(7, a.tolist(), (b + 0.1).tolist(), labels=LABELS)
    broken = trials[-1].key
    rows[broken] = replace(rows[broken], status="failed", error="out of memory_100%", scores={})
    return build("demo", trials, rows, partial=True)


def test_no_caveat_is_dropped(report: Report) -> None:
    """Each warning of the study, each note, n, labels, margin and the failed run are there."""
    page = latex.render(report)
    bare = page.replace(r"\allowbreak{}", "").replace("\\", "")
    for words in ("SIMULATED DATA", "LEAKY SPLIT", "FREE LABELS", "EXPLORATORY", "INCOMPLETE",
                  "AT CHANCE", "FAILED RUNS", "out of memory_100%", "margin 0.020",
                  "1500"):  # fmt: skip
        assert words in bare, words
    assert len(warnings(report)) >= 7
    (row,) = [line for line in page.splitlines() if line.startswith("speech")]
    cells = row.removesuffix(r" \\").split(" & ")
    assert len(cells) == len(latex.RESULT)
    assert (cells[2], cells[3], cells[-1]) == ("1500", "6", "a")
    assert re.search(r"\\noindent a: .*scratch at chance in repeat 1 of 6", page)


def test_every_row_has_the_columns_of_its_table(report: Report) -> None:
    """A long table's rows have as many cells as its head, and widths that fill a line."""
    for block in re.findall(
        r"\\begin\{longtable\}.*?\\end\{longtable\}", latex.render(report), re.S
    ):
        widths = [float(w) for w in re.findall(r"p\{([\d.]+)\\dimexpr", block)]
        assert sum(widths) == pytest.approx(1, abs=0.01)
        lines = [x for x in block.splitlines() if x.endswith(r"\\") and "caption" not in x]
        assert {len(re.split(r"(?<!\\)&", line)) for line in lines} == {len(widths)}


def test_tables_beside_it_follow(report: Report) -> None:
    """What was planned and has no score is a table of its own."""
    titles = {section.title for section in sections(report)}
    page = latex.render(report)
    assert "Missing and failed" in titles
    assert page.count(r"\begin{longtable}") == 1 + len(titles & set(latex.APART))


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no pdflatex on this machine")
def test_a_paper_can_use_it_as_it_is(report: Report, tmp_path: Path) -> None:
    """A document that loads the named packages compiles, and no line runs over its margin."""
    (tmp_path / "table.tex").write_text(latex.render(report), encoding="utf-8")
    (tmp_path / "paper.tex").write_text(PAPER, encoding="utf-8")
    run = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-2000:]
    assert "Overfull" not in run.stdout
