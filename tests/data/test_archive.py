"""What is unpacked is named as its owner knows it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tsxfer.data.archive import unpacked
from tsxfer.errors import DataError


def test_a_message_names_the_archive_and_not_the_scratch_folder(tmp_path: Path) -> None:
    """What a reader says of a file inside begins with the path that the user gave."""
    archive = tmp_path / "files.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("words/yes.wav", "no sound")
    with (  # noqa: PT012
        pytest.raises(DataError) as caught,
        unpacked(archive, tmp_path / "scratch") as folder,
    ):
        inside = folder / "words" / "yes.wav"
        raise DataError(f"{inside} is no wav", where=str(inside), mend=f"remove {inside}")
    assert caught.value.where == str(archive / "words/yes.wav")
    assert "scratch" not in str(caught.value)
