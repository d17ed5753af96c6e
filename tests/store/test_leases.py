"""Leases: one holder, taken over from the dead and the silent, whatever the clocks say."""

import os
import time
from pathlib import Path

import pytest

from tsxfer.errors import StoreError
from tsxfer.store.leases import Leases, alone


def test_a_lease_has_one_holder_until_it_is_given_back(tmp_path: Path) -> None:
    """The second worker is refused at once, and served after the first gives back."""
    a, b = Leases(tmp_path), Leases(tmp_path, 60.0)
    assert a.take("trial")
    assert not b.take("trial")
    assert b.take("other")
    a.give_back("trial", "never-held")
    b._busy.clear()  # otherwise it asks again after a second
    assert b.take("trial")
    a.close()
    b.close()
    assert not list(tmp_path.glob("*.lease"))


def test_a_silent_holder_on_another_host_loses_its_lease(tmp_path: Path) -> None:
    """A marker that nobody touches is taken over after the time, and not before."""
    (tmp_path / "trial.lease").write_text(
        "filelock/2\npid=1\nhost=elsewhere\nmode=lease\ntoken=0123\nduration=1.0\n"
    )
    leases, began = Leases(tmp_path, 1.0), time.monotonic()
    while not leases.take("trial"):
        time.sleep(0.05)
    assert 1.0 <= time.monotonic() - began < 5.0
    leases.close()


def test_a_living_holder_keeps_its_lease_when_clocks_jump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A contender a day ahead, and files a day old, expire nothing while the holder touches it."""
    holder, contender = Leases(tmp_path, 0.6), Leases(tmp_path, 0.6)
    assert holder.take("trial")
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 86_400)
    for _ in range(20):
        os.utime(tmp_path / "trial.lease", (0, 0))
        assert not contender.take("trial")
        time.sleep(0.1)
    holder.close()


def test_a_dead_holder_on_this_host_is_noticed_at_once(tmp_path: Path) -> None:
    """A marker of a process that ended is taken over without waiting."""
    child = os.fork()
    if child == 0:
        held = Leases(tmp_path)
        os._exit(0 if held.take("trial") else 1)  # as kill -9: nothing is given back
    os.waitpid(child, 0)
    leases, began = Leases(tmp_path), time.monotonic()
    assert (tmp_path / "trial.lease").exists()
    while not leases.take("trial"):
        time.sleep(0.05)
    assert time.monotonic() - began < 10
    leases.close()


def test_what_is_done_alone_is_done_by_one(tmp_path: Path) -> None:
    """Inside `alone` nobody else holds the name; after it everybody may."""
    with alone(tmp_path, "prepare"):
        assert not Leases(tmp_path).take("prepare")
    with alone(tmp_path, "prepare"):
        pass


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A file where the folder should be gives a message, not a traceback."""
    (tmp_path / "leases").write_text("")
    with pytest.raises(StoreError, match="a lease cannot be written"):
        Leases(tmp_path / "leases")


def test_two_versions_that_wait_differently_are_said(tmp_path: Path) -> None:
    """A lease of another duration is neither taken nor a traceback."""
    holder = Leases(tmp_path, 30.0)
    assert holder.take("trial")
    with pytest.raises(StoreError, match="another version"):
        Leases(tmp_path, 60.0).take("trial")
    holder.close()
