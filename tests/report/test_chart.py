"""Figures for notebooks: drawn, styled, saved, and refused where there is nothing to show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.rows import matrix
from tsxfer.errors import SpecError
from tsxfer.report.build import Report, build
from tsxfer.report.chart import FORMATS, chart
from tsxfer.report.fragment import fragment


def _report() -> Report:
    gains = np.full((2, 1, 1, 4), 3.0)
    return build("demo", *matrix(["speech@1", "emg+sim@1"], ["mine+own@1"], gains, curve=True))


def test_a_chart_is_vega_lite_that_stands_alone() -> None:
    """A notebook gets a picture, Altair the whole spec, and the title stays in it."""
    found = chart(_report(), "forest")
    shown = found._repr_mimebundle_()
    assert str(shown["image/svg+xml"]).startswith("<svg")
    assert found.to_dict()["$schema"].endswith("v6.json")
    assert found.to_dict()["title"]["text"] == ["Differences in MAE"]


def test_a_styled_chart_changes_what_is_named_alone() -> None:
    """Properties merge at every depth, the first chart stays, and a font has a fallback."""
    first = chart(_report(), "forest")
    styled = first.styled(width=600, config={"font": "Times", "axis": {"labelFontSize": 20}})
    assert (styled.spec["width"], first.spec["width"]) == (600, 340)
    assert styled.spec["config"]["axis"]["labelFontSize"] == 20
    assert styled.spec["config"]["axis"]["gridColor"] == first.spec["config"]["axis"]["gridColor"]
    assert styled.spec["config"]["font"].startswith("Times, Liberation Sans")


@pytest.mark.parametrize("ending", FORMATS)
def test_a_chart_is_saved_as_its_ending_says(ending: str, tmp_path: Path) -> None:
    """Each format holds a file that begins as such files do; another ending is refused."""
    begins = {".svg": b"<svg", ".png": b"\x89PNG", ".pdf": b"%PDF", ".json": b"{", ".html": b"<!DO"}
    path = chart(_report(), "forest").save(tmp_path / f"a{ending}")
    assert path.read_bytes().lstrip()[:4].upper().startswith(begins[ending].upper()[:4])
    with pytest.raises(SpecError, match="no ending of a picture"):
        chart(_report(), "forest").save(tmp_path / "a.bmp")


def test_figures_of_one_comparison_ask_which() -> None:
    """One of several must be named by its line; a line or a name that is not there is refused."""
    assert chart(_report(), "learning", 1).caption
    with pytest.raises(SpecError, match="none is named") as refused:
        chart(_report(), "learning")
    assert "comparison=0 to 1" in refused.value.mend
    with pytest.raises(SpecError, match="number 2 is none"):
        chart(_report(), "learning", 2)
    with pytest.raises(SpecError, match="shows all comparisons"):
        chart(_report(), "forest", 0)
    with pytest.raises(SpecError, match="no figure is called 'forrest'"):
        chart(_report(), "forrest")
    with pytest.raises(SpecError, match="nothing to show in 'layers'") as empty:
        chart(_report(), "layers")
    assert "forest" in empty.value.mend


def test_a_cell_shows_answer_caveats_and_table() -> None:
    """A notebook's cell says that data is simulated, names both sources, and escapes text."""
    gains = np.full((1, 1, 1, 4), 3.0)
    shown = fragment(build("<b>", *matrix(["a+sim@1"], ["<i>+own@1"], gains)))
    assert "<i>" not in shown
    assert "&lt;i&gt;+own@1" in shown
    both = fragment(_report())
    assert "speech@1" in both
    assert both.count("<tr>") == 3
