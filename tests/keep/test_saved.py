"""Weights of a user's own that are damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsxfer.errors import StoreError
from tsxfer.keep.saved import source_at


def test_a_damaged_file_is_no_reason_to_train_again(tmp_path: Path) -> None:
    """A source that a user named cannot be made by running a study: another copy is what helps."""
    path = tmp_path / "source.safetensors"
    path.write_bytes(b"\x08\0\0\0\0\0\0\0{broken}")
    with pytest.raises(StoreError, match="weights cannot be read") as caught:
        source_at(path, "magnet")
    assert "copy it again" in caught.value.mend
    assert "study" not in caught.value.mend
