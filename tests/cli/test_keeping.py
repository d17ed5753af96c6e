"""A model to keep: fitted from a source, with a card, used on files without labels."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from tests.cli.test_own_run import write_waves
from tests.study import tsxfer
from tsxfer.data import foreign
from tsxfer.data.marks import marks
from tsxfer.data.task import prepared
from tsxfer.errors import DataError
from tsxfer.estimators import TransferClassifier
from tsxfer.keep.overlap import with_weights, with_windows
from tsxfer.keep.saved import find_source
from tsxfer.store.given import FOLDER, Given
from tsxfer.store.workspace import Workspace

SAID = ("--label", "y", "--group", "who", "--rate", "50")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model fitted from another file."""
    folder = tmp_path_factory.mktemp("kept")
    write_waves(folder / "mine.csv", 150)
    write_waves(folder / "other.csv", 90, 48)  # of another length: no window is a copy
    (folder / "other.toml").write_text('label = "y"\ngroup = "who"\n')
    done = tsxfer(
        folder, "fit", "--source", "other.csv", "--target", "mine.csv", *SAID, "--out", "model"
    )
    assert done.returncode == 0, done.stderr
    assert "windows held out" in done.stdout
    return folder


def test_the_card_says_what_the_model_is(kept: Path) -> None:
    """Source, recipe, scaling, classes, channels, rate, score, simulated; people are not shared."""
    card = json.loads((kept / "model" / "card.json").read_text())
    assert card["source"].startswith("other+own@")
    assert card["target"].startswith("mine+own@")
    assert (card["classes"], card["channels"], card["rate_hz"]) == (["fast", "slow"], ["x"], 50.0)
    assert card["simulated"] is False
    assert card["recipe"]["epochs"] == 63
    assert 0 <= card["validation_score"] <= 1
    assert sum(card["windows"].values()) == 150
    assert len(card["audit"]["copied"]) == 18
    weights = load_file(kept / "model" / "weights.safetensors")
    assert {*card["audit"]["copied"], *card["audit"]["renewed"]} <= set(weights)


def test_a_source_that_has_seen_the_windows_is_refused(kept: Path) -> None:
    """`fit` from a copy of the target stops with counts; asked for, it labels the card."""
    (kept / "copy.csv").write_bytes((kept / "mine.csv").read_bytes())
    (kept / "copy.toml").write_text('label = "y"\ngroup = "who"\nrate = 50\n')
    words = ("fit", "--source", "copy.csv", "--target", "mine.csv", *SAID, "--quick")
    done = tsxfer(kept, *words, "--out", "tainted")
    assert done.returncode == 2
    assert "as a source has seen" in done.stderr
    assert "--overlap label" in done.stderr
    assert not (kept / "tainted").exists()
    done = tsxfer(kept, *words, "--out", "tainted", "--overlap", "label")
    assert done.returncode == 0, done.stderr
    warned = json.loads((kept / "tainted" / "card.json").read_text())["warnings"]
    assert any("as a source has seen" in line for line in warned)


def test_windows_given_to_an_estimator_are_compared(kept: Path) -> None:
    """A panel that the source has learned from is refused by name; another one is not."""
    place = Workspace(kept / "tsxfer-workspace")
    (file,) = [
        p
        for p in (place.root / "weights").glob("*.safetensors")
        if b"other+own" in p.read_bytes()[:9000]
    ]
    source = find_source(str(file), "convnetquake", place)
    seen = pd.read_csv(kept / "other.csv").drop(columns=["y", "who"]).to_numpy()[:, None]
    shared = with_windows(source, seen, place)
    assert shared.found[0].windows > 50
    with pytest.raises(DataError, match="as a source has seen"):
        shared.refuse("use another")
    fresh = np.random.default_rng(0).normal(size=(20, 1, 48))
    assert with_windows(source, fresh, place).words == ()
    estimator = TransferClassifier(source=str(source.path), workspace=str(place.root), epochs=1)
    with pytest.raises(DataError, match='overlap="label"'):
        estimator.fit(seen, np.arange(len(seen)) % 2)


def test_predictions_need_no_labels_and_agree_in_every_format(kept: Path) -> None:
    """A file with labels and one without give the same; the waves are distinguished."""
    table = pd.read_csv(kept / "mine.csv")
    samples = table.drop(columns=["y", "who"])
    samples.to_csv(kept / "bare.csv", index=False)
    np.savez(kept / "bare.npz", x=samples.to_numpy())
    found = []
    for name in ("mine.csv", "bare.csv", "bare.npz"):
        done = tsxfer(kept, "predict", "model", name, "--out", f"{name}.out.csv")
        assert done.returncode == 0, done.stderr
        found.append(pd.read_csv(kept / f"{name}.out.csv"))
    assert found[0].equals(found[1])
    assert found[0].equals(found[2])
    assert list(found[0].columns) == ["row", "predicted", "p_fast", "p_slow"]
    assert np.allclose(found[0][["p_fast", "p_slow"]].sum(axis=1), 1, atol=1e-5)
    assert (found[0]["predicted"] == table["y"]).mean() > 0.7


def test_the_same_fit_gives_the_same_bits_and_nothing_is_overwritten(kept: Path) -> None:
    """A second fit starts from the same pretraining; a folder with a model is left alone."""
    words = ("fit", "--source", "other.csv", "--target", "mine.csv", *SAID, "--out")
    again = tsxfer(kept, *words, "twice")
    assert again.returncode == 0, again.stderr
    assert "pretraining" not in again.stderr
    first, second = (load_file(kept / n / "weights.safetensors") for n in ("model", "twice"))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    refused = tsxfer(kept, *words, "model")
    assert refused.returncode == 2
    assert "model is there already" in refused.stderr


def test_a_fitted_model_is_a_source(kept: Path) -> None:
    """Frozen, its convolutions are kept to the bit; all that it has learned from is compared."""
    words = ("fit", "--source", "model", "--target", "other.csv", "--frozen", "--quick")
    refused = tsxfer(kept, *words, "--out", "next")
    assert "other+own" in refused.stderr
    assert "as a source has seen 90 windows" in refused.stderr  # the model started from them
    done = tsxfer(kept, *words, "--out", "next", "--overlap", "label")
    assert done.returncode == 0, done.stderr
    card = json.loads((kept / "next" / "card.json").read_text())
    assert card["source"].startswith("mine+own@")
    before, after = (load_file(kept / n / "weights.safetensors") for n in ("model", "next"))
    assert all(np.array_equal(before[name], after[name]) for name in card["audit"]["frozen"])
    assert len(card["audit"]["frozen"]) == 18


def test_numbers_are_predicted_in_their_unit(tmp_path: Path) -> None:
    """A regression from scratch gives numbers on the scale of the labels."""
    draw = np.random.default_rng(3)
    y = draw.uniform(500, 900, 80)
    x = draw.normal(size=(80, 2, 40)) + np.sin(np.arange(40) * y[:, None, None] / 2000)
    np.savez(tmp_path / "n.npz", x=x, y=y, group=np.arange(80) % 9)
    done = tsxfer(tmp_path, "fit", "--target", "n.npz", "--quick", "--out", "m")
    assert done.returncode == 0, done.stderr
    done = tsxfer(tmp_path, "predict", "m", "n.npz")
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(tmp_path / "predictions.csv")
    assert list(found.columns) == ["row", "predicted"]
    assert found["predicted"].between(400, 1000).all()


def _fit(*words: str) -> tuple[str, ...]:
    return ("fit", "--target", "mine.csv", *SAID, "--out", "new", *words)


BAD = {
    "no source": (_fit("--source", "spech"), "did you mean speech"),
    "no weights": (_fit("--source", "a.safetensors"), "no file a.safetensors"),
    "no model": (_fit("--model", "tcm"), "did you mean tcn"),
    "other model": (
        _fit("--source", "model", "--model", "tcn"),
        "trained as convnetquake, not as tcn",
    ),
    "itself": (_fit("--source", "mine+own"), "is source and target"),
    "two": (_fit("--source", "speech,emg"), "one source and one target"),
    "frozen noise": (_fit("--frozen"), "without a source"),
    "no folder": (("predict", "nowhere", "mine.csv"), "no fitted model can be read"),
    "no file": (("predict", "model", "nowhere.csv"), "no file nowhere.csv"),
    "channel": (("predict", "model", "channel.csv"), "no column x_0, x_1"),
    "length": (("predict", "model", "length.npz"), "windows are 1 x 9"),
    "nan": (("predict", "model", "nan.npz"), "3 of 3 windows have samples that are missing"),
    "damaged": (("predict", "damaged", "mine.csv"), "no fitted model can be read"),
}


@pytest.fixture(scope="module")
def spoilt(kept: Path) -> Path:
    """The same folder with files that do not suit the model."""
    pd.read_csv(kept / "mine.csv").rename(columns=lambda n: n.replace("x_", "z_")).to_csv(
        kept / "channel.csv", index=False
    )
    np.savez(kept / "length.npz", x=np.zeros((3, 9)))
    np.savez(kept / "nan.npz", x=np.full((3, 64), np.nan))
    (kept / "damaged").mkdir()
    (kept / "damaged" / "card.json").write_text('{"model": "tcn"}')
    return kept


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_message(spoilt: Path, case: str) -> None:
    """Exit code 2, one message, no half-written model."""
    words, message = BAD[case]
    done = tsxfer(spoilt, *words)
    assert done.returncode == 2, done.stdout
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (spoilt / "new").exists()


def test_what_lies_beside_weights_is_compared_with_the_windows(kept: Path) -> None:
    """Marks beside shipped weights tell windows that they have seen, with no data of theirs."""
    place = Workspace(kept / "tsxfer-workspace")
    (folder,) = (place.root / "data").glob("mine+own@*")
    target = prepared(place, folder.name)
    card = Given(name="shipped+zoo@1", origin="zoo:shipped@1", trained_on=("speech",))
    assert with_weights(card, target, place).unknown == ("speech",)
    seen = marks(np.asarray(target.array("x")))[:7]
    (place.root / FOLDER / card.name).mkdir(parents=True)
    known = foreign.Seen(target.card.length, seen, np.array(["nobody"]), np.zeros(7), np.zeros(0))
    foreign.write(place.root / FOLDER / card.name / foreign.FILE, known)
    with pytest.raises(DataError, match=r"shipped\+zoo@1 as a source has seen 7 windows"):
        with_weights(card, target, place).refuse("use another")
