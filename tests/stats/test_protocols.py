"""One study under several protocols: its trials, what they are declared as, and what is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.rows import study as made
from tests.study import text, tsxfer
from tsxfer.core.expansion import expand
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.core.study import Study
from tsxfer.errors import SpecError
from tsxfer.report import files, html, latex
from tsxfer.report.build import Report, build
from tsxfer.report.sections import sections
from tsxfer.report.tables.protocols import in_words
from tsxfer.stats.lock import lock

STRICT = Study(
    name="s",
    sources=("speech@1",),
    targets=("emg@1",),
    sizes=("n=1500",),
    repeats=6,
    controls=("permuted",),
    baselines=("summary",),
    channels={"speech@1": 1, "emg@1": 8},
)
BOTH = replace(STRICT, profiles=("strict", "paper"))


def _moved(trial: Trial) -> Trial:
    reuse = trial.reuse and replace(
        trial.reuse, source=replace(trial.reuse.source, profile="paper")
    )
    return replace(trial, profile="paper", reuse=reuse)


def _report(strict: float, paper: float, noise: float = 0.002) -> Report:
    """Gains of 0.1 more or less under each protocol, from made rows."""
    draw = np.random.default_rng(3)
    trials: list[Trial] = []
    rows: dict[str, Result] = {}
    for gain, profile in ((strict, "strict"), (paper, "paper")):
        base = draw.normal(0.6, 0.01, 6)
        more = (base + gain + draw.normal(0, noise, 6)).tolist()
        some, held = made(6, base.tolist(), more)
        for trial in some:
            now = trial if profile == "strict" else _moved(trial)
            trials.append(now)
            rows[now.key] = replace(held[trial.key], trial=now)
    return build("s", trials, rows)


def test_another_protocol_adds_plain_trials_after_those_of_the_first() -> None:
    """First all trials of the strict study, in order; then transfers and twins of the paper's."""
    strict, both = expand(STRICT), expand(BOTH)
    assert [t.key for t in both[: len(strict)]] == [t.key for t in strict]
    paper = replace(STRICT, profile="paper", controls=(), baselines=())
    assert both[len(strict) :] == expand(paper)
    assert {t.profile for t in both[len(strict) :]} == {"paper"}


def test_one_protocol_has_one_spelling() -> None:
    """A list of one is that one; unknown ones, doubles and contradictions are refused."""
    assert replace(STRICT, profiles=("paper",)) == replace(STRICT, profile="paper")
    assert BOTH.protocols == ("strict", "paper")
    assert replace(STRICT, profiles=("paper", "strict")).profile == "paper"
    for wrong in (("strict", "papr"), ("strict", "strict")):
        with pytest.raises(SpecError, match=r"papr|twice"):
            replace(STRICT, profiles=wrong)
    with pytest.raises(SpecError, match="differ"):
        replace(STRICT, profile="paper", profiles=("strict", "paper"))


def test_protocols_are_declared_apart() -> None:
    """The primary family is the strict study's; with one protocol the hash is what it was."""
    terms = ({"emg@1": 0.02}, {"emg@1": "macro_f1"})
    one, both = (lock("s", expand(s), 6, *terms) for s in (STRICT, BOTH))
    assert (both.primary, both.controls, both.baselines) == (
        one.primary,
        one.controls,
        one.baselines,
    )
    assert one.protocols == ()
    assert len(both.protocols) == 1
    assert replace(both, protocols=()).digest == one.digest != both.digest
    assert all(both.covers(t) for t in expand(BOTH) if t.reuse)


def test_the_protocols_share_of_a_gain_is_told() -> None:
    """Of a gain of 0.10 under the paper's rules and 0.02 under strict ones, 80 % is the rules."""
    report = _report(0.02, 0.10)
    assert [c.trial.profile for c in report.comparisons] == ["strict"]
    (effect,) = report.protocols
    assert effect.difference == pytest.approx(0.08, abs=0.003)
    assert effect.low is not None
    assert effect.low > 0.07
    assert "paper shows more gain than strict: 8" in in_words(effect)
    assert "of the gain under paper is the protocol" in in_words(effect)


def test_errors_are_compared_as_shares() -> None:
    """Half of the error removed is half of it, on test windows ten times as large too."""
    trials: list[Trial] = []
    rows: dict[str, Result] = {}
    for scale, profile in ((1.0, "strict"), (10.0, "paper")):
        base = [scale * (8 + 0.1 * i) for i in range(4)]
        some, held = made(4, base, [b / 2 for b in base], metric="mae", margin=0.1)
        for trial in some:
            now = trial if profile == "strict" else _moved(trial)
            trials.append(now)
            rows[now.key] = replace(held[trial.key], trial=now)
    (effect,) = build("s", trials, rows).protocols
    assert not effect.in_metric
    assert (effect.gain, effect.elsewhere) == (pytest.approx(0.5), pytest.approx(0.5))


@pytest.mark.parametrize(
    ("strict", "paper", "noise", "words"),
    [
        (0.05, 0.051, 0.03, "undecided"),
        (-0.02, 0.10, 0.002, "all of the gain under paper is the protocol"),
        (0.10, 0.02, 0.002, "paper shows less gain than strict"),
        (-0.10, -0.02, 0.002, "paper shows more gain than strict"),
    ],
)
def test_words_say_what_the_interval_holds(
    strict: float, paper: float, noise: float, words: str
) -> None:
    """No difference is called one before its interval is clear of 0, no loss has a share."""
    (effect,) = _report(strict, paper, noise).protocols
    assert words in in_words(effect)
    assert paper > 0 or "%" not in in_words(effect)


def test_every_format_has_the_protocols() -> None:
    """Page, Markdown and LaTeX have the table; CSV has a line, with the difference, for it."""
    report = _report(0.02, 0.10)
    assert any(s.title == "Under other protocols" for s in sections(report))
    for page in (html.render(report), files.markdown(report), latex.render(report)):
        assert "Under other protocols" in page
        assert "the protocol" in page
    head, first, second = files.table_csv(report).splitlines()
    assert head.endswith("minus_first_protocol,minus_first_protocol_low,minus_first_protocol_high")
    assert ",strict," in first
    assert first.endswith(",,,")
    assert ",paper," in second
    assert float(second.split(",")[-3]) == report.protocols[0].difference


@pytest.mark.slow
def test_a_study_under_both_protocols_runs_and_is_verified(tmp_path: Path) -> None:
    """From flags to the table, with plan and verify; the second run of it finds all rows."""
    (tmp_path / "tiny.toml").write_text(text(sizes=(60,), repeats=2, epochs=1))
    ran = tsxfer(tmp_path, "run", "tiny.toml", "--profile", "strict,paper")
    assert ran.returncode == 0, ran.stderr
    assert "Under other protocols" in ran.stdout
    plan = json.loads(
        tsxfer(tmp_path, "plan", "tiny.toml", "--profile", "strict,paper", "--json").stdout
    )
    told = (plan["profile"], plan["comparisons"], plan["elsewhere"], plan["to_do"])
    assert told == ("strict, paper", 1, 1, 0)
    verified = tsxfer(tmp_path, "verify", "tiny-simulated")
    assert verified.returncode == 0, verified.stdout
