"""Reproducing: a row's numbers come back, the workspace stays as it was, and refusals say why."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.rows import study
from tests.study import NAME, here
from tsxfer.checks.agreement import agreement, spread, tolerance
from tsxfer.checks.found import effect, find
from tsxfer.checks.reproduce import RerunOptions, fitting, reproduce
from tsxfer.core.results import Result
from tsxfer.errors import DataError, SpecError, StoreError
from tsxfer.store.rows import Store, to_line
from tsxfer.store.workspace import Workspace


def _transfer(place: Workspace) -> Result:
    return next(r for r in Store(place.results(NAME)).rows().values() if r.trial.reuse)


def _contents(place: Workspace) -> dict[str, bytes]:
    parts = [place.root / "results", place.root / "weights"]
    return {str(f): f.read_bytes() for part in parts for f in part.rglob("*") if f.is_file()}


def test_a_row_comes_back_and_nothing_is_written(place: Workspace) -> None:
    """A transfer and its source are identical when trained again; rows and weights stay."""
    row, before = _transfer(place), _contents(place)
    assert row.trial.reuse is not None
    for key in (row.key, row.trial.reuse.source.key):
        groups = [fitting(rows, place, RerunOptions()) for rows in find([key[:8]], place)]
        made = reproduce(groups[0], place, RerunOptions(times=2))
        assert [one.agreement.verdict for one in made] == ["identical"]
        assert made[0].floor == 0
        assert made[0].agreement.causes == ()
    assert _contents(place) == before


def test_the_report_shows_what_was_reproduced(copy: Path, place: Workspace) -> None:
    """Distance and floor of a row trained twice stand in the report; no row is lost to it."""
    said = here(copy, "reproduce", _transfer(place).key, "--times", "2")
    assert said.returncode == 0, said.stderr
    page = here(copy, "report", NAME, "--format", "markdown")
    assert page.returncode == 0, page.stderr
    lines = page.stdout.partition("## Reproduced")[2].splitlines()
    assert "| rows trained again on cpu | 1 (1 identical) |" in lines
    floor = "floor: largest distance between trainings of one row"
    assert f"| {floor} | 0 margins |" in lines
    assert not Store(place.results(NAME)).damaged
    assert len(Store(place.results(NAME)).rows()) == 5


def test_a_wrong_row_differs(copy: Path, place: Workspace) -> None:
    """An edited score is found out, shown beside the effect, and gives exit code 1."""
    row = _transfer(place)
    file = next(place.results(NAME).glob("*.jsonl"))
    wrong = replace(row, scores=row.scores | {"mae": row.scores["mae"] + 5})
    text = file.read_text()
    file.write_text(text.replace(to_line(row)[:-1], to_line(wrong)[:-1]))
    assert file.read_text() != text
    said = here(copy, "reproduce", row.key, "--json")
    assert said.returncode == 1, said.stderr
    facts = json.loads(said.stdout)[0]
    assert facts["verdict"] == "differs"
    assert facts["largest"] == pytest.approx(5)
    assert facts["effect"]["pairs"] == 2


def test_agreement_has_three_answers() -> None:
    """Equal, near and far; another environment is named; a failed training never agrees."""
    row = next(iter(study(1, [0.5], [0.6])[1].values()))
    assert tolerance(row) == pytest.approx(0.002)
    near = replace(row, scores={"macro_f1": 0.501}, environment={"tsxfer": "later"})
    far = replace(row, scores={"macro_f1": 0.51})
    bent = replace(row, curve={"samples": [0.0, 100.0, 200.0], "score": [0.1, 0.5, 0.7]})
    short = replace(row, curve={"samples": [0.0], "score": [0.1]})
    said = [agreement(row, other).verdict for other in (row, near, far, bent, short)]
    assert said == ["identical", "within tolerance", "differs", "differs", "differs"]
    assert agreement(row, near).causes == ("tsxfer test, now later",)
    assert agreement(row, far, allowed=0.1).verdict == "within tolerance"
    failed = agreement(row, replace(row, status="failed", scores={}, error="diverged"))
    assert (failed.verdict, failed.largest) == ("differs", None)
    assert spread([row, near, far]) == pytest.approx(0.01)


def test_the_smallest_effect_stands_beside() -> None:
    """A scratch row shared by two treatments shows the smaller of their effects."""
    rows = study(3, [0.5] * 3, [0.7] * 3)[1] | study(3, [0.5] * 3, [0.6] * 3, source="eeg@1")[1]
    shared = next(row for row in rows.values() if row.trial.reuse is None)
    found = effect(shared, rows)
    assert found is not None
    assert found.difference == pytest.approx(0.1)
    assert found.words.startswith("eeg@1")


def _lose(place: Workspace) -> None:
    for file in (place.root / "weights").iterdir():
        file.unlink()


def _flip(place: Workspace) -> None:
    file = next((place.root / "weights").iterdir())
    content = bytearray(file.read_bytes())
    content[-9] ^= 1
    file.write_bytes(content)


def _other_data(place: Workspace) -> None:
    meta = place.data("finance+sim@1") / "meta.json"
    meta.write_text(meta.read_text().replace('"fingerprint": "', '"fingerprint": "0'))


def _fail(place: Workspace) -> None:
    row = _transfer(place)
    for file in place.results(NAME).glob("*.jsonl"):
        file.write_text(to_line(replace(row, status="failed", error="diverged")) + "\n")


def _import(place: Workspace) -> None:
    row = _transfer(place)
    for file in place.results(NAME).glob("*.jsonl"):
        file.write_text(to_line(replace(row, environment={"made by": "others"})) + "\n")


CASES: dict[str, tuple[Callable[[Workspace], None], type[Exception], str]] = {
    "lost": (_lose, StoreError, "--ancestors"),
    "flipped": (_flip, StoreError, "damaged"),
    "data": (_other_data, DataError, "prepare the same files again"),
    "imported": (_import, StoreError, "was imported"),
    "failed": (_fail, StoreError, "trains failed trials again"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_made_again_is_refused(place: Workspace, case: str) -> None:
    """Lost and damaged sources, other data and failed rows are told before anything is trained."""
    spoil, error, message = CASES[case]
    key = _transfer(place).key
    spoil(place)
    with pytest.raises(error, match=message):
        fitting(find([key], place)[0], place, RerunOptions())


def test_ancestors_are_trained_again_where_they_are_lost(place: Workspace) -> None:
    """With --ancestors a lost source is no obstacle, and the numbers are the same."""
    row = _transfer(place)
    _lose(place)
    rows = fitting(find([row.key], place)[0], place, RerunOptions(ancestors=True))
    assert reproduce(rows, place, RerunOptions(ancestors=True))[0].agreement.verdict == "identical"
    assert not list((place.root / "weights").iterdir())


def test_unknown_and_ambiguous_keys_have_a_mend(place: Workspace) -> None:
    """A key that is not there and one that begins several are distinguished."""
    keys = list(Store(place.results(NAME)).rows())
    with pytest.raises(SpecError, match="no row has the key"):
        find(["nothing"], place)
    several = next(p for p in "0123456789abcdef" if sum(k.startswith(p) for k in keys) != 1)
    count = sum(k.startswith(several) for k in keys)
    with pytest.raises(SpecError, match="more digits" if count else "no row"):
        find([several], place)
