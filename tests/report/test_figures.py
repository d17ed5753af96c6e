"""Figures: each is drawn on white, says what its axes are, and takes any name."""

import io
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as Xml

import numpy as np
import pytest
import vl_convert
from PIL import Image
from scipy import stats

from tests.rows import matrix
from tests.rows import study as made_study
from tsxfer.core.strategy import Strategy, named
from tsxfer.data import catalogue
from tsxfer.report import cards, export, figures, html, vega
from tsxfer.report.build import Report, build
from tsxfer.report.figures import (
    beside,
    budget,
    confusion,
    forest,
    heat,
    layers,
    ranking,
    survival,
    windows,
)
from tsxfer.report.figures.picture import OfComparison, OfStudy, Picture, mark, slug
from tsxfer.stats.cells import cells
from tsxfer.stats.compare import compare
from tsxfer.stats.ranks import ranks
from tsxfer.store.workspace import Workspace

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def report() -> Report:
    """Two sources, three targets, two sizes, with curves."""
    gains = np.zeros((2, 3, 2, 7))
    gains[0] = 4.0
    names = ["a@1", "b@1"], ["x@1", "y@1", "z@1"]
    return build("demo", *matrix(*names, gains, sizes=("n=1500", "n=9000"), curve=True))


@pytest.fixture(scope="module")
def pictures(report: Report) -> list[Picture]:
    """All of the study, and those of its first comparison."""
    studied = [picture for _, drawn in figures.of_study(report) for picture in drawn]
    return [*studied, *figures.of_comparison(report, 0)]


def _texts(svg: str) -> list[str]:
    found = _root(svg).iter(f"{SVG}text")
    return [
        line for text in found for line in (text.itertext() if len(text) else [text.text or ""])
    ]


def _root(svg: str) -> Xml.Element:
    return Xml.fromstring(svg)  # noqa: S314 our own


def test_every_module_of_the_room_is_a_figure() -> None:
    """A file with a figure is found without being named anywhere else, once, in its order."""
    room = Path(figures.__file__).parent
    files = {file.stem for file in room.glob("*.py")} - {"__init__", "picture"}
    assert len(figures.FIGURES) == len(files) == len(set(map(id, figures.FIGURES)))
    assert {type(figure) for figure in figures.FIGURES} == {OfStudy, OfComparison}
    places = [figure.place for figure in figures.FIGURES]
    assert places == sorted(places)


def test_every_picture_is_opaque_titled_and_has_named_axes(pictures: list[Picture]) -> None:
    """White lies behind everything, the title stands in it, each axis with numbers has a name."""
    for picture in pictures:
        root = _root(picture.svg(""))
        first = next(node for node in root if node.tag != f"{SVG}title")
        assert (first.tag, first.get("fill")) == (f"{SVG}rect", "white")
        assert first.get("width") == root.get("width")
        drawn = " ".join(_texts(picture.svg("")))
        assert picture.title.split()[0] in drawn
        for title in _axes(picture.spec):
            assert title in drawn


def _axes(spec: object) -> set[str]:
    """Titles of the quantitative axes of a spec, each of which must have one."""
    found: set[str] = set()
    if isinstance(spec, list):
        return set().union(*map(_axes, spec))
    if not isinstance(spec, dict):
        return found
    for channel, value in spec.items():
        if (
            channel in ("x", "y")
            and isinstance(value, dict)
            and value.get("type") == "quantitative"
        ):
            assert value["title"], spec
            found.add(value["title"])
        elif channel != "data":
            found |= _axes(value)
    return found


def test_a_warning_has_a_line_of_its_own(pictures: list[Picture]) -> None:
    """Simulated data is said in every picture, above plot and legend and on no other text."""
    for picture in pictures:
        bare, marked = (_root(picture.svg(text)) for text in ("", "SIMULATED DATA"))
        assert float(marked.get("height", 0)) > float(bare.get("height", 0)) + 10
        assert "SIMULATED DATA" in _texts(picture.svg("SIMULATED DATA"))
        assert "SIMULATED DATA" not in _texts(picture.svg(""))


def test_a_figure_is_drawn_once(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page and files of one command share what was drawn."""
    picture = figures.of_comparison(report, 1)[0]
    first = picture.svg(mark(report))
    monkeypatch.setattr(vl_convert, "vegalite_to_svg", None)
    assert picture.svg(mark(report)) == first


def test_figures_come_as_svg_pdf_and_png(report: Report, tmp_path: Path) -> None:
    """All three open as what they are, the PNG is opaque and not blank, names say what is shown."""
    small = replace(report, comparisons=report.comparisons[:1], cells=report.cells[:1])
    names = export.figures(small, tmp_path)
    assert {"differences-mae", "scores-a-1-to-x-1-tcn-1500", "reached-a-1-to-x-1-tcn-1500"} <= set(
        names
    )
    for name in names:
        assert (tmp_path / f"{name}.svg").read_text().startswith("<svg ")
        assert (tmp_path / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        with Image.open(tmp_path / f"{name}.png") as image:
            assert image.size[0] > 1000
            assert image.convert("RGBA").getextrema()[3] == (255, 255)
            assert len(image.convert("L").getcolors() or range(9)) > 3


def test_two_pictures_of_one_name_are_two_files(report: Report) -> None:
    """Names that become the same on disk are distinguished."""
    twice = replace(report, comparisons=report.comparisons[:1] * 2, cells=report.cells[:1] * 2)
    names = [picture.name for picture in figures.every(twice)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("words", ["../../etc", "a/b\\c:d", "CON.", "é" * 300, "\x1b[31m", ""])
def test_a_name_of_a_file_is_harmless(words: str) -> None:
    """No separator, no leading dot, no long name."""
    assert re.fullmatch(r"scores(?:-[a-z0-9_.-]{1,99}(?<![.]))?", slug("scores", words))


def test_names_are_text_in_svg() -> None:
    """Markup, quotes and control characters in names draw as characters."""
    evil = "<script>alert(1)</script>\"'&]]>\x1b[31m\ud800"
    drawn = vega.svg(
        vega.titled({"data": {"values": [{"a": evil}]}, "mark": "text",
                     "encoding": {"text": {"field": "a"}}}, evil, evil), evil,
    )  # fmt: skip
    assert "<script" not in drawn
    assert "\x1b" not in drawn
    assert sum("<script>alert(1)</script>" in text for text in _texts(drawn)) == 3


def test_two_figures_on_a_page_share_no_name(report: Report) -> None:
    """What one figure calls its clip or gradient is no other figure's."""
    spec = {"width": 50, "data": {"values": [{"a": 1}]},
            "mark": {"type": "bar", "clip": True}, "encoding": {"x": {"field": "a"}}}  # fmt: skip
    names = [re.findall(r'id="([^"]+)"', vega.svg({**spec, "width": w})) for w in (50, 60)]
    assert names[0]
    assert not set(names[0]) & set(names[1])


def test_survival_and_thresholds_need_curves(report: Report) -> None:
    """A comparison without curves has its scores alone."""
    bare = replace(report, comparisons=(replace(report.comparisons[0], convergence=None),))
    assert len(figures.of_comparison(report, 0)) > 1
    assert [picture.name[:6] for picture in figures.of_comparison(bare, 0)] == ["scores"]


def test_arms_that_coincide_are_both_seen(report: Report) -> None:
    """Where both arms reach the threshold at the same samples, both colours stay in the picture."""
    picture = survival.draw(report, report.comparisons.index(report.comparisons[-1]))
    assert picture is not None
    rows = picture.spec["data"]["values"]
    same = [
        {**row, "arm": arm}
        for row in rows
        if row["arm"] == "scratch"
        for arm in ("scratch", "transfer")
    ]
    png = vl_convert.svg_to_png(vega.svg({**picture.spec, "data": {"values": same}}))
    with Image.open(io.BytesIO(png)) as image:
        left, top, right, bottom = 60, 60, image.width - 10, image.height - 50
        colours = {
            c
            for _, c in image.convert("RGB").crop((left, top, right, bottom)).getcolors(9999) or []
        }
    assert {(0xF0, 0xA8, 0x78), (0x00, 0x72, 0xB2)} <= colours


def test_long_names_stay_beside_the_forest_plot() -> None:
    """A combined source is wrapped into lines that end before the intervals begin."""
    trials, rows = made_study(3, [0.5, 0.6, 0.55], [0.6, 0.7, 0.62])
    long = {
        t.key: replace(
            t,
            reuse=replace(t.reuse, source=replace(t.reuse.source, pool=("local_eq_ir+sim@1",) * 3)),
        )
        for t in trials
        if t.reuse
    }
    moved = [long.get(t.key, t) for t in trials]
    made = {n.key: replace(rows[o.key], trial=n) for n, o in zip(moved, trials, strict=True)}
    texts = _texts(vega.svg(forest.spec(compare(cells(moved, made)))))
    named = [text for text in texts if "local_eq_ir" in text]
    assert len(named) >= 2
    assert max(map(len, named)) <= forest.WORDS


def test_a_large_study_gets_a_forest_for_each_target(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond what one picture can show, targets have their own, which say what they leave out."""
    monkeypatch.setattr(forest, "MOST", 3)
    drawn = list(forest.draw(report))
    assert [picture.name for picture in drawn] == [f"differences-{t}-1-mae" for t in "xyz"]
    assert all("3 of 4 comparisons" in picture.caption for picture in drawn)


def test_a_page_draws_the_figures_of_the_clearest_comparisons(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are too many, those with the smallest p are drawn; all keep their tables."""
    monkeypatch.setattr(html, "PICTURED", 2)
    page = html.render(report)
    assert page.count("test scores</title>") == 0
    assert page.count("a line joins a pair") == 2 * 2  # in the title for readers and in the caption
    assert page.count('<details class="block"') == len(report.comparisons)


def test_the_heat_map_shows_the_mean_gain_of_each_pair(report: Report) -> None:
    """Each cell is the mean difference in margins with its verdicts; failed baselines are out."""
    pictures = list(heat.draw(report))
    assert [p.name for p in pictures] == [f"gain-by-source-and-target-{n}" for n in (1500, 9000)]
    cells = {(r["source"], r["target"]): r for r in pictures[0].spec["data"]["values"]}
    for c in report.comparisons[:1]:
        cell = cells[c.source, c.trial.dataset]
        assert cell["gain"] == pytest.approx(c.difference / c.margin)
        assert cell["text"].endswith("of 1")
    failed = tuple(replace(c, valid=False) for c in report.comparisons)
    assert list(heat.draw(replace(report, comparisons=failed))) == []


def test_scores_stand_over_the_labels_that_were_seen(report: Report) -> None:
    """Each target has scratch and every source at both budgets, with mean and range."""
    pictures = list(budget.draw(report))
    assert len(pictures) == 3
    rows = pictures[0].spec["data"]["values"]
    assert {(r["way"], r["labels"]) for r in rows} == {
        (way, labels) for way in ("scratch", "a@1", "b@1") for labels in (1500, 9000)
    }
    assert all(r["low"] <= r["mean"] <= r["high"] for r in rows)
    one = [i for i, c in enumerate(report.comparisons) if c.trial.size == "n=1500"]
    comparisons = tuple(report.comparisons[i] for i in one)
    cells_of_one = tuple(report.cells[i] for i in one)
    assert list(budget.draw(replace(report, comparisons=comparisons, cells=cells_of_one))) == []


def test_controls_and_baselines_stand_beside_their_transfer(report: Report) -> None:
    """A placebo of the same target, model and budget is in the picture, another's is not."""
    assert list(beside.draw(report)) == []
    placebo = report.comparisons[0]
    (picture,) = beside.draw(replace(report, placebos=(placebo,)))
    kinds = [row["kind"] for row in picture.spec["data"]["values"]]
    assert kinds == ["scratch", "transfer", "transfer", "control"]
    assert picture.spec["data"]["values"][-1]["mean"] == pytest.approx(np.mean(placebo.transfer))


@pytest.mark.parametrize(
    "name", ["lora:rank=8", "lp_ft:stage=3", "zero_shot", "first_2:anchor=0.1"]
)
def test_ways_that_are_no_point_of_the_curve_are_left_out(report: Report, name: str) -> None:
    """Strategies whose options have no meaning for plain copies are none of its points."""
    found = report.comparisons[0]
    how = found.trial.reuse
    assert how is not None
    way = replace(found, trial=replace(found.trial, reuse=replace(how, strategy=named(name))))
    assert not list(layers.draw(replace(report, comparisons=(way, *report.comparisons))))


def test_the_layer_curve_has_a_point_for_each_number_of_blocks(report: Report) -> None:
    """Strategies that copy the first blocks make a curve; anything else has no place in it."""
    c = report.comparisons[0]
    assert c.trial.reuse is not None
    ways = [
        Strategy(blocks=2), Strategy(blocks=1), Strategy(blocks=1, learn="frozen"),
        Strategy(blocks=3, learn="probe"), Strategy(),
    ]  # fmt: skip
    made = tuple(
        replace(c, trial=replace(c.trial, reuse=replace(c.trial.reuse, strategy=way)))
        for way in ways
    )
    (picture,) = layers.draw(replace(report, comparisons=made))
    points = [(row["blocks"], row["learn"]) for row in picture.spec["data"]["values"]]
    assert points == [(1, "tuned"), (1, "frozen"), (2, "tuned")]


def test_ranks_are_those_of_the_statistics(report: Report) -> None:
    """The diagram shows every treatment at its average rank."""
    found = ranks(report.comparisons)
    assert found is not None
    (picture,) = ranking.draw(report)
    dots = picture.spec["vconcat"][-1]["data"]["values"]
    assert {row["name"]: row["rank"] for row in dots} == dict(
        zip(found.names, found.ranks, strict=True)
    )


def test_confusion_counts_the_kept_predictions_of_both_arms(tmp_path: Path) -> None:
    """Shares are of each true class over all repeats, the F1 is that of the class and arm."""
    trials, rows = made_study(2, [0.5, 0.5], [0.9, 0.9])
    truth = np.array([0, 0, 1, 1])
    (tmp_path / "predictions").mkdir()
    for row in rows.values():
        predicted = truth if row.trial.reuse else np.array([0, 1, 1, 1])
        file = tmp_path / "predictions" / f"{row.key}.npz"
        np.savez(file, truth=truth, group=truth, predicted=predicted, alignment=row.alignment)
    made = replace(build("demo", trials, rows), folder=tmp_path)
    picture = confusion.draw(made, 0)
    assert picture is not None
    scratch, transfer = ({(r["truth"], r["predicted"]): r["share"] for r in part["data"]["values"]}
                         for part in picture.spec["hconcat"])  # fmt: skip
    assert scratch["class 0 (F1 0.67)", "class 1"] == 0.5
    assert scratch["class 1 (F1 0.80)", "class 1"] == 1.0
    assert transfer["class 0 (F1 1.00)", "class 0"] == 1.0
    assert "class 0 (F1 0.67)" in _texts(picture.svg(""))
    assert confusion.draw(replace(made, folder=tmp_path / "elsewhere"), 0) is None


def test_classes_have_their_whole_names(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are those of the data, uncut, also where the last class was never seen nor predicted.

    Data of fewer classes than there are codes is not what was predicted: its names are not used.
    """
    known = ("rest", "a very long name of a movement of the hand", "fist")
    monkeypatch.setattr(cards, "_prepared", lambda *_: SimpleNamespace(classes=known))
    assert cards.class_names(report, "x@1", 3) == list(known)
    assert cards.class_names(report, "x@1", 2) == list(known[:2])
    assert cards.class_names(report, "x@1", 4) == [f"class {code}" for code in range(4)]


def test_axes_of_scores_have_the_unit_of_the_labels(report: Report, tmp_path: Path) -> None:
    """An error in the labels' unit says the unit of the target's card; a score has none."""
    place = Workspace(tmp_path)
    made = replace(report, folder=place.results("demo"))
    (c,) = build("demo", *made_study(3, [9.0] * 3, [8.0] * 3, target="finance@1", metric="mae"),
                 ).comparisons  # fmt: skip
    unit = catalogue.find("finance").card.unit
    assert unit
    assert cards.scored(made, c) == f"MAE ({unit}, lower is better)"
    assert cards.scored(report, c) == "MAE (lower is better)"
    (f1,) = build("demo", *made_study(3, [0.5] * 3, [0.6] * 3)).comparisons
    assert cards.scored(made, f1) == "macro F1 (higher is better)"


def test_bands_of_the_budget_curve_are_students_intervals(report: Report) -> None:
    """Bands are scipy's 95 % interval of the mean over repeats, and the caption says so."""
    (picture, *_) = budget.draw(report)
    assert "95 % intervals of the mean over repeats, on these test instances" in picture.caption
    c = report.comparisons[0]
    row = next(r for r in picture.spec["data"]["values"] if r["way"] == "scratch")
    low, high = stats.t.interval(0.95, 6, np.mean(c.scratch), stats.sem(c.scratch))
    assert (row["low"], row["high"]) == pytest.approx((low, high))


def test_example_windows_are_those_that_lie_prepared(tmp_path: Path) -> None:
    """A data set of the workspace is drawn in its own unit and time, an absent one left out."""
    trials, rows = made_study(2, [0.5, 0.5], [0.9, 0.9])
    x = np.arange(5 * 8 * 20, dtype=np.float32).reshape(5, 8, 20)
    place = Workspace(tmp_path)
    place.data("emg@1").mkdir(parents=True)
    np.save(place.data("emg@1") / "x.npy", x)
    made = replace(build("demo", trials, rows), folder=place.results("demo"))
    (picture,) = windows.draw(made)
    values = picture.spec["data"]["values"]
    assert picture.name == "example-windows-emg-1"
    assert [r["value"] for r in values if r["window"] == "window 2"] == x[2, 0].tolist()
    rate = catalogue.find("emg").card.rate_hz
    assert max(r["time"] for r in values) == pytest.approx(19 / rate)
