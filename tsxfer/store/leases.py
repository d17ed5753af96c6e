"""Leases in a shared folder: workers on any machine agree on who does what, without a server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import LeaseSettingsMismatch, SoftFileLease, Timeout

from tsxfer.errors import StoreError

SECONDS = 60.0  # NFS clients may hold file attributes for as long
POLL = 1.0


class Leases:
    """Named leases, each a file that its holder touches; a holder that stalls or dies loses it.

    A contender takes a lease whose file it saw unchanged for `seconds` of its own steady clock, so
    neither a wrong nor a jumping clock on any machine expires a live one. On the same host a dead
    holder is noticed at once. A lease is a hint: two holders do the same work twice, and no
    result is wrong.
    """

    def __init__(self, folder: Path, seconds: float = SECONDS) -> None:
        self.folder, self.seconds = folder, seconds
        self._held: dict[str, SoftFileLease] = {}
        self._busy: dict[str, tuple[SoftFileLease, float]] = {}  # what others hold, and when to ask
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from None

    def take(self, name: str) -> bool:
        """Take a lease; False where another worker holds it. Never waits.

        Raises:
            StoreError: If the folder cannot be written.
        """
        lease, again = self._busy.pop(name, (self._new(name), 0.0))
        if time.monotonic() < again:
            self._busy[name] = lease, again
            return False
        try:
            lease.acquire(timeout=0)
        except Timeout:
            # The same object asks again: it knows since when the file did not change.
            self._busy[name] = lease, time.monotonic() + min(POLL, self.seconds / 10)
            return False
        except OSError as error:
            raise _unwritable(self.folder, error) from None
        except LeaseSettingsMismatch:
            raise StoreError(
                f"another version of tsxfer, which waits other than {self.seconds:g} s, works here",
                where=str(self.folder),
                mend="run one version on all machines of a workspace",
            ) from None
        self._held[name] = lease
        return True

    def give_back(self, *names: str) -> None:
        """Let others have these; those not held are left alone."""
        for name in names:
            if name in self._held:
                self._held.pop(name).release()

    def close(self) -> None:
        """Give back all."""
        self.give_back(*self._held)

    def _new(self, name: str) -> SoftFileLease:
        return SoftFileLease(self.folder / f"{name}.lease", lease_duration=self.seconds)


@contextmanager
def alone(folder: Path, name: str) -> Iterator[None]:
    """Hold a lease for the length of the block; other workers wait for it."""
    leases = Leases(folder)
    while not leases.take(name):
        time.sleep(POLL / 5)
    try:
        yield
    finally:
        leases.close()


def _unwritable(folder: Path, error: OSError) -> StoreError:
    return StoreError(
        f"a lease cannot be written: {error.strerror}",
        where=str(folder),
        mend="free space, or make the folder writable",
    )
