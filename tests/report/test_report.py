"""Reports: every format marks simulated data and obeys nothing that names contain."""

import csv
import io
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from typing import get_args

import pytest
from rich.console import Console

from tests.rows import noise, study
from tsxfer.core.results import Overlap
from tsxfer.report import build, caveats, files, html, latex, text
from tsxfer.report.answer import answer, sentence
from tsxfer.report.columns import MARKS
from tsxfer.report.headline import headline
from tsxfer.report.tables import averages
from tsxfer.stats import statistics
from tsxfer.stats.controls import (
    LOST_BY_START,
    WON_BY_START,
    ControlEffect,
    Share,
    by_start,
    with_controls,
)
from tsxfer.stats.verdicts import Verdict

EVIL = "<script>alert(1)</script>|=cmd()[red]\\input{x}\x1b[31m"


def _report(name: str = "demo", **more: object) -> build.Report:
    a, b = 0.5 + 0.01 * noise(0, (2, 7))
    trials, rows = study(7, a.tolist(), (b + 0.1).tolist(), **more)  # type: ignore[arg-type]
    return build.build(name, trials, rows)


def _terminal(report: build.Report, width: int) -> str:
    out = io.StringIO()
    text.show(report, Console(file=out, width=width, force_terminal=False))
    return out.getvalue()


ALL = {
    "wide": lambda r: _terminal(r, 220),
    "narrow": lambda r: _terminal(r, 80),
    "markdown": files.markdown,
    "csv": files.table_csv,
    "latex": latex.render,
    "html": html.render,
}


@pytest.mark.parametrize("form", ALL)
def test_every_format_marks_simulated_data(form: str) -> None:
    """The word simulated is in every format, and only where data is simulated."""
    made = _report(target="emg+sim@1", source="speech+sim@1", labels=("simulated",))
    assert "simulated" in ALL[form](made).lower()
    assert "simulated" not in ALL[form](_report()).lower()


def test_what_marks_cannot_show_is_said_to_be_unknown() -> None:
    """Shifted copies are looked for in windows; of zoo weights, which bring none, it is told."""
    trials, rows = study(7, [0.5] * 7, [0.6] * 7)
    said = {}
    for moved in (None, 0):
        seen = (Overlap("speech_test_list+zoo@1", 9, 9, moved=moved),)
        made = {k: replace(r, overlap=seen if r.trial.reuse else ()) for k, r in rows.items()}
        found = caveats.caveats(build.build("demo", trials, made))
        said[moved] = [c.text for c in found if c.kind == "COPIES NOT EXCLUDED"]
        assert ("not looked for" in seen[0].told) is (moved is None)
    assert "weights of speech_test_list+zoo@1 come with marks" in said[None][0]
    assert said[0] == []


@pytest.mark.parametrize("form", ALL)
def test_no_format_obeys_a_hostile_name(form: str) -> None:
    """Markup, macros, formulas and escapes in names come out as text."""
    page = ALL[form](_report(EVIL, target=f"{EVIL}@1", labels=(EVIL,)))
    assert "\x1b" not in page
    assert "<script>alert" not in page or form in ("csv", "wide", "narrow")
    if form == "latex":
        assert r"\input{" not in page
    if form == "csv":
        records = list(csv.reader(io.StringIO(page)))
        assert all(not cell.startswith(("=", "@")) for cell in records[1])


def test_a_csv_cell_that_is_a_formula_gets_a_quote() -> None:
    """A label that a spreadsheet would run is disarmed; numbers stay numbers."""
    page = files.table_csv(_report(labels=("=1+1",)))
    record = next(csv.DictReader(io.StringIO(page)))
    assert record["labels"] == "'=1+1"
    assert float(record["difference"]) > 0


class _Strict(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [v or "" for n, v in attrs if n in ("src", "href")]
        if tag not in ("meta", "br", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_balanced_and_asks_nobody() -> None:
    """Every tag closes, links lead to places inside the page, the only script is known by hash."""
    page = html.render(_report())
    parser = _Strict()
    parser.feed(page)
    assert parser.open == []
    assert all(link.startswith("#") for link in parser.links)
    assert all(f'id="{link[1:]}"' in page for link in parser.links)
    assert page.count("<script") == 1
    script = page.partition("<script>")[2].partition("</script>")[0].encode()
    assert f"script-src 'sha256-{b64encode(sha256(script).digest()).decode()}'" in page


def test_a_page_of_very_many_comparisons_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a thousand, details are left out, and the page says so; the table stays whole."""
    monkeypatch.setattr(html, "DETAILED", 0)
    page = html.render(_report())
    assert '<details class="block"' not in page
    assert "Only the first 0 of 1 comparisons" in page
    assert "speech@1" in page


def test_words_respect_verdicts() -> None:
    """An undecided comparison is called undecided; equal and no effect are never said."""
    a, b = noise(5, (2, 7)) * 0.2 + 0.5
    trials, rows = study(7, a.tolist(), b.tolist())
    report = build.build("demo", trials, rows)
    assert headline(report) == "Of 1 comparison: 1 undecided."
    everything = " ".join(render(report) for render in ALL.values())
    assert " equal " not in everything
    assert "no effect" not in everything


def test_a_gain_without_a_control_says_so_in_every_format() -> None:
    """What nothing could have refuted is told as that, until a placebo stands beside it."""
    report = _report()
    for render in ALL.values():
        assert "no control was run" in " ".join(render(report).split())
    (c,) = report.comparisons
    plain = replace(c, notes=())
    beside = ControlEffect(plain, "untrained", (0,), (0.1,), (0.0,), None, None, None)
    assert with_controls((plain,), [beside]) == (plain,)
    assert with_controls((plain,), [replace(beside, control="in_domain")]) != (plain,)
    assert with_controls((replace(plain, verdict="undecided"),), [])[0].notes == ()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("speech@1", "speech"),
        ("emg+sim@1", "simulated emg"),
        ("mine+own@3f9a2c1b", "mine (own data)"),
        ("speech@1 (masked)", "speech (masked)"),
        ("speech_test_list+zoo@1 + x+weights@5d1c07ab", None),
    ],
)
def test_sentences_say_names_as_a_reader_would(name: str, said: str | None) -> None:
    """Versions and marks of a kind stay in tables; that data is simulated never gets lost."""
    (c,) = _report().comparisons
    trial = replace(c.trial, dataset=name)
    wanted = said or "speech_test_list (shipped weights) + x (weights of a file)"
    assert sentence(replace(c, trial=trial)).startswith(f"On {wanted}, 1,500 labels")


def test_controls_stand_beside_the_answer() -> None:
    """A control that ran is told with its own gain, and then nothing says that none was."""
    scores = 0.5 + 0.01 * noise(0, (3, 7))
    trials, rows = study(7, scores[0].tolist(), (scores[1] + 0.1).tolist())
    for trial, score in zip([t for t in trials if t.reuse], scores[2] + 0.05, strict=True):
        assert trial.reuse is not None
        placebo = replace(trial, reuse=replace(trial.reuse, start="permuted"))
        row = rows[trial.key]
        rows[placebo.key] = replace(row, trial=placebo, scores={row.metric: float(score)})
        trials.append(placebo)
    told = answer(build.build("demo", trials, rows))
    assert "its controls on these test instances: permuted +0.0" in told
    assert "no control" not in told


def test_every_verdict_has_a_sentence_a_mark_and_a_count() -> None:
    """A verdict that is added later is told in words, and never by the name of another."""
    (c,) = _report().comparisons
    told = {verdict: sentence(replace(c, verdict=verdict)) for verdict in get_args(Verdict)}
    assert set(told) == set(MARKS)
    assert len(set(told.values())) == len(told)
    assert told["better"].startswith("On emg, 1,500 labels (convnetquake): speech helps by 0.")
    assert told["better"].endswith("macro F1 for these test instances; no control was run.")
    assert "helps is undecided" in told["undecided"]


def test_draws_that_all_agree_are_no_certainty() -> None:
    """A probability whose draws never differ has no interval; others have one."""
    assert averages._chances(0.5, 0.5).startswith("n/a")
    assert averages._chances(0.4, 0.6) == "[0.40, 0.60]"


def test_a_statistic_that_was_asked_for_is_shown_in_every_format_with_sections() -> None:
    """What one asks for by name is on the terminal too, not on pages alone."""
    name = "hodges_lehmann"
    report = replace(_report(), statistics=(name,))
    title = statistics.get(name).title
    for kind in ("wide", "narrow", "markdown", "html"):
        assert title in ALL[kind](report)


@pytest.mark.parametrize(
    ("gains", "others", "share", "here", "said"),
    [
        ((-0.3, -0.4), (-0.4, -0.2), Share(0.1, -0.2, 0.3), "worse", LOST_BY_START),
        ((-0.3, -0.4), (-0.4, -0.2), Share(0.1, -0.2, 0.7), "worse", ""),  # half may be its own
        ((-0.3, -0.4), (-0.4, -0.2), None, "worse", ""),
        ((-0.3, -0.4), (-0.4, -0.2), Share(0.1, -0.2, 0.3), "undecided", ""),
        ((0.3, 0.4), (0.2, 0.4), Share(0.1, -0.2, 0.3), "better", WON_BY_START),
        ((0.3, 0.4), (-0.2, 0.4), Share(0.1, -0.2, 0.3), "better", ""),
    ],
)
def test_what_any_start_gives_is_not_the_sources(
    gains: tuple[float, ...],
    others: tuple[float, ...],
    share: Share | None,
    here: str,
    said: str,
) -> None:
    """A note blames or thanks the start where an untrained source clearly has most of it too."""
    effect = ControlEffect(
        None, "untrained", (0, 1), gains, others, min(others), max(others), share
    )
    assert by_start(here, [effect]) == said


def test_the_answer_counts_what_is_the_starts() -> None:
    """Of two gains one is any start's: the reader takes that home with the verdicts."""
    report = _report()
    (c,) = report.comparisons
    plain = replace(c, verdict="better", notes=())
    told = replace(report, comparisons=(plain, replace(plain, notes=(WON_BY_START,))))
    assert "Of 2 better or worse, 1 is the start's" in answer(told)
    assert "start's" not in answer(replace(report, comparisons=(plain, plain)))
