"""What a source has seen is found in the target's test part, through factors, offsets and noise."""

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter, resample, resample_poly

from tests.study import tsxfer
from tsxfer.core.cautions import Caution
from tsxfer.core.specs import Recipe, Reuse, Trial
from tsxfer.data import overlap
from tsxfer.data.labels import expected
from tsxfer.data.marks import NEAR, Windows, alike, marks, marks_of
from tsxfer.data.moved import RESAMPLED, _enough, moved
from tsxfer.errors import DataError
from tsxfer.own.description import Description
from tsxfer.own.importing import bring
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace


def _x(seed: int, count: int = 400, channels: int = 2, length: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, channels, length)).astype(np.float32)


def _windows(x: np.ndarray) -> Windows:
    return Windows(x, marks(x), np.arange(len(x)))


def _file(folder: Path, name: str, x: np.ndarray, group: np.ndarray | None = None) -> Path:
    y = np.random.default_rng(9).integers(0, 2, len(x))
    names = np.array([f"p{i // 10}" for i in range(len(x))]) if group is None else group
    np.savez(folder / name, x=x, y=y, group=names)
    return folder / name


def _trial(place: Workspace, source: Path, target: Path) -> Trial:
    ids = [bring(path, Description(), place).card.id for path in (source, target)]
    origin = Trial(ids[0], "convnetquake", "all", 0)
    return Trial(
        dataset=ids[1],
        model="convnetquake",
        size="n=60",
        repeat=0,
        recipe=Recipe(),
        reuse=Reuse(origin),
    )


CHANGES = {
    "as it is": lambda x, _: x,
    "doubled": lambda x, _: 2 * x,
    "turned upside down": lambda x, _: -x,
    "moved": lambda x, _: x + 100,
    "noise of 1e-5": lambda x, noise: x + 1e-5 * noise,
    "all of it": lambda x, noise: -3 + 0.01 * (x + 1e-5 * noise),
    "rounded to 16 bits": lambda x, _: x.astype(np.float16).astype(np.float32),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_is_found_however_it_was_changed(change: str) -> None:
    """Each window's copy is found at its place, and no window has a copy among others."""
    x = _x(1)
    copy = CHANGES[change](x, _x(2))[::-1].copy()
    assert (alike(_windows(copy), _windows(x)) == np.arange(len(x))[::-1]).all()
    assert (alike(_windows(_x(3)), _windows(x)) == -1).all()


def _recordings(kind: str) -> np.ndarray:
    """Eighty recordings of two channels: noise, coloured noise, or a random walk."""
    raw = np.random.default_rng(3).normal(size=(80, 2, 300))
    made = {"noise": raw, "coloured": lfilter([1], [1, -1.6, 0.8], raw), "walk": raw.cumsum(axis=2)}
    return made[kind].astype(np.float32)


MOVED = {
    "shifted by a sixth": lambda r: r[:, :, 20:140],
    "shifted by almost half": lambda r: r[:, :, 58:178],
    "cut from the middle, turned over and scaled": lambda r: -3 * r[:, :, 30:110] + 1,
    "shifted, with noise": lambda r: r[:, :, 20:140] + 1e-5 * _x(2, len(r), 2, 120),
    "at half the rate": lambda r: resample_poly(r[:, :, :120], 1, 2, axis=2),
    "at one and a half of it": lambda r: resample_poly(r[:, :, :120], 3, 2, axis=2),
    "at two thirds, by Fourier": lambda r: resample(r[:, :, :120], 80, axis=2),
}


@pytest.mark.parametrize("kind", ["noise", "coloured", "walk"])
@pytest.mark.parametrize("change", MOVED)
def test_a_copy_is_found_wherever_it_was_moved(change: str, kind: str) -> None:
    """Shifted, cut and resampled windows are found at their place; other recordings never."""
    recordings = _recordings(kind)
    seen, test = _windows(recordings[:, :, :120]), _windows(MOVED[change](recordings))
    found = moved(seen, test)
    assert (found >= 0).mean() > 0.9
    assert (found[found >= 0] == np.flatnonzero(found >= 0)).all()
    others = _windows(MOVED[change](_recordings(kind)[40:]))
    assert (moved(Windows(seen.x, seen.marks, np.arange(40)), others) == -1).all()


def test_ramps_steps_and_single_waves_are_no_copies() -> None:
    """Windows that share only what any may have (a ramp, a step, a wave) are different."""
    draw, at = np.random.default_rng(1), np.arange(120)
    for shape in (at / 10, np.sin(at / 19), np.sin(at), np.where(at > 60, 5.0, -5.0)):
        a, b = (shape + 0.01 * draw.normal(size=(60, 1, 120)) for _ in range(2))
        assert (moved(_windows(a), _windows(b)) == -1).all()
        smooth = np.tile(shape, (60, 1, 1))
        assert (moved(_windows(smooth[:, :, :100]), _windows(smooth[:, :, 10:110])) == -1).all()


def test_a_hum_that_all_windows_have_makes_no_copies() -> None:
    """Windows of two lengths under one strong tone are different; their copies are found."""
    draw, at = np.random.default_rng(1), np.arange(200)
    phase = draw.uniform(0, 6.28, size=(200, 1, 1))
    hum = 20 * np.sin(at * 0.3 + phase) + draw.normal(size=(200, 1, 200))
    other = 20 * np.sin(at * 0.3 + phase[::-1]) + draw.normal(size=(200, 1, 200))
    assert (moved(_windows(hum), _windows(other[:, :, :160])) == -1).mean() > 0.98
    assert (moved(_windows(hum), _windows(resample(hum, 160, axis=2))) >= 0).all()


def test_a_shifted_copy_under_another_name_is_refused(tmp_path: Path) -> None:
    """A source cut from the same recordings a little later stops the study, with counts."""
    place = Workspace(tmp_path / "w")
    long = _x(1, 200, 2, 150)
    target = _file(tmp_path, "target.npz", long[:, :, :120])
    later = _file(tmp_path, "later.npz", long[:, :, 20:140])
    trial = _trial(place, later, target)
    own, seen = overlap.of_trial(place, trial)
    assert (own.moved, seen.windows) == (0, 0)
    assert seen.moved is not None
    assert seen.moved > 0.5 * seen.test
    with pytest.raises(DataError, match=f"has seen {seen.moved} shifted, cut or resampled windows"):
        overlap.refuse(place, [trial])


def test_marks_have_no_rounding_boundary() -> None:
    """Over 20,000 windows, noise of 1e-5 moves no mark by a tenth of what is looked through."""
    x = _x(4, 20_000, 1, 40)
    moved = np.abs(marks(x + np.float32(1e-5) * _x(5, 20_000, 1, 40)) - marks(x)).max()
    assert 0 < moved < NEAR / 10


def test_constant_and_shared_channels_prove_nothing() -> None:
    """Dead channels, and a ramp that all windows share, make no copy of different windows."""
    a, b = _x(6), _x(7)
    for x in (a, b):
        x[:, 1] = np.arange(60)
    assert (alike(_windows(a), _windows(b)) == -1).all()
    for x in (a, b):
        x[:, :] = 5.0
    assert (alike(_windows(a), _windows(b)) == -1).all()


def test_a_source_of_more_channels_is_held_against() -> None:
    """One channel of a source is still the same window; windows of another length are others."""
    rng = np.random.default_rng(8)
    smooth = rng.normal(size=(50, 3, 256)).cumsum(axis=2).astype(np.float32)
    assert (alike(_windows(smooth), _windows(smooth[:, 1:2])) == np.arange(50)).all()
    assert (alike(_windows(smooth), _windows(smooth[:, :, :200])) == -1).all()


def test_marks_are_kept_and_made_again_where_they_are_damaged(tmp_path: Path) -> None:
    """The second look reads the file beside the arrays; a torn one is replaced, not believed."""
    made = bring(_file(tmp_path, "t.npz", _x(1)), Description(), Workspace(tmp_path / "w"))
    first = marks_of(made)
    (path,) = made.folder.glob("marks*.npy")
    assert np.array_equal(marks_of(made), first)
    path.write_bytes(path.read_bytes()[:100])
    assert np.array_equal(marks_of(made), first)
    assert np.array_equal(np.load(path), first)


def test_a_copy_under_another_name_is_refused(tmp_path: Path) -> None:
    """A study whose source holds test windows of its target stops before training, with counts."""
    place = Workspace(tmp_path / "w")
    target = _file(tmp_path, "target.npz", _x(1))
    copy = _file(tmp_path, "copy.npz", 2 * _x(1) + 1e-5 * _x(2))
    other = _file(tmp_path, "other.npz", _x(3), np.char.add("q", np.arange(400).astype(str)))
    trial = _trial(place, copy, target)
    own, seen = overlap.of_trial(place, trial)
    assert (own.source, own.windows, own.groups) == (trial.dataset, 0, 0)
    assert 0.5 * seen.test < seen.windows <= seen.test
    assert Caution.SAW_TEST in expected(trial, (), (own, seen))
    with pytest.raises(DataError, match=f"has seen {seen.windows} windows"):
        overlap.refuse(place, [trial])
    sound = _trial(place, other, target)
    overlap.refuse(place, [sound])
    assert not any(one.refused for one in overlap.of_trial(place, sound))


def test_ancestors_and_pools_are_looked_at(tmp_path: Path) -> None:
    """A copy that comes in through a pool, or through what a source continued from, is found."""
    place = Workspace(tmp_path / "w")
    target = _file(tmp_path, "target.npz", _x(1))
    copy = _trial(place, _file(tmp_path, "copy.npz", _x(1) + 1), target)
    other = _trial(place, _file(tmp_path, "other.npz", _x(3)), target)
    assert copy.reuse is not None
    assert other.reuse is not None
    first, second = other.reuse.source, copy.reuse.source
    pooled = Trial(first.dataset, "tcn", "all", 0, pool=(second.dataset,))
    after = Trial(first.dataset, "tcn", "all", 0, after=second)
    for origin in (pooled, after):
        trial = Trial(copy.dataset, "tcn", "n=60", 0, reuse=Reuse(origin))
        found = {one.source: one.windows for one in overlap.of_trial(place, trial)}
        assert found[first.dataset] == 0
        assert found[second.dataset] > 0


def test_groups_by_telling_names_are_refused_and_counters_only_told(tmp_path: Path) -> None:
    """``Speaker-4f2a9c`` on both sides is the same speaker; ``p1`` may be anyone."""
    place = Workspace(tmp_path / "w")
    who = np.array([f"speaker-{i // 10 * 7919 + 10**6:x}f" for i in range(400)])
    telling = _trial(
        place,
        _file(tmp_path, "a.npz", _x(1), np.char.upper(who)),
        _file(tmp_path, "b.npz", _x(2), who),
    )
    seen = overlap.of_trial(place, telling)[1]
    assert (seen.windows, seen.names) == (0, 0)
    assert seen.groups > 0
    counted = _trial(place, _file(tmp_path, "c.npz", _x(1)), _file(tmp_path, "d.npz", _x(2)))
    seen = overlap.of_trial(place, counted)[1]
    assert not seen.refused
    assert seen.names > 0
    assert Caution.SHARED_NAMES in expected(counted, (), [seen])


def test_names_that_differ_in_spelling_are_told() -> None:
    """``p1`` and ``P1 `` are shown as one; a name on both sides as it is, is the split's affair."""
    found = overlap.respelt(["p1", "p2", "p  3"], ["P1 ", "p2", "p 3", "p4"])
    assert sorted(found) == [("p  3", "p 3"), ("p1", "P1 ")]


def test_events_of_two_catalogues_are_matched_beyond_chance() -> None:
    """Half of the events in common, a few seconds off, are counted; not two dense catalogues."""
    rng = np.random.default_rng(10)
    time, size = np.sort(rng.uniform(0, 3e8, 4000)), rng.exponential(0.5, 4000) + 2
    shared = rng.permutation(4000)[:500]
    test = np.concatenate([time[shared] + rng.normal(0, 5, 500), rng.uniform(0, 3e8, 500)])
    sizes = np.concatenate([size[shared] + rng.normal(0, 0.1, 500), rng.exponential(0.5, 500) + 2])
    assert abs(overlap.same_events(time, size, test, sizes) - 500) < 15
    apart = rng.uniform(0, 3e8, 1000)
    assert overlap.same_events(time, size, apart, sizes) == 0
    assert overlap.same_events(np.full(4000, np.nan), size, apart, sizes) == 0


def test_stand_ins_share_nothing(tmp_path: Path) -> None:
    """Simulated sets, two of one simulator with event names alike, are not flagged."""
    place = Workspace(tmp_path / "w")
    origin = Trial("local_eq+sim@1", "tcn", "n=2000", 0)
    trial = Trial("local_eq_ir+sim@1", "tcn", "n=300", 0, reuse=Reuse(origin))
    found = overlap.of_trial(place, trial)
    assert len(found) == 2
    assert not any(one.refused or one.names for one in found)


def test_in_domain_and_halves_of_one_set_are_no_overlap(tmp_path: Path) -> None:
    """The rest of the training part, and a set without the test's windows, may be learned from."""
    place = Workspace(tmp_path / "w")
    target = bring(_file(tmp_path, "t.npz", _x(1)), Description(), place).card.id
    rest = Trial(target, "tcn", "n=60", 0, part="rest")
    trial = Trial(target, "tcn", "n=60", 0, reuse=Reuse(rest))
    assert [one.source for one in overlap.of_trial(place, trial)] == [target]
    assert not any(one.refused for one in overlap.of_trial(place, trial))


def test_the_command_refuses(tmp_path: Path) -> None:
    """`run` stops before the first row, with the counts and the advice, and `label` goes on."""
    _file(tmp_path, "target.npz", _x(1))
    _file(tmp_path, "copy.npz", _x(1))
    flags = ("run", "--source", "copy.npz", "--target", "target.npz", "--quick", "--size", "60")
    refused = tsxfer(tmp_path, *flags)
    assert refused.returncode == 2
    assert "--overlap label" in refused.stderr
    assert not list(tmp_path.rglob("*.jsonl"))
    unknown = tsxfer(tmp_path, *flags, "--overlap", "lable")
    assert "label" in unknown.stderr


@pytest.mark.slow
def test_a_labelled_overlap_is_in_rows_and_tables(tmp_path: Path) -> None:
    """With ``--overlap label`` every transfer row holds the count, and the report says it first."""
    _file(tmp_path, "target.npz", _x(1))
    _file(tmp_path, "copy.npz", _x(1))
    flags = ("--target", "target.npz", "--quick", "--size", "60", "--overlap", "label")
    made = tsxfer(tmp_path, "run", "--source", "copy.npz", *flags)
    assert "OVERLAP" in made.stdout
    (study,) = (tmp_path / "tsxfer-workspace/results").iterdir()
    rows = Store(study).rows().values()
    moved = [row for row in rows if row.trial.reuse]
    assert moved
    assert all(row.overlap[1].windows and Caution.SAW_TEST in row.labels for row in moved)
    assert not any(Caution.SAW_TEST in row.labels for row in rows if not row.trial.reuse)


def test_few_harmonics_of_many_pairs_must_agree_more_closely() -> None:
    """Eight harmonics of ten million pairs reach 0.99 by chance, as prices and speech once did."""
    draw = np.random.default_rng(0).normal(size=(2, 1500, 8))
    one, other = (d / np.linalg.norm(d, axis=1, keepdims=True) for d in draw)
    largest = float(np.abs(one @ other.T).max())
    assert 0.97 < largest < _enough(8, one.shape[0] * other.shape[0]) < 0.9999
    assert _enough(8, 10**7) > 0.999
    assert _enough(48, 10**8) == RESAMPLED
