"""The page in a real browser, as wide as a desk and as narrow as a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.report import browser
from tests.rows import matrix
from tsxfer.report import html
from tsxfer.report.build import Report, build

pytestmark = pytest.mark.skipif(not browser.found(), reason="no Chromium on this machine")
DESK, PHONE = (1280, 900), (390, 844)
SEEN = """(e => {{
  const b = e.getBoundingClientRect();
  return b.top >= 0 && b.bottom <= innerHeight && b.left >= 0 && b.right <= innerWidth;
}})(document.querySelector({!r}))"""
ROWS = "[...document.querySelectorAll('.results tbody tr')]"
SHOWN = f"{ROWS}.filter(r => r.offsetHeight).map(r => r.className)"
SET = """(f => {{
  f.value = {!r}; f.dispatchEvent(new Event('input')); f.dispatchEvent(new Event('change'));
}})(document.getElementById({!r}))"""


@pytest.fixture(scope="module")
def report() -> Report:
    """Three sources and two targets: source a helps, b does nothing, c harms."""
    gains = np.zeros((3, 2, 1, 7))
    gains[0], gains[2] = 4.0, -4.0
    trials, rows = matrix(["a@1", "b@1", "c@1"], ["x@1", "y@1"], gains, curve=True)
    return build("demo", trials, rows)


@pytest.fixture(scope="module")
def file(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page on disk."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(html.render(report), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Page]:
    """One browser for all tests here."""
    with browser.page(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_the_answer_is_the_first_thing_in_view(
    page: browser.Page, file: Path, size: tuple[int, int]
) -> None:
    """Answer and caveats are on the first screen, and the page is no wider than the window."""
    page.open(file, *size)
    assert page.look(SEEN.format("#answer"))
    assert page.look("document.scrollingElement.scrollWidth") <= size[0]
    top = [page.look(f"document.querySelector('{at}').getBoundingClientRect().top")
           for at in ("#answer", "#picture", "#results", "table.results")]  # fmt: skip
    assert top == sorted(top)
    assert top[1] < size[1]


def test_a_phone_shows_verdict_and_difference_of_each_comparison(
    page: browser.Page, file: Path, report: Report
) -> None:
    """Each comparison is a card within the window that begins with its verdict and difference."""
    page.open(file, *PHONE)
    cards = page.look(
        "[...document.querySelectorAll('.results tbody tr')].map(r => {"
        "const cells = [...r.cells].map(c => [c.getBoundingClientRect(), c.textContent]);"
        "cells.sort((a, b) => a[0].top - b[0].top || a[0].left - b[0].left);"
        "return [Math.max(...cells.map(c => c[0].right)), cells[0][1], cells[1][1]]; })"
    )
    assert len(cards) == len(report.comparisons)
    for (right, first, second), c in zip(cards, report.comparisons, strict=True):
        assert right <= PHONE[0]
        assert c.verdict in first
        assert "[" in second


def test_the_table_sorts_and_filters(page: browser.Page, file: Path) -> None:
    """A click sorts by number, a second one turns round; words and verdicts leave the rest out."""
    page.open(file, *DESK)
    titles = page.look(
        "[...document.querySelectorAll('.results thead th')].map(t => t.textContent)"
    )
    at = titles.index("difference")
    column = f"{ROWS}.map(r => parseFloat(r.cells[{at}].textContent))"
    click = f"document.querySelectorAll('.results th button')[{at}].click()"
    page.look(click)
    rising = page.look(column)
    assert rising == sorted(rising)
    assert rising[0] < 0 < rising[-1]
    page.look(click)
    assert page.look(column) == rising[::-1]
    page.look(SET.format("better", "only"))
    assert set(page.look(SHOWN)) == {"better"}
    page.look(SET.format("nothing of the kind", "find"))
    assert page.look(SHOWN) == []


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_the_page_is_whole_without_its_script(
    page: browser.Page, file: Path, report: Report, size: tuple[int, int]
) -> None:
    """Without scripts every comparison is shown, and no control that would do nothing."""
    page.open(file, *size, script=False)
    assert len(page.look(SHOWN)) == len(report.comparisons)
    assert page.look("document.querySelector('.tools').offsetHeight") == 0
    assert page.look("document.querySelectorAll('th button').length") == 0


def test_a_link_of_the_table_opens_its_details(page: browser.Page, file: Path) -> None:
    """A click on a difference opens the comparison that it is of."""
    page.open(file, *DESK)
    page.look("document.querySelector('.results tbody a').click()")
    assert page.look(
        "new Promise(r => setTimeout(() => r(document.querySelector(location.hash).open), 200))"
    )


def test_a_picture_is_as_opaque_in_the_page_as_in_its_file(page: browser.Page, file: Path) -> None:
    """The first thing that each figure draws is white and as large as the figure."""
    page.open(file, *DESK)
    first = "s => s.querySelector('rect').getAttribute('fill')"
    fills = page.look(f"[...document.querySelectorAll('svg')].map({first})")
    assert len(fills) > 10
    assert set(fills) == {"white"}


def test_a_desk_shows_the_verdict_whole_and_the_rest_when_asked(
    page: browser.Page, file: Path
) -> None:
    """The table fits the window until all columns are asked for; a phone's cards have all."""
    cells = "[...document.querySelectorAll('.results tbody tr:first-child td')]"
    shown = f"{cells}.map(c => c.offsetHeight)"
    page.open(file, *DESK)
    box = "(e => e.scrollWidth - e.clientWidth)(document.querySelector('.results').parentElement)"
    assert page.look(box) <= 0
    assert 0 in page.look(shown)
    page.look("document.querySelector('#whole input').click()")
    assert 0 not in page.look(shown)
    page.open(file, *PHONE)
    assert 0 not in page.look(shown)
