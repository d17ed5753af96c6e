"""What rankers see: training windows alone, a source's convolutions, and its own classes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tsxfer.core.results import Result
from tsxfer.core.specs import NOISE, Recipe, Reuse, Trial
from tsxfer.data import catalogue, prepare
from tsxfer.data.task import draw, load_task, prepared
from tsxfer.errors import SpecError
from tsxfer.keys import stream
from tsxfer.own import weights as own_weights
from tsxfer.ranking import evidence, rankers
from tsxfer.ranking.elsewhere import Elsewhere
from tsxfer.ranking.rankers import known, measured, scores_of
from tsxfer.ranking.seen import features, probabilities, see, training_part
from tsxfer.ranking.sources import Pretrained, for_target, pretrained
from tsxfer.running.runner import Job, run
from tsxfer.store.rows import from_record, to_line
from tsxfer.store.workspace import Workspace
from tsxfer.train import weights
from tsxfer.zoo import shelf

RECIPE = Recipe(epochs=1)
SETS = ("emg+sim", "finance+sim", "speech+sim")
EMG, PRICES, WORDS = (catalogue.find(name).card.id for name in SETS)
MODEL = "convnetquake"
TARGET = Trial(EMG, MODEL, "200", 0)


def _series(name: str, count: int = 900):
    dataset = catalogue.find(name)
    assert dataset.simulate is not None
    return dataset, dataset.simulate(count, stream("test", name))


def _origin(dataset: str, model: str = MODEL, **changes: object) -> Trial:
    return replace(
        Trial(dataset=dataset, model=model, size="200", repeat=0, recipe=RECIPE), **changes
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with small simulated sets and pretrained sources, some of them of controls."""
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    for name in SETS:
        dataset, made = _series(name)
        prepare.prepare(dataset, [made], workspace.data(dataset.card.id))
    trials = [
        *(_origin(name) for name in (EMG, PRICES, WORDS)),
        _origin(PRICES, size="400"),
        _origin(PRICES, repeat=1),
        _origin(WORDS, recipe=replace(RECIPE, labels="shuffled")),
        _origin(WORDS, part="rest"),
        *(_origin(name, model) for model in ("tcn", "mlstm_fcn") for name in (PRICES, WORDS)),
    ]
    for trial in trials:
        job = Job(
            trial=trial,
            workspace=str(workspace.root),
            study="study",
            device="cpu",
            keep_weights=True,
            threads=1,
        )
        assert run(job).status == "done"
    kept = weights.load(workspace.weights(_origin(PRICES).key))
    for changes in (
        {"dataset": NOISE},
        {"pool": (WORDS,)},
        {"after": _origin(WORDS)},
        {"recipe": replace(RECIPE, objective="masked")},
    ):
        other = replace(_origin(PRICES), **changes)
        weights.save(workspace.weights(other.key), kept, _line(other))
    return workspace


def _line(trial: Trial) -> str:
    return to_line(Result(trial, "done", "mae", scores={"mae": 1.0}))


def _record(place: Workspace, trial: Trial) -> Result:
    return from_record(weights.row(place.weights(trial.key)) or {})


def _transfer(source: Trial, target: Trial = TARGET) -> Trial:
    return replace(target, model=source.model, reuse=Reuse(source))


def test_nothing_but_training_windows_counts(place: Workspace, tmp_path: Path) -> None:
    """Other windows and labels of validation and test change no score; one of training does."""
    data = prepared(place, EMG)
    rows = draw(data, TARGET)[0]
    dataset, made = _series("emg+sim")
    apart = np.concatenate([rows.validation, rows.test])
    before = measured(see(place, _transfer(_origin(WORDS)), _record(place, _origin(WORDS))))
    for where, same in ((apart, True), (draw(data, TARGET)[1].train[:40], False)):
        x, y = made.x.copy(), made.y.copy()
        x[where] = x[where[::-1]] * 3 + 1
        y[where] = np.roll(y[where], 1)
        other = Workspace(tmp_path / str(same))
        changed = replace(made, x=x, y=y)
        prepare.prepare(dataset, [changed], other.data(EMG))
        assert np.array_equal(prepared(other, EMG).array("group"), data.array("group"))
        for folder in ("weights", f"data/{WORDS}"):
            (other.root / folder).symlink_to(place.root / folder)
        after = measured(see(other, _transfer(_origin(WORDS)), _record(place, _origin(WORDS))))
        assert (after == before) is same


def test_the_part_is_what_a_trial_learns_from(place: Workspace) -> None:
    """Windows, labels and scaling are those of the trial's own task, classes and numbers alike."""
    for name in (EMG, PRICES):
        trial = Trial(name, MODEL, "200", 1)
        part, task = training_part(prepared(place, name), trial), load_task(place, trial)
        assert np.array_equal(part.windows.x, task.train.x)
        assert np.array_equal(part.learned, task.train_y)
        assert np.array_equal(part.truth, task.train_truth)
        assert set(part.codes) <= set(range(4))
        sign = 1 if part.classes else -1
        assert part.score(part.goals) == pytest.approx(sign if part.classes else 0, abs=1e-3)


def test_blind_answers_do_not_look(place: Workspace) -> None:
    """The best of constants, class shares and no change, as the sealed test sets beside scores."""
    classes = training_part(prepared(place, EMG), TARGET)
    assert 1 / 8 < classes.blind < 0.5
    assert (
        replace(classes, windows=replace(classes.windows, x=0 * classes.windows.x)).blind
        == classes.blind
    )
    prices = training_part(prepared(place, PRICES), Trial(PRICES, MODEL, "200", 0))
    still = -float(np.mean(np.abs(prices.truth - prices.windows.centre)))
    assert 1.1 * still < still <= prices.blind <= 0


@pytest.mark.parametrize("model", ["convnetquake", "tcn", "mlstm_fcn"])
def test_every_ranker_scores_every_source(place: Workspace, model: str) -> None:
    """Same arguments, a finite number or None; LEEP needs classes on both sides, alone in that."""
    assert len({ranker.name for ranker in known()}) == len(known())
    for source in (_origin(WORDS, model), _origin(PRICES, model)):
        seen = see(place, _transfer(source), _record(place, source))
        assert np.isfinite(seen.features).all()
        found = {ranker.name: ranker.score(seen) for ranker in known()}
        undefined = {name for name, score in found.items() if score is None}
        assert undefined == (set() if source.dataset == WORDS else {"leep"})
        assert all(isinstance(ranker.higher_is_better, bool) for ranker in known())
        assert found["labels"] == 200
        assert found["domain"] == 0
    numbers = see(
        place,
        _transfer(_origin(EMG, MODEL), Trial(PRICES, MODEL, "200", 0)),
        _record(place, _origin(EMG)),
    )
    assert measured(numbers)["leep"] is None
    assert measured(numbers)["probe"] is not None


def test_a_source_that_knows_the_target_scores_best(place: Workspace) -> None:
    """Features that hold the label raise every score of features above those of other features."""
    seen = see(place, _transfer(_origin(WORDS)), _record(place, _origin(WORDS)))
    knowing = replace(seen, features=np.hstack([seen.features, seen.target.goals]))
    for name in ("probe", "logme", "h_score"):
        ranker = rankers.get(name)
        knows, does_not = ranker.score(knowing), ranker.score(seen)
        assert knows is not None
        assert does_not is not None
        assert knows > does_not


def test_features_come_from_the_source(place: Workspace) -> None:
    """Equal to a hand-made forward pass through the copied kernels; the head plays no part."""
    part = training_part(prepared(place, EMG), TARGET)
    kept = weights.load(place.weights(_origin(WORDS).key))
    found = features(part, TARGET, kept)
    x = torch.from_numpy(part.windows.x)
    for layer in range(9):
        kernel = kept[f"backbone.convolutions.{layer}.weight"]
        kernel = (
            kernel.mean(dim=1, keepdim=True).expand(-1, x.shape[1], -1) if layer == 0 else kernel
        )
        padding = (0, 1) if x.shape[2] % 2 == 0 else (1, 1)
        x = torch.nn.functional.conv1d(
            torch.nn.functional.pad(x, padding),
            kernel,
            kept[f"backbone.convolutions.{layer}.bias"],
            stride=2,
        ).relu()
    assert found == pytest.approx(x.flatten(1).numpy(), abs=1e-5)
    assert np.array_equal(found, features(part, TARGET, kept))


def test_the_sources_own_classes_answer(place: Workspace) -> None:
    """On its own windows its probabilities are those of its model; they sum to 1 on any windows."""
    source = _origin(WORDS)
    kept, card = weights.load(place.weights(source.key)), catalogue.find(WORDS).card
    part = training_part(prepared(place, EMG), TARGET)
    found = probabilities(part, source, kept, card)
    assert found is not None
    assert found.shape == (len(part.learned), len(prepared(place, WORDS).classes))
    assert found.sum(axis=1) == pytest.approx(1)
    own = probabilities(training_part(prepared(place, WORDS), source), source, kept, card)
    other = probabilities(
        training_part(prepared(place, WORDS), source),
        source,
        kept,
        replace(card, length=card.length),
    )
    assert own is not None
    assert np.array_equal(own, other)
    assert probabilities(part, source, kept, replace(card, task="regression")) is None


def test_only_plain_pretrainings_are_at_hand(place: Workspace) -> None:
    """Plain pretrainings alone, one a corpus: with most labels, then with the lowest number."""
    found, damaged = pretrained(place)
    assert damaged == []
    assert len(found) == 9
    chosen = for_target(found, EMG, MODEL)
    assert [one.trial for one in chosen] == [_origin(PRICES, size="400"), _origin(WORDS)]
    with pytest.raises(SpecError, match="no source pretrained as magnet") as error:
        for_target(found, EMG, "magnet")
    assert "--model convnetquake or mlstm_fcn or tcn" in error.value.mend
    with pytest.raises(SpecError) as own:
        for_target([], "mine+own@1", MODEL)
    assert "--target FILE" in own.value.mend
    assert "--source FILE.safetensors" in own.value.mend


def test_weights_made_elsewhere_are_ranked_by_what_they_make_of_windows(place: Workspace) -> None:
    """The zoo's score as its transfer starts; what asks for its windows or head is not defined."""
    card, _ = shelf.bring(shelf.find("zoo:speech_test_list"), [MODEL], place)
    theirs = Elsewhere(card, MODEL)
    (only,) = for_target([], EMG, MODEL, [theirs])
    found = measured(see(place, _transfer(only.trial), only.row))
    kept = {name for name, score in found.items() if score is not None}
    assert kept == {"probe", "logme", "h_score", "labels", "domain"}
    assert found["labels"] > 1000
    assert found["domain"] == 0
    assert scores_of(place, _transfer(only.trial), None) == found


def test_of_a_stranger_only_what_was_said_is_known(place: Workspace, tmp_path: Path) -> None:
    """No labels and no domain of weights of which nobody has said what they learned from."""
    path = tmp_path / "stranger.safetensors"
    weights.save(path, weights.load(place.weights(_origin(PRICES).key)), "{}")
    for said, expected in (((), None), (("emg",), 1.0), (("finance",), 0.0), (("moon",), None)):
        card = own_weights.bring(str(path), said, place)
        found = measured(see(place, _transfer(Elsewhere(card, MODEL).trial), None))
        assert (found["labels"], found["domain"]) == (None, expected)


def test_real_sources_come_first_for_a_real_target() -> None:
    """Of one corpus the target's own kind is taken, whatever the labels."""
    made = [
        Pretrained(Result(Trial(n, MODEL, "all", 0), "done", "mae", sizes={"train": k}))
        for n, k in (("speech+sim@1", 9), ("speech@1", 1))
    ]
    assert for_target(made, "emg@1", MODEL)[0].trial.dataset == "speech@1"
    assert for_target(made, "emg+sim@1", MODEL)[0].trial.dataset == "speech+sim@1"


def test_a_damaged_file_is_named_and_left_out(place: Workspace, tmp_path: Path) -> None:
    """What cannot be read is no source, and the user is told which."""
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "half.safetensors").write_bytes(b"half")
    kept = weights.load(place.weights(_origin(WORDS).key))
    line = _line(_origin(WORDS))
    odd = {"a": "[]", "b": "{}", "c": '{"trial": [1]}', "d": line, "e": line.replace("200", "0x")}
    for name, row in odd.items():  # d: of another trial than its name says
        weights.save(tmp_path / "weights" / f"{name}.safetensors", kept, row)
    found = pretrained(Workspace(tmp_path))
    assert found == ([], [f"{name}.safetensors" for name in (*odd, "half")])


def test_scores_are_kept_until_something_changes(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time nothing is computed; another subset, source or version is computed anew."""
    source = _origin(WORDS)
    transfer, record = _transfer(source), _record(place, source)
    first = scores_of(place, transfer, record)
    monkeypatch.setattr(rankers, "see", lambda *_: pytest.fail("computed again"))
    assert scores_of(place, transfer, record) == first
    for other in (replace(transfer, repeat=1), replace(transfer, size="n=150")):
        with pytest.raises(pytest.fail.Exception):
            scores_of(place, other, record)
    monkeypatch.setattr(rankers, "VERSION", -1)
    with pytest.raises(pytest.fail.Exception):
        scores_of(place, transfer, record)


def test_hertz_need_a_rate(place: Workspace) -> None:
    """An own file without a rate has no spectrum in hertz, but all other distances."""
    seen = see(place, _transfer(_origin(WORDS)), _record(place, _origin(WORDS)))
    for rate, defined in ((1.0, False), (50.0, True)):
        card = replace(seen.target.card, name="mine+own", rate_hz=rate)
        found = measured(replace(seen, target=replace(seen.target, card=card)))
        assert (found["spectrum"] is not None) is defined
        assert found["per_sample"] is not None


def test_distances_need_the_data_that_made_the_weights(place: Workspace) -> None:
    """Where a source's data is not here or is another, its windows are not compared."""
    source = _origin(WORDS)
    record = replace(_record(place, source), data={WORDS: "0" * 16})
    found = measured(see(place, _transfer(source), record))
    assert {name for name, score in found.items() if score is None} == {
        "spectrum",
        "per_sample",
        "dtw",
    }


def test_no_study_is_no_evidence(place: Workspace) -> None:
    """A workspace without finished studies says nothing."""
    nothing = evidence.gather(place, [], True, lambda *_: pytest.fail("scored"))
    assert nothing == evidence.Evidence((), 0)
