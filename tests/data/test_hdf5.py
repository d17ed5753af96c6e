"""HDF5 faults told in words."""

from __future__ import annotations

import fcntl
from pathlib import Path

import h5py
import numpy as np
import pytest

from tsxfer.data.hdf5 import attribute, group_at, opened, samples
from tsxfer.errors import DataError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a trace of shape (4, 2) and attributes of all kinds."""
    path = tmp_path / "some.hdf5"
    with h5py.File(path, "w") as made:
        node = made.create_dataset("part/trace", data=np.arange(8.0).reshape(4, 2))
        node.attrs["text"], node.attrs["bytes"] = "a", np.bytes_(b"a")
        node.attrs["one"], node.attrs["many"] = np.array([3.5]), np.array([1, 2])
        made["part/words"] = np.array([[b"a", b"b"]])
    return path


def test_attributes_become_plain_values(file: Path) -> None:
    """Text, bytes and arrays of one are unpacked; a missing attribute is None."""
    with opened(file) as made:
        node = made["part/trace"]
        values = [attribute(node, name) for name in ("text", "bytes", "one", "none")]
        assert values == ["a", "a", 3.5, None]
        assert len(attribute(node, "many")) == 2


def test_samples_are_float32_of_the_shape_asked_for(file: Path) -> None:
    """Another shape, a group and text are errors that name file and trace."""
    with opened(file) as made:
        assert samples(made["part/trace"], (4, 2)).dtype == np.float32
        for name, shape in (("part/trace", (2, 4)), ("part", (4, 2)), ("part/words", (1, 2))):
            with pytest.raises(DataError, match="shape") as caught:
                samples(made[name], shape)
            assert caught.value.where.endswith(f"trace /{name}")


def test_a_missing_group_shows_what_is_there(file: Path) -> None:
    """The message lists the groups of the file; a data set is no group."""
    with opened(file) as made:
        with pytest.raises(DataError, match=r"no group 'EQ'; the file has part"):
            group_at(made, "EQ")
        with pytest.raises(DataError, match="no group"):
            group_at(made, "part/trace")


@pytest.mark.parametrize("keep", [0, 100, 1500])
def test_a_truncated_file_is_no_traceback_of_h5py(file: Path, keep: int) -> None:
    """The message names the file and its size, whatever h5py raises."""
    file.write_bytes(file.read_bytes()[:keep])
    told = rf"some\.hdf5 \({keep:,} bytes\) is no complete HDF5"
    with pytest.raises(DataError, match=told), opened(file) as made:
        samples(made["part/trace"], (4, 2))


def test_a_locked_file_is_not_to_be_deleted(file: Path) -> None:
    """A file that another program has open is whole: the message says who is in the way."""
    with file.open("rb+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(DataError, match="is locked") as caught, opened(file):
            pass
    assert "HDF5_USE_FILE_LOCKING=FALSE" in caught.value.mend
    assert "delete" not in caught.value.mend
