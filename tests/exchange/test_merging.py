"""Rows from elsewhere join a workspace whole, marked, checked, and never over a row of ours."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from dataclasses import replace

import numpy as np
import pytest

from tests.exchange.made import STUDY, changed, made
from tsxfer.api.training import finished
from tsxfer.cli.report import gathered
from tsxfer.core.expansion import expand
from tsxfer.core.study_files import read_study
from tsxfer.errors import DataError, SpecError, StoreError
from tsxfer.exchange import packed, words
from tsxfer.exchange.comparing import compare_sets
from tsxfer.exchange.finding import find, is_set
from tsxfer.exchange.merging import merge
from tsxfer.report import caveats
from tsxfer.store.predictions import row_digest
from tsxfer.store.rows import Store, to_line
from tsxfer.store.workspace import Workspace


@pytest.fixture
def place(tmp_path):
    """An empty workspace."""
    workspace = Workspace(tmp_path / "mine")
    workspace.make()
    return workspace


def test_two_halves_make_the_whole(tmp_path, place):
    """Two halves merged in either order hold the rows of the whole, and its report's numbers."""
    whole = made(tmp_path / "w")
    halves = [
        made(tmp_path / str(half), keep=lambda t, half=half: t.repeat % 2 == half)
        for half in (0, 1)
    ]
    first = merge(halves[0], place)[0]
    second = merge(halves[1], place)[0]
    assert first.done < first.trials == second.done
    rows = Store.of(place, "made").rows()
    assert {r.key: r.digest for r in whole.rows} == {k: r.digest for k, r in rows.items()}
    other = Workspace(tmp_path / "other")
    other.make()
    merge(whole, other)
    tables = [gathered("made", one, partial=False) for one in (place, other)]
    assert tables[0].comparisons == tables[1].comparisons


def test_rows_without_predictions_are_said_to_be_unchecked(tmp_path):
    """Of a set it is told how many scores come without predictions, and are taken as they are."""
    theirs = made(tmp_path / "t")
    (said,) = words.of_unbound(theirs)
    assert f"these {len(list(theirs.rows))} row(s)" in said
    bound = replace(theirs, parts=tuple(replace(p, predictions=tmp_path) for p in theirs.parts))
    for row in theirs.rows:
        (tmp_path / f"{row.key}.npz").touch()
    assert not list(words.of_unbound(bound))
    (tmp_path / f"{row.key}.npz").unlink()
    (said,) = words.of_unbound(bound)
    assert f"for 1 of these {len(list(theirs.rows))} row(s)" in said
    assert f"reproduce {row.key}" in said


def test_fields_that_this_version_does_not_know_are_told(tmp_path, place):
    """Whatever form a set comes in, what its rows lose here is named, with how many."""
    theirs = made(tmp_path / "t")
    lines = [{**json.loads(to_line(row)), "mood": 3} for row in theirs.rows]
    folder = place.results("made")
    folder.mkdir(parents=True)
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    (folder / "study.toml").write_text(theirs.parts[0].study_toml)
    for named in (folder, folder / "rows.jsonl"):
        (said,) = words.of_unknown(find(str(named), place))
        assert f"mood ({len(lines)} row(s))" in said
    assert not list(words.of_unknown(theirs))


def test_a_version_of_a_suite_that_is_not_there_is_said_so(place):
    """`real@2` is a suite in a version that does not come along, and no study of a workspace."""
    assert is_set("real@2")
    with pytest.raises(SpecError, match=r"comes with real@1, not with real@2"):
        find("real@2", place)


def test_merged_rows_say_where_they_come_from(tmp_path, place):
    """Each merged row names its set and its hash, the report says how many there are."""
    theirs = made(tmp_path / "t")
    merge(theirs, place)
    origins = {row.origin for row in Store.of(place, "made").rows().values()}
    assert origins == {theirs.origin}
    said = [c.text for c in caveats.caveats(gathered("made", place, partial=False))]
    assert any(theirs.origin in text for text in said)


def test_predictions_that_a_cut_off_run_left_are_replaced(tmp_path, place):
    """A file under the key of a merged row that is of no row here does not stand in its way."""
    theirs = made(tmp_path / "t")
    row = theirs.parts[0].rows[0]
    kept, left = tmp_path / "theirs", place.results("made") / "predictions"
    for folder, digest in ((kept, row.digest), (left, "of nobody")):
        folder.mkdir(parents=True)
        np.savez(folder / f"{row.key}.npz", row=np.array(digest))
    merge(replace(theirs, parts=(replace(theirs.parts[0], predictions=kept),)), place)
    assert row_digest(place.results("made"), row.key) == row.digest


def test_merging_twice_adds_nothing(tmp_path, place):
    """A set that is there already leaves every file as it was."""
    theirs = made(tmp_path / "t")
    merge(theirs, place)
    before = {p: p.read_bytes() for p in place.root.rglob("*") if p.is_file()}
    again = merge(theirs, place)[0]
    assert (again.added, again.same) == (0, len(theirs.parts[0].rows))
    assert before == {p: p.read_bytes() for p in place.root.rglob("*") if p.is_file()}


def test_a_row_that_a_set_holds_twice_is_added_once(tmp_path, place):
    """The same row again in one set is counted as the same, and written once."""
    theirs = made(tmp_path / "t")
    part = theirs.parts[0]
    doubled = replace(theirs, parts=(replace(part, rows=(*part.rows, part.rows[0])),))
    merged = merge(doubled, place)[0]
    assert (merged.added, merged.same) == (len(part.rows), 1)


def test_a_resume_after_a_merge_has_nothing_to_do(tmp_path, place, monkeypatch):
    """Merged rows of the data that is prepared here are finished; those of other data run again."""
    merge(made(tmp_path / "t"), place)
    trials = expand(read_study(place.results("made") / "study.toml"))
    prints = {name: "f" * 16 for trial in trials for name in trial.datasets}
    monkeypatch.setattr(
        "tsxfer.api.training.fingerprints", lambda _, trial: {n: prints[n] for n in trial.datasets}
    )
    store = Store.of(place, "made")
    assert finished(store, trials, place).keys() == {t.key for t in trials}
    prints["emg@1"] = "e" * 16
    left = finished(store, trials, place).values()
    assert {row.trial.dataset for row in left} == {"speech@1"}


def test_a_row_that_disagrees_refuses_the_whole_set(tmp_path, place):
    """A score too far apart is named with both numbers; nothing moves."""
    ours = made(tmp_path / "o", keep=lambda t: t.repeat < 2)
    merge(ours, place)
    row = next(r for r in ours.rows if r.trial.reuse and not r.trial.control)
    before = Store.of(place, "made").rows()
    with pytest.raises(StoreError) as error:
        merge(changed(made(tmp_path / "t"), row.key, 0.9), place)
    assert row.key in str(error.value)
    assert "0.9" in str(error.value)
    assert Store.of(place, "made").rows() == before


def test_a_row_of_other_data_is_a_conflict(tmp_path, place):
    """Equal scores do not hide that the data behind a name differs."""
    ours = made(tmp_path / "o")
    merge(ours, place)
    rows = tuple(replace(r, data=dict.fromkeys(r.data, "e" * 16)) for r in ours.parts[0].rows)
    theirs = replace(ours, parts=(replace(ours.parts[0], rows=rows),))
    with pytest.raises(StoreError, match="other data: emg@1 is ffffffffffffffff in one"):
        merge(theirs, place)


def test_rows_within_tolerance_stay_ours(tmp_path, place):
    """Another machine's last digits are no conflict, and do not replace ours."""
    ours = made(tmp_path / "o")
    merge(ours, place)
    row = next(r for r in ours.rows if r.trial.reuse)
    near = changed(ours, row.key, row.scores["macro_f1"] + 1e-4)
    assert merge(near, place)[0].close == 1
    assert Store.of(place, "made").rows()[row.key].scores == row.scores


def test_rows_that_fail_a_check_are_refused(tmp_path, place):
    """A margin that is not the card's fails the package's own check, and nothing is merged."""
    theirs = made(tmp_path / "t")
    rows = tuple(replace(r, margin=0.5) for r in theirs.parts[0].rows)
    bad = replace(theirs, parts=(replace(theirs.parts[0], rows=rows),))
    with pytest.raises(StoreError, match=r"margin is 0\.5"):
        merge(bad, place)
    assert place.studies() == []


def test_another_study_under_the_same_name_is_refused(tmp_path, place):
    """Rows of two designs would stand in one table under one declaration."""
    merge(made(tmp_path / "o"), place)
    with pytest.raises(StoreError, match="repeats differ"):
        merge(made(tmp_path / "t", study=replace(STUDY, repeats=5)), place)


def test_every_form_travels(tmp_path, place):
    """Parquet, a folder of results and a workspace give the same rows as they were packed from."""
    theirs = made(tmp_path / "t")
    (tmp_path / "rows.parquet").write_bytes(packed.pack(theirs.parts))
    merge(find(str(tmp_path / "rows.parquet"), place), place)
    forms = [tmp_path / "rows.parquet", place.root, place.results("made")]
    forms += list(place.results("made").glob("*.jsonl"))
    for form in forms:
        found = compare_sets(theirs, find(str(form), place))
        assert found.identical == found.both == len(theirs.parts[0].rows), form


def test_lines_without_their_study_are_refused(tmp_path, place):
    """Rows alone say nothing of what was declared: the message asks for the study file."""
    merge(made(tmp_path / "t"), place)
    lines = next(place.results("made").glob("*.jsonl"))
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "rows.jsonl").write_bytes(lines.read_bytes())
    other = Workspace(tmp_path / "other")
    with pytest.raises(StoreError, match="study file"):
        merge(find(str(tmp_path / "alone" / "rows.jsonl"), other), other)


def test_foreign_versions_are_named(tmp_path, place, monkeypatch):
    """Lines of another version, a later schema, and a table for papers each get their own words."""
    theirs = made(tmp_path / "t")
    merge(theirs, place)
    lines = next(place.results("made").glob("*.jsonl"))
    record = json.loads(lines.read_text().splitlines()[0])
    record["environment"], record["status"] = {"tsxfer": "9.9.9"}, "half"
    record["trial"] = {"what": "new"}
    (place.results("made") / "new.jsonl").write_text(json.dumps(record) + "\n")
    with pytest.raises(StoreError, match=r"1 row\(s\) cannot be read.*new.jsonl:1"):
        find(str(place.results("made")), place)
    with monkeypatch.context() as later:
        later.setattr(packed, "SCHEMA", 7)
        content = packed.pack(theirs.parts)
    with pytest.raises(StoreError, match="schema 7"):
        packed.unpack(content, "rows.parquet")
    with pytest.raises(StoreError, match="cannot be read as parquet"):
        packed.unpack(b"PAR1 and more", "rows.parquet")


def test_a_table_for_papers_is_no_set(tmp_path, place):
    """What `tsxfer report --format parquet` writes lacks whole rows, and the message says so."""
    import pandas as pd

    pd.DataFrame({"key": ["a"], "score": [0.5]}).to_parquet(tmp_path / "paper.parquet")
    with pytest.raises(StoreError, match="no result set"):
        find(str(tmp_path / "paper.parquet"), place)


@pytest.fixture
def served(tmp_path):
    """A folder behind a server of this machine, and its address."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.enable_socket
def test_an_address_is_followed_with_its_hash_alone(tmp_path, place, served):
    """The right hash merges; another hash, none, and a missing file are refused in words."""
    folder, address = served
    content = packed.pack(made(tmp_path / "t").parts)
    (folder / "rows.parquet").write_bytes(content)
    right = hashlib.sha256(content).hexdigest()
    with pytest.raises(SpecError, match="names no hash"):
        find(f"{address}/rows.parquet", place)
    with pytest.raises(DataError, match="another hash"):
        find(f"{address}/rows.parquet#sha256={'0' * 64}", place)
    with pytest.raises(DataError, match="could not be downloaded"):
        find(f"{address}/none.parquet#sha256={right}", place)
    merged = merge(find(f"{address}/rows.parquet#sha256={right}", place), place)[0]
    assert merged.done == merged.trials
