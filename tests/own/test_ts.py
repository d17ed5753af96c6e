"""Series of ``.ts`` files: labels as they are written, time stamps, spaces, flags."""

from pathlib import Path

import numpy as np
import pytest

from tests.own.made import N, bring, windows
from tsxfer.errors import DataError

EXPECTED = windows(2).astype(np.float32)


def _write(path: Path, head: str, labels: list[str], stamped: bool = False, gap: str = "") -> Path:
    def written(series: np.ndarray) -> str:
        cells = (f"({t},{v})" if stamped else str(v) for t, v in enumerate(series))
        return ",".join(cells)

    rows = [":".join([*map(written, w), y]) for w, y in zip(windows(2), labels, strict=True)]
    rows[0] = gap or rows[0]
    head = f"@problemName toy\n@timeStamps {str(stamped).lower()}\n{head}\n"
    path.write_text("# a comment\n" + head + "@data\n" + "\n".join(rows) + "\n")
    return path


def test_labels_keep_their_case_and_spaces_of_the_head_do_not_matter(tmp_path: Path) -> None:
    """``Rest`` and ``REST`` are two classes; two spaces after a word are one."""
    labels = ["Rest", "REST"] * (N // 2)
    made = bring(_write(tmp_path / "a.ts", "@classLabel  true Rest REST", labels))
    assert made.classes == ("REST", "Rest")
    assert np.array_equal(made.array("x"), EXPECTED)
    assert any("capitals" in note for note in made.notes)


def test_time_stamps_beside_numbers_as_labels(tmp_path: Path) -> None:
    """``(time,value)`` is read, and the label is the number behind the last colon."""
    truth = np.arange(N) / 7
    made = bring(_write(tmp_path / "a.ts", "@targetLabel true", [f"{v:.6f}" for v in truth], True))
    assert np.array_equal(made.array("x"), EXPECTED)
    assert np.allclose(made.array("y"), truth, atol=1e-5)


@pytest.mark.parametrize(("flag", "value"), [("label", "y"), ("group", "who")])
def test_flags_that_the_format_cannot_serve_are_refused(
    tmp_path: Path, flag: str, value: str
) -> None:
    """A .ts file has one label and no groups: naming others is no silence."""
    path = _write(tmp_path / "a.ts", "@classLabel true a b", ["a", "b"] * (N // 2))
    with pytest.raises(DataError, match=rf"--{flag} {value}: a \.ts file has") as refused:
        bring(path, **{flag: value})
    assert f"leave --{flag} out" in refused.value.mend
    assert bring(path, label="class").count == N


@pytest.mark.parametrize(
    ("gap", "message"),
    [
        ("1,2:a", "2 channel(s), the first window has 1"),
        ("1,2:1,2,3:a", "channels of one window have unequal lengths"),
        ("1,x:1,2:a", "could not convert string to float: 'x'"),
        ("1,2:1,2:a", "unequal length: 2 to 16"),
    ],
)
def test_damaged_series_are_refused_by_line(tmp_path: Path, gap: str, message: str) -> None:
    """Other channels, other lengths and words among numbers name their window or line."""
    path = _write(tmp_path / "a.ts", "@classLabel true a b", ["a", "b"] * (N // 2), gap=gap)
    with pytest.raises(DataError) as refused:
        bring(path)
    assert message in str(refused.value)
    assert refused.value.mend
