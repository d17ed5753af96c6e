"""What flags mean: nothing that a user names is discarded in silence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.small import filled
from tsxfer.api.asked import Flags
from tsxfer.api.choose import study_from
from tsxfer.core.expansion import expand
from tsxfer.core.recipes import RECIPES
from tsxfer.core.study import Study
from tsxfer.core.study_files import study_toml
from tsxfer.data import catalogue, prepare
from tsxfer.errors import DataError, SpecError
from tsxfer.keys import stream
from tsxfer.store.workspace import Workspace


def _flags(**said: object) -> Flags:
    words = {"source": ["finance"], "target": ["emg"], "model": [], "size": [], "repeats": None}
    words |= {"data": None, "profile": None, "quick": False}
    return Flags(**(words | said))  # type: ignore[arg-type]


def _study(place: Workspace, **said: object) -> Study:
    return study_from(None, _flags(**said), place)


def test_quick_keeps_what_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--quick shrinks what flags leave open, keeps what they name, and says what it did."""
    place = Workspace(tmp_path)
    small = _study(place, quick=True)
    assert (small.sizes, small.repeats, small.source_size) == (("n=300", "n=900"), 3, "n=2000")
    assert "--quick: sizes n=300, n=900; 3 repeats" in capsys.readouterr().err
    named = _study(place, quick=True, size=["120"], repeats=5, source_size="500")
    assert (named.sizes, named.repeats, named.source_size) == (("n=120",), 5, "n=500")


def _real_emg(place: Workspace, count: int) -> Workspace:
    """A workspace in which `emg` is prepared, as if from files."""
    dataset = catalogue.find("emg+sim")
    assert dataset.simulate is not None
    real = catalogue.find("emg")
    made = dataset.simulate(count, stream("test", "emg"))
    prepare.prepare(real, [made], place.data(real.card.id))
    return place


def test_a_real_target_may_have_a_simulated_source(tmp_path: Path) -> None:
    """As an own file may; the source's name and the study's say that it is simulated."""
    study = _study(_real_emg(Workspace(tmp_path), 3000), source=["global_eq"], size=["300"])
    assert (study.sources, study.targets) == (("global_eq+sim@1",), ("emg@1",))
    assert study.name.endswith("-simulated")


def test_a_simulated_target_is_no_answer_for_a_real_source(tmp_path: Path) -> None:
    """An unprepared target beside a prepared source is refused, with the command that mends it."""
    place = _real_emg(Workspace(tmp_path), 500)
    with pytest.raises(SpecError, match="not prepared: finance") as caught:
        _study(place, source=["emg"], target=["finance"])
    assert "tsxfer prepare finance" in caught.value.mend


def test_a_real_target_gets_the_zoo(tmp_path: Path) -> None:
    """Weights of real data stand for a source that is not prepared, and the names say so."""
    place = _real_emg(Workspace(tmp_path), 3000)
    study = _study(place, size=["300"], controls=["permuted"])
    assert (study.sources, study.data) == (("gspc_1927_2023+zoo@1",), "real")
    assert study.name == "finance-to-emg-zoo"
    assert study.channels == {"emg@1": 8, "gspc_1927_2023+zoo@1": 1}
    assert {t.control for t in expand(study) if t.reuse} == {"", "untrained", "permuted"}
    assert not any(t.dataset == "gspc_1927_2023+zoo@1" for t in expand(study))
    again = study_from(None, _flags(source=[study.sources[0]], target=["emg"], size=["300"]), place)
    assert again.sources == study.sources


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"model": ["resnet"]}, "not for resnet (only for "),
        ({"pretrain": ["masked"]}, "learned from labels"),
        ({"source_size": "500"}, "how much to pretrain on"),
        ({"controls": ["shuffled"]}, "shuffled trains"),
        ({"profile": "paper"}, "not for the profile paper"),
    ],
)
def test_what_the_zoo_lacks_is_simulated(
    said: dict[str, object], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a study asks for what shipped weights are not, it is said, and the simulator stays."""
    place = _real_emg(Workspace(tmp_path), 3000)
    study = _study(place, **({"size": ["300"]} | said))
    assert study.sources == ("finance+sim@1",)
    assert why in capsys.readouterr().err


def test_simulated_is_simulated(tmp_path: Path) -> None:
    """Where it is asked for, or the target is simulated too, no shipped weights are used."""
    asked = _study(_real_emg(Workspace(tmp_path), 3000), size=["300"], data="simulated")
    assert asked.sources == ("finance+sim@1",)
    assert _study(Workspace(tmp_path / "bare"), size=["300"]).sources == ("finance+sim@1",)
    with pytest.raises(SpecError, match="--data real, but not prepared: finance"):
        _study(_real_emg(Workspace(tmp_path / "real"), 3000), size=["300"], data="real")


def test_trained_on_is_said_of_weights(tmp_path: Path) -> None:
    """With no file of weights among the sources it would be passed over; and no weights to test."""
    place = _real_emg(Workspace(tmp_path), 500)
    with pytest.raises(SpecError, match="no source is a file of them"):
        _study(place, trained_on=["speech"])
    with pytest.raises(SpecError, match="is weights, and no target"):
        _study(place, source=["emg"], target=["uci_emg_14_subjects+zoo@1"])


def test_a_small_source_is_used_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fewer labels than --quick wants: all are used, and it is said; a named budget is refused."""
    place = filled(Workspace(tmp_path), 600)
    assert _study(place, quick=True, size=["100"], data="simulated").source_size == "all"
    assert "all are used" in capsys.readouterr().err
    with pytest.raises(DataError, match="size 5000"):
        _study(place, size=["100"], data="simulated", source_size="5000")


def test_controls_none_stands_alone(tmp_path: Path) -> None:
    """It leaves out the check of the start too; with others beside it, it is refused."""
    place = Workspace(tmp_path)
    study = _study(place, controls=["none"], data="simulated")
    assert (study.controls, study.check_start) == ((), False)
    assert study.channels == {"finance+sim@1": 1, "emg+sim@1": 8}
    with pytest.raises(SpecError, match="wants none and some"):
        _study(place, controls=["none,permuted"], data="simulated")


def test_a_named_recipe_trains_both_arms(tmp_path: Path) -> None:
    """--recipe is of transfers and twins alike, under another study name; sources keep theirs."""
    plain, named = (_study(Workspace(tmp_path), recipe=name) for name in ("", "patient"))
    assert named.recipe == RECIPES["patient"] != plain.recipe == RECIPES["usual"]
    assert named.pretraining == plain.pretraining
    assert named.name == plain.name.replace("-simulated", "-patient-simulated")
    transfers = [t for t in expand(named) if t.reuse]
    assert {t.recipe for t in transfers} == {t.twin().recipe for t in transfers} == {named.recipe}


def test_a_recipe_that_is_contradicted_is_refused(tmp_path: Path) -> None:
    """Quick and the paper profile say how to train; so does an unknown name not."""
    for said in ({"quick": True}, {"profile": "paper"}, {"recipe": "patiend"}):
        with pytest.raises(SpecError, match=r"both say how to train|did you|unknown recipe"):
            _study(Workspace(tmp_path), **{"recipe": "patient", **said})


def test_both_protocols_are_asked_for_with_a_comma(tmp_path: Path) -> None:
    """strict,paper is one study with its own name; channels are known, and when resumed too."""
    place = Workspace(tmp_path)
    both = _study(place, profile="strict,paper")
    assert both.protocols == ("strict", "paper")
    assert both.name.endswith("-strict+paper-simulated")
    assert both.channels == {"finance+sim@1": 1, "emg+sim@1": 8}
    file = tmp_path / "again.toml"
    file.write_text(study_toml(replace(both, channels={})))
    words = {"source": [], "target": [], "model": [], "size": [], "repeats": None}
    words |= {"data": None, "profile": None, "quick": False}
    again = study_from(str(file), Flags(**words), place)  # type: ignore[arg-type]
    assert [t.key for t in expand(again)] == [t.key for t in expand(both)]
    assert any(t.control == "untrained" for t in expand(again))
