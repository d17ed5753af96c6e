"""Names, labels, notes and errors that mean harm, through every format of a report."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from rich.console import Console

from tests.attacks.guard import LEVELS, attack
from tests.attacks.mutations import NAMES, changed
from tests.rows import noise, study
from tsxfer import __version__
from tsxfer.errors import TsxferError
from tsxfer.report import build, export, files, html, latex, text
from tsxfer.store.rows import Store, from_record, to_line

pytestmark = pytest.mark.filterwarnings("ignore")
ALLOWED_TAGS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "div", "table",
    "thead", "tbody", "tr", "th", "td", "a", "section", "details", "summary", "figure",
    "figcaption", "svg", "text", "line", "circle", "rect", "polygon", "polyline", "path", "g",
    "code", "ul", "li", "strong", "br", "defs", "tspan", "clippath", "lineargradient", "stop",
    "script", "label", "input", "select", "option", "span",
}  # fmt: skip
MARKDOWN = re.compile(r"\\(?=[!-/:-@\[-`{-~])|\\\\")


def _report(evil: str) -> build.Report:
    """A report whose every text is hostile; what does not fit a name is put into other fields."""
    a, b = 0.5 + 0.01 * noise(0, (2, 4))
    trials, rows = study(
        4, a.tolist(), (b + 0.1).tolist(), target=f"{evil}@1", source=f"{evil}@2", labels=(evil,)
    )
    proof = {
        part: dict.fromkeys(("train", "validation", "test"), 1) for part in ("instances", "groups")
    }
    rows = {
        key: replace(
            row,
            split=proof | {"shared_groups": 1, "purged": 0},
            environment={evil: evil},
            cost={"device": evil},
        )
        for key, row in rows.items()
    }
    broken = trials[-1].key
    rows[broken] = replace(rows[broken], status="failed", error=evil, scores={})
    return build.build(evil, trials, rows, partial=True)


def _terminal(report: build.Report, width: int) -> str:
    out = io.StringIO()
    text.show(report, Console(file=out, width=width, force_terminal=False))
    return out.getvalue()


def _no_control(page: str) -> None:
    odd = {
        c for c in page if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    }
    assert not odd, odd


def _check_csv(page: str) -> None:
    """A spreadsheet runs nothing: no cell begins like a formula unless it is a number."""
    records = list(csv.reader(io.StringIO(page)))
    assert {len(record) for record in records} == {len(records[0])}
    for cell in (cell for record in records for cell in record):
        if cell.strip()[:1] in tuple("=+-@＝＋－＠"):
            float(cell)


def _check_markdown(page: str) -> None:
    """Without what is escaped, no markup is left; every table row has the columns of its header."""
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", page)
    assert not re.search(r"[<`]|\]\(", bare)
    for block in re.findall(r"(?:^\|.*\n)+", bare, re.MULTILINE):
        assert len({line.count("|") for line in block.splitlines()}) == 1


def _check_latex(page: str) -> None:
    """Without the commands that tsxfer writes itself, no special character is left."""
    body = page.partition("\\begingroup")[2]
    known = (
        "begin", "end", "caption", "linewidth", "toprule", "midrule", "bottomrule", "endhead",
        "endfirsthead", "endfoot", "begingroup", "endgroup", "scriptsize", "setlength", "tabcolsep",
        "LTcapwidth", "raggedright", "arraybackslash", "dimexpr", "relax", "multicolumn", "textit",
        "noindent", "par", "nopagebreak", "allowbreak", "ldots", "emptyset", "gets", "usepackage",
        "textbackslash", "textasciitilde", "textasciicircum", "pm", "times", "to",
        "uparrow", "downarrow", "blacktriangle", "vartriangle", "approx", "blacktriangledown",
    )  # fmt: skip
    commands = set(re.findall(r"\\([a-zA-Z]+)", body.replace(r"\\", "")))
    assert commands <= set(known), commands - set(known)
    assert "^" not in body.replace(r"\textasciicircum{}", "")
    assert not re.search(r"(?<!\\)[#~]", body)
    rows = body.partition(r"\endfoot")[2].partition(r"\end{longtable}")[0]
    assert not re.search(r"(?:^|\\\\)\s*[\[*]", rows, re.MULTILINE)
    bare = re.sub(r"\\[{}\\]", "", rows)
    assert bare.count("{") == bare.count("}")


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))


def _check_html(page: str) -> None:
    """Only the page's own tags and script, no handler of events, and links to inside the page."""
    parser = _Tags()
    parser.feed(page)
    assert {tag for tag, _ in parser.found} <= ALLOWED_TAGS
    assert page.count("<script>") == 1
    script = page.partition("<script>")[2].partition("</script>")[0]
    assert script == (Path(html.__file__).parent / "page.js").read_text("utf-8").strip()
    for _, attributes in parser.found:
        for name, value in attributes:
            assert not name.startswith("on"), name
            assert name not in ("src", "srcdoc", "formaction"), name
            assert name != "href" or (value or "").startswith("#")
            assert "javascript:" not in (value or "") or name == "aria-label"


FORMS: dict[str, tuple[Callable[[build.Report], str], Callable[[str], object]]] = {
    "wide terminal": (lambda r: _terminal(r, 220), _no_control),
    "narrow terminal": (lambda r: _terminal(r, 80), _no_control),
    "markdown": (files.markdown, _check_markdown),
    "csv": (files.table_csv, _check_csv),
    "latex": (latex.render, _check_latex),
    "html": (html.render, _check_html),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("level", LEVELS)
def test_no_format_obeys_what_names_hold(form: str, level: int, tmp_path: Path) -> None:
    """HTML, LaTeX, Markdown, terminal escapes and formulas come out as text."""
    render, harmless = FORMS[form]

    def check(evil: str) -> None:
        page = render(_report(evil))
        _no_control(page)
        harmless(page)

    attack(f"names in {form}", level, tmp_path, NAMES, check, examples=30)


@pytest.mark.parametrize("level", LEVELS)
def test_figures_and_parquet_take_any_name(level: int, tmp_path: Path) -> None:
    """Both are written, into their folder, whatever names hold."""

    def check(evil: str) -> None:
        report = _report(evil)
        export.parquet(report)
        export.figures(replace(report, comparisons=report.comparisons[:1]), tmp_path / "figures")

    attack("names in figures", level, tmp_path, NAMES, check, examples=2)


def test_half_a_character_is_no_end_of_a_report() -> None:
    """JSON can hold a lone surrogate, which neither UTF-8 nor parquet can."""
    report = _report("\ud800")
    assert export.parquet(report)
    for render, harmless in FORMS.values():
        render(report).encode()
        harmless(render(report))


@pytest.mark.parametrize("level", LEVELS)
def test_reports_of_odd_rows(level: int, tmp_path: Path) -> None:
    """Any rows that the store takes give a report, or words."""
    a, b = 0.5 + 0.01 * noise(0, (2, 4))
    trials, rows = study(4, a.tolist(), b.tolist())
    good = [json.loads(to_line(row)) for row in rows.values()]
    odd_ones = st.integers(0, len(good) - 1).flatmap(
        lambda i: st.tuples(st.just(i), changed(good[i]))
    )

    def check(hit: tuple[int, Any]) -> None:
        i, odd = hit
        taken = dict(rows)
        try:
            row = from_record(odd)
        except (ValueError, TypeError, AttributeError, TsxferError):
            return
        taken[list(rows)[i]] = row
        report = build.build("demo", trials, taken, partial=True, folder=tmp_path)
        for render, harmless in FORMS.values():
            harmless(render(report))
        export.parquet(report)

    attack("reports of odd rows", level, tmp_path, odd_ones, check, examples=60)


def test_the_store_refuses_hollow_rows(tmp_path: Path) -> None:
    """A finished row without its score, or with half a curve, is damage and is run again."""
    _, rows = study(1, [0.5], [0.6])
    row = replace(next(iter(rows.values())), environment={"tsxfer": __version__})
    hollow = (
        replace(row, scores={}),
        replace(row, curve={"samples": [1.0]}),
        replace(row, curve={"samples": [], "score": []}),
        replace(row, sizes={}),
        replace(row, split={"instances": {"train": 1}}),
        replace(row, cost={"seconds": "soon"}),
    )
    store = Store(tmp_path)
    store.extend(hollow)
    assert store.rows() == {}
    assert len(store.damaged) == len(hollow)
