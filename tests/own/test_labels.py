"""Classes, numbers and groups: kept as called, joined where they are one, refused where unclear."""

from pathlib import Path

import numpy as np
import pytest

from tests.own.made import TIME, N, bring, bring_table, groups, labels, table
from tsxfer.errors import DataError
from tsxfer.own import importing
from tsxfer.own.description import Description
from tsxfer.own.like import read_like
from tsxfer.own.reading import Reading
from tsxfer.store.workspace import Workspace


def test_an_empty_group_cuts_no_name(tmp_path: Path) -> None:
    """One empty cell is refused by its row; the other names stay whole."""
    who = groups().astype(object)
    who[17] = None
    with pytest.raises(DataError, match="1 of 60 windows have no group") as refused:
        bring_table(tmp_path, table(who=who))
    assert refused.value.where.endswith("row 18")
    table(who=who).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="1 of 60 windows have no group"):
        bring(tmp_path / "a.parquet", label="y", group="who")
    made = bring_table(tmp_path, table())
    assert sorted(set(made.array("group").tolist())) == [f"s{i:02d}" for i in range(10)]


def test_groups_that_are_spelt_alike_are_one(tmp_path: Path) -> None:
    """Spaces and capitals make no second subject, and the joining is said."""
    who = groups().astype(object)
    who[3], who[15] = "s00 ", "S02"
    made = bring_table(tmp_path, table(who=who))
    assert sorted(set(made.array("group").tolist())) == [f"s{i:02d}" for i in range(10)]
    assert "'S02' = 's02'" in made.notes[0]


def test_classes_keep_their_names(tmp_path: Path) -> None:
    """``null``, ``None`` and ``NA`` are classes; spaces make no second class, capitals do."""
    words = np.array(["null", "None", "NA"])[np.arange(N) % 3]
    assert bring_table(tmp_path, table(y=words)).classes == ("NA", "None", "null")
    spaced = labels().astype(object)
    spaced[::7] = [f"{name} " for name in spaced[::7]]
    made = bring_table(tmp_path, table(y=spaced))
    assert made.classes == ("off", "on")
    assert "'on' = 'on '" in made.notes[0]
    made = bring_table(tmp_path, table(y=np.array(["Rest", "REST"])[np.arange(N) % 2]))
    assert made.classes == ("REST", "Rest")
    assert "capitals alone are kept apart" in made.notes[0]


def test_groups_that_look_alike_are_said(tmp_path: Path) -> None:
    """``s-1`` and ``S01`` stay two groups, and a note asks."""
    who = groups().astype(object)
    who[who == "s01"] = "s-1"
    who[3] = "s01"
    made = bring_table(tmp_path, table(who=who))
    assert len(set(made.array("group").tolist())) == 11
    assert "s-1 / s01" in made.notes[0]


def test_a_list_of_classes_is_no_class(tmp_path: Path) -> None:
    """A list cell as label is refused as several labels."""
    cells = [[name] if i % 3 else ["on", "off"] for i, name in enumerate(labels())]
    table().assign(y=cells).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="multi-label"):
        bring(tmp_path / "a.parquet", label="y", group="who")


def test_numbers_with_leading_zeros_are_names(tmp_path: Path) -> None:
    """``01`` is a code, not 1."""
    made = bring_table(tmp_path, table(y=np.array(["01", "02"])[np.arange(N) % 2]))
    assert made.classes == ("01", "02")


def test_many_whole_numbers_must_be_said(tmp_path: Path) -> None:
    """Twenty-five integers may be classes or a number: neither is guessed."""
    many = table(y=np.arange(N) % 25)
    with pytest.raises(DataError, match="25 different whole numbers") as refused:
        bring_table(tmp_path, many)
    assert "--task classification or --task regression" in refused.value.mend
    assert bring_table(tmp_path, many, task="regression").card.task == "regression"
    few = bring_table(tmp_path, table(y=np.arange(N) % 5))
    assert few.classes == tuple("01234")
    assert "--task settles it" in few.notes[0]


def test_several_labels_are_refused_by_name(tmp_path: Path) -> None:
    """Two number columns, and two classes in one cell, are told with what helps."""
    two = table(y2=np.arange(N) / 7)
    with pytest.raises(DataError, match="y2 does not belong") as refused:
        bring_table(tmp_path, two)
    assert "--ignore y2" in refused.value.mend
    assert bring_table(tmp_path, two, ignore=("y2",)).count == N
    with pytest.raises(DataError, match="several labels at once are not supported"):
        bring_table(tmp_path, two, label="y,y2")
    both = np.where(np.arange(N) % 3, labels(), "on|off")
    with pytest.raises(DataError, match="multi-label data is not supported"):
        bring_table(tmp_path, table(y=both))


def test_labels_that_no_number_can_be_are_refused(tmp_path: Path) -> None:
    """A label beyond float32 is shown with its window."""
    with pytest.raises(DataError, match=r"label 1e\+300 of window 1"):
        bring_table(tmp_path, table(y=np.where(np.arange(N) == 0, 1e300, 0.5)))


def test_several_labels_are_as_many_data_sets(tmp_path: Path) -> None:
    """Each output of a regression has a name and labels of its own; the others are no samples."""
    path = tmp_path / "two.csv"
    table(y=np.arange(N) / 3, y2=np.arange(N) / 7).to_csv(path, index=False)
    place = Workspace(tmp_path / "space")
    made = importing.bring_outputs(path, Description(label="y, y2", group="who"), place)
    assert [one.card.id.partition("@")[0] for one in made] == ["two_y+own", "two_y2+own"]
    for one, divisor in zip(made, (3, 7), strict=True):
        assert np.allclose(one.array("y"), np.arange(N) / divisor)
        assert one.array("x").shape == made[0].array("x").shape
    assert (
        len(
            importing.bring_outputs(
                path, Description(label="y", group="who", ignore=("y2",)), place
            )
        )
        == 1
    )


SEALED = np.arange(N) / 7
ABSENT: dict[str, tuple[np.ndarray, dict[str, str], dict[str, str]]] = {
    "-999": (SEALED, {"nan": "-999", "missing": "drop"}, {"nan": "none"}),
    "1e20": (SEALED, {"nan": "1e20", "missing": "drop"}, {"nan": "none"}),
    "999": (SEALED + 150, {"nan": "999", "missing": "drop"}, {"nan": "none"}),
    "-99": (np.arange(N) % 2, {"nan": "-99", "missing": "drop"}, {"nan": "none"}),
    "NA": (np.arange(N) % 2, {"missing": "drop"}, {"task": "classification"}),
    "nan": (np.arange(N), {"missing": "drop"}, {}),
    "": (labels(), {"missing": "drop"}, {}),
}


@pytest.mark.parametrize("value", ABSENT)
def test_labels_that_stand_for_nothing_are_asked_about(tmp_path: Path, value: str) -> None:
    """A missing label is refused; what the refusal offers leaves those windows out, or keeps it."""
    y, dropped, kept = ABSENT[value]
    cells = y.astype(object)
    cells[[4, 9, 14, 19]] = value
    with pytest.raises(DataError, match="4 of 60 windows") as refused:
        bring_table(tmp_path, table(y=cells))
    assert all(
        f"--{flag} {said}" in refused.value.mend.replace("+", "") for flag, said in dropped.items()
    )
    made = bring_table(tmp_path, table(y=cells), **dropped)
    assert made.count == N - 4
    assert "4 windows without a label" in " ".join(made.notes)
    if kept:
        assert bring_table(tmp_path, table(y=cells), **kept).count == N


def test_a_class_called_unknown_is_said_and_ignored_on_demand(tmp_path: Path) -> None:
    """``unknown`` stays a class by that name until ``--ignore`` names it."""
    cells = np.where(np.arange(N) % 6 == 5, "unknown", labels())
    made = bring_table(tmp_path, table(y=cells))
    assert made.classes == ("off", "on", "unknown")
    assert "--ignore unknown leaves those windows out" in " ".join(made.notes)
    assert bring_table(tmp_path, table(y=cells), ignore=("unknown",)).classes == ("off", "on")


def test_a_number_that_is_said_to_be_missing_is_no_label_wherever_it_lies(tmp_path: Path) -> None:
    """``--nan`` holds for labels amid others, and for one among words."""
    said = {"nan": "-999", "missing": "drop"}
    for y in (np.linspace(-2000, 5000, N).round(1), labels()):
        cells = y.astype(object)
        cells[[4, 9]] = -999
        made = bring_table(tmp_path, table(y=cells), **said)
        assert made.count == N - 2
        assert "-999" not in made.classes
    made = bring_table(tmp_path, table(y=np.arange(N) % 2), nan="0", missing="drop")
    assert made.classes == ("0", "1")  # 0 among samples says nothing of a class


def test_windows_without_a_label_need_no_group(tmp_path: Path) -> None:
    """A row that ``--missing drop`` leaves out is not refused for its empty group."""
    made = table(y=labels().astype(object), who=groups().astype(object))
    made.loc[7, ["y", "who"]] = ""
    assert bring_table(tmp_path, made, missing="drop").count == N - 1


def test_windows_without_a_label_are_predicted_and_not_scored(tmp_path: Path) -> None:
    """To score against, empty labels count for nothing, and -999 is asked about."""
    cells = (np.arange(N) / 7).astype(object)
    cells[7] = ""
    path = tmp_path / "a.csv"
    columns = tuple(f"x_{t}" for t in range(TIME))
    like = Reading(Description(unlabelled=True, columns=columns), ("x",), TIME)
    table(y=cells).to_csv(path, index=False)
    found = read_like(path, like, "y")
    assert found.y is not None
    assert (len(found.x), len(found.y), np.flatnonzero(~found.known).tolist()) == (N, N, [7])
    cells[7] = -999
    table(y=cells).to_csv(path, index=False)
    with pytest.raises(DataError, match="label -999 of 1 of 60") as refused:
        read_like(path, like, "y")
    assert "empty those cells" in refused.value.mend
