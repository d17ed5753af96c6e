"""Controls in a study: which trials they add, how they are declared, and what the report says."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.rows import matrix
from tests.study import text, tsxfer
from tsxfer.core.expansion import expand
from tsxfer.core.results import Result
from tsxfer.core.specs import CONTROLS, NOISE, Recipe, Trial
from tsxfer.core.study import Study
from tsxfer.data import catalogue
from tsxfer.errors import SpecError
from tsxfer.report import files, html, latex
from tsxfer.report.build import Report, build
from tsxfer.report.sections import sections
from tsxfer.report.tables.placebos import in_words
from tsxfer.stats.controls import NO_CONTROL, ControlEffect, Share, overall, share
from tsxfer.stats.lock import Lock, lock, read_lock, write_lock
from tsxfer.stats.tests import interval, plain_spread

PLAIN = Study(
    name="s",
    sources=("a@1", "b@1"),
    targets=("x@1", "y@1"),
    models=("tcn",),
    sizes=("n=1500",),
    repeats=4,
    source_size="n=9000",
)
FULL = replace(PLAIN, controls=CONTROLS)


def test_controls_only_add_trials() -> None:
    """Every trial of the study without controls is there; each transfer has its own controls."""
    plain, full = expand(PLAIN), expand(FULL)
    assert {t.key for t in plain} <= {t.key for t in full}
    counts = Counter(t.control for t in full if t.reuse)
    per_source, per_target = 2 * 2 * 4, 2 * 4
    assert counts == {
        "": per_source,
        "untrained": per_source,
        "permuted": per_source,
        "shuffled": per_source,
        "moments": per_source,
        "noise": per_target,
        "in_domain": per_target,
    }
    assert sum(t.reuse is None and t.size == "all" and t.dataset == "x@1" for t in full) == 4


def test_controls_share_the_twin_and_come_after_their_source() -> None:
    """Scratch twins are those of the plain study; no transfer stands before what it starts from."""
    full = expand(FULL)
    twins = {t.key for t in expand(PLAIN) if t.reuse is None}
    place = {t.key: i for i, t in enumerate(full)}
    for trial in full:
        if trial.reuse:
            assert trial.twin().key in twins
            assert place[trial.reuse.source.key] < place[trial.key]


def test_the_rest_is_drawn_again_for_each_repeat() -> None:
    """A source from the target fits the subset of its own repeat; noise is the set of that name."""
    for trial in expand(FULL):
        source = trial.reuse.source if trial.reuse else None
        if source and trial.control == "in_domain":
            assert (source.repeat, source.size) == (trial.repeat, trial.size)
        if source and trial.control == "noise":
            assert source.dataset == NOISE == catalogue.find("noise").card.id
            assert source.size == "all"  # there are fewer than 9,000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"controls": ("noise", "noise")}, "names one twice"),
        ({"pretraining": Recipe(labels="shuffled")}, "is a control"),
        ({"recipe": Recipe(labels="shuffled")}, "is a control"),
        ({"sources": ("noise",)}, "is a control"),
    ],
)
def test_a_control_under_a_plain_name_is_refused(changes: dict, message: str) -> None:
    """Nothing that is a control can stand in the result table."""
    with pytest.raises(SpecError, match=message):
        replace(PLAIN, **changes)


def test_controls_are_declared_apart(tmp_path: Path) -> None:
    """The primary family is that of the plain study; a study without controls keeps its hash."""
    terms = (4, dict.fromkeys(PLAIN.targets, 1.0), dict.fromkeys(PLAIN.targets, "mae"))
    plain, full = lock("s", expand(PLAIN), *terms), lock("s", expand(FULL), *terms)
    assert full.primary == plain.primary
    assert len(full.controls) == 4 * 4 + 2 * 2
    assert replace(full, controls=()).digest == plain.digest != full.digest
    write_lock(full, tmp_path)
    assert read_lock(tmp_path) == full
    assert all(full.covers(t) for t in expand(FULL) if t.reuse)
    assert not any(plain.covers(t) for t in expand(FULL) if t.control)


GAIN, PERMUTED, REPEATS = 4.0, 1.0, 20


def _rows(controls: bool, gain: float = GAIN) -> tuple[list[Trial], dict[str, Result]]:
    """Source a gains 4 margins, its permuted weights 1, all labels 8; source b gains nothing."""
    gains = np.zeros((2, 1, 1, REPEATS))
    gains[0] = gain
    trials, rows = matrix(["a@1", "b@1"], ["x@1"], gains, spread=0.5)
    noise = np.random.default_rng(5)
    for trial in [t for t in trials if t.reuse and controls]:
        assert trial.reuse is not None
        twin = rows[trial.twin().key]
        moved = replace(trial, reuse=replace(trial.reuse, start="permuted"))
        whole = replace(twin.trial, size="all")
        for other, better in ((moved, PERMUTED), (whole, 8.0)):
            if other.key not in rows:
                score = twin.scores["mae"] - better - noise.normal(0, 0.5)
                row = replace(twin, trial=other, scores={"mae": score})
                rows[other.key] = row
                trials.append(other)
    return trials, rows


def _report(controls: bool = True, gain: float = GAIN) -> tuple[Report, Lock]:
    trials, rows = _rows(controls, gain)
    declared = lock("demo", trials, REPEATS, {"x@1": 1.0}, {"x@1": "mae"})
    made = {k: replace(r, analysis=declared.digest) for k, r in rows.items()}
    return build("demo", trials, made, declared=declared), declared


def test_the_share_that_survives_is_found() -> None:
    """Of 4 margins a placebo gives 1: three quarters remain, within the interval, in words."""
    report, _ = _report()
    found = {(e.comparison.source, e.control): e for e in report.controls if e.comparison}
    assert set(found) == {(s, c) for s in ("a@1", "b@1") for c in ("permuted", "whole")}
    one = found["a@1", "permuted"].share
    assert one is not None
    assert one.low is not None
    assert one.high is not None
    assert one.low < 1 - PERMUTED / GAIN < one.high < one.low + 0.3
    assert one.value == pytest.approx(0.75, abs=0.1)
    words = in_words(found["a@1", "permuted"])
    assert words.startswith(f"{100 * one.value:.0f} % [")
    assert "of the gain remains when" in words
    ceiling = found["a@1", "whole"]
    assert ceiling.share is None
    assert ceiling.gain / ceiling.other == pytest.approx(GAIN / 8.0, abs=0.08)
    assert f"{100 * ceiling.gain / ceiling.other:.0f} % of the gain from all labels" in in_words(
        ceiling
    )


def test_the_mean_over_comparisons_leaves_none_out() -> None:
    """Gains of 4 and 0 margins, placebo gains of 1 each: on average half remains."""
    report, _ = _report()
    (mean,) = overall(report.controls)
    assert mean.control == "permuted"
    assert len(mean.repeats) == REPEATS
    assert mean.gain == pytest.approx(GAIN / 2, abs=0.2)
    assert mean.share is not None
    assert mean.share.value == pytest.approx(1 - PERMUTED / (GAIN / 2), abs=0.15)


def test_a_loss_is_shared_as_a_gain_is() -> None:
    """A transfer that does harm where its placebo gains loses by itself, and the report says so."""
    report, _ = _report(gain=-3.0)
    one = next(e for e in report.controls if e.comparison and e.comparison.source == "a@1")
    assert one.share is not None
    assert one.share.value > 1
    assert in_words(one).endswith("does not clearly lose: the loss is the source's own")


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ([-1.0, -0.9, -1.1, -0.95, -1.05], "100 % of it too"),
        ([-1.0, -0.9, -1.1, -0.95, -1.05], "the start, not the source, is worse"),
        ([-0.5, -0.4, -0.6, -0.5, -0.5], "the rest is the source's own"),
        ([-2.0, -1.9, -2.1, -2.0, -2.0], "the source makes up for some"),
        ([0.1, -0.1, 0.2, 0.0, -0.1], "the loss is the source's own"),
        ([-3.0, 1.5, -2.0, 1.0, -1.5], "which is worse is undecided"),
    ],
)
def test_an_untrained_source_tells_the_start_from_the_source(
    others: list[float], words: str
) -> None:
    """Of a loss of 1: an untrained source that loses as much is to blame, another is not."""
    gains, control = np.array([-1.0, -0.95, -1.05, -0.9, -1.1]), np.array(others)
    more = gains - control
    beyond = (float(more.mean()), *interval(more, plain_spread(more)))
    low, high = interval(control, plain_spread(control))
    one = ControlEffect(
        comparison=None,
        control="untrained",
        repeats=tuple(range(5)),
        gains=tuple(gains),
        others=tuple(others),
        low=low,
        high=high,
        share=share(gains, control),
        beyond=beyond,
    )
    assert words in in_words(one)


def test_a_doubtful_loss_has_no_share() -> None:
    """Where the loss may be 0 over the repeats, nothing of it is told."""
    gains = np.array([-3.0, 2.0, -1.0, 1.0, -0.5])
    one = ControlEffect(
        comparison=None,
        control="untrained",
        repeats=tuple(range(5)),
        gains=tuple(gains),
        others=tuple(gains),
        low=-2,
        high=1,
        share=share(gains, gains),
    )
    assert "not clearly below 0" in in_words(one)


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ([0.4, 0.6, 0.5, 0.5, 0.5], "50 % ["),
        ([-0.1, 0.0, -0.2, 0.1, -0.1], "all of the gain remains"),
        ([1.5, 1.4, 1.6, 1.5, 1.5], "nothing of the gain remains"),
    ],
)
def test_words_say_all_a_part_or_nothing(others: list[float], words: str) -> None:
    """The words follow the share, and a doubtful gain is said before any share of it."""
    gains, doubtful = np.array([1.0, 0.9, 1.1, 1.0, 1.0]), np.array([3.0, -2.0, 1.0, -1.0, 0.5])

    def said(of: np.ndarray) -> str:
        remains = share(of, np.array(others))
        one = ControlEffect(
            comparison=None,
            control="permuted",
            repeats=tuple(range(5)),
            gains=tuple(of),
            others=tuple(others),
            low=0,
            high=0,
            share=remains,
        )
        return in_words(one)

    assert said(gains).startswith(words)
    assert "not clearly above 0" in said(doubtful)


def test_controls_change_nothing_else_in_the_report() -> None:
    """Table, contrasts, best source and corrections are those of the study without controls.

    But for the note that no control was run, which is then no longer true.
    """
    full, declared = _report()
    plain, _ = _report(controls=False)
    assert len(full.placebos) == 2
    assert declared.controls
    assert [c.source for c in full.placebos] == ["a@1 (permuted)", "b@1 (permuted)"]
    assert "exploratory" not in full.labels
    for name in ("contrasts", "best", "aggregate", "matrix", "worth", "reach"):
        assert getattr(full, name) == getattr(plain, name)
    for beside, alone in zip(full.comparisons, plain.comparisons, strict=True):
        assert NO_CONTROL not in beside.notes
        assert tuple(note for note in alone.notes if note != NO_CONTROL) == beside.notes
        assert replace(alone, notes=beside.notes) == beside


def test_every_format_has_the_controls() -> None:
    """Page, Markdown and LaTeX have the table; CSV has a line for each control."""
    report, _ = _report()
    section = next(s for s in sections(report) if s.title == "Controls")
    assert [row[0] for row in section.rows].count("all comparisons, in margins") == 1
    assert len(section.rows) == 1 + 4
    for page in (html.render(report), files.markdown(report), latex.render(report)):
        assert "Controls" in page
        assert "of the gain remains when" in page
    assert "a@1 (permuted)" in files.table_csv(report)


def test_the_interval_of_a_share_covers_the_truth() -> None:
    """With seven repeats it holds the true share in about 95 of 100 made studies."""
    rng, hits, runs = np.random.default_rng(8), 0, 150
    for _ in range(runs):
        base = rng.normal(0, 1, 7)  # shared twins make both arms' gains move together
        found = share(6 + base + rng.normal(0, 1, 7), 2 + base + rng.normal(0, 1, 7))
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 2 / 3 <= found.high
    assert 0.9 <= hits / runs <= 1


def test_a_doubtful_gain_has_a_share_without_bounds() -> None:
    """Where the gain may be 0 no interval is given, since it would be endless."""
    found = share(np.array([3.0, -2.0, 1.0, -1.0, 0.5]), np.array([0.1, 0.0, 0.2, -0.1, 0.0]))
    assert found is not None
    assert (found.low, found.high) == (None, None)
    assert share(np.array([2.0]), np.array([1.0])) == Share(0.5, None, None)
    assert share(np.array([-0.5, 0.5]), np.array([0.0, 0.0])) is None
    assert share(np.array([-1.0, 0.5]), np.array([0.0, 0.0])) == Share(1.0, None, None)


@pytest.mark.slow
def test_a_study_with_controls_runs_and_reports(tmp_path: Path) -> None:
    """From a study file and a flag to the table: all rows done, twins shared, words printed."""
    (tmp_path / "tiny.toml").write_text(text(sizes=(120,), repeats=3, pretrainings=2))
    ran = tsxfer(tmp_path, "run", "tiny.toml", "--controls", "all")
    assert ran.returncode == 0, ran.stderr
    assert "Controls" in ran.stdout
    rows = [
        json.loads(line)
        for f in (tmp_path / "tsxfer-workspace/results").rglob("*.jsonl")
        for line in f.read_text().splitlines()
    ]
    # two pretrainings true, shuffled and of noise; three of the rest; scratch; six transfers; whole
    assert len(rows) == 3 * 2 + 3 + 3 + 3 * 6 + 3
    assert all(row["status"] == "done" for row in rows)
    page = tsxfer(tmp_path, "report", "tiny-simulated", "--format", "markdown").stdout
    assert all(f"| {name.replace('_', chr(92) + '_')} |" in page for name in CONTROLS)
    plan = json.loads(tsxfer(tmp_path, "plan", "tiny.toml", "--controls", "all", "--json").stdout)
    assert (plan["comparisons"], plan["controls"], plan["to_do"]) == (1, 5, 0)
    refused = tsxfer(tmp_path, "plan", "tiny.toml", "--controls", "permutd")
    assert refused.returncode != 0
    assert "permuted" in refused.stderr
    verified = tsxfer(tmp_path, "verify", "tiny-simulated")
    assert verified.returncode == 0, verified.stdout
