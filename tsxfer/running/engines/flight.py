"""Keep enough packs in flight on a cluster, give rows as they come, send lost packs again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import Protocol, TypeVar

from tsxfer.core.results import Result
from tsxfer.errors import StoreError
from tsxfer.running.engines import wire
from tsxfer.running.supply import Pack, Supply

SECONDS = 2.0  # others' rows may make more packs ready meanwhile
TRIES = 3
HELD = 2048  # most trials in flight: the lease of each keeps a file open and a thread asleep

Handle = TypeVar("Handle", bound=Hashable)


class Cluster(Protocol[Handle]):
    """What an engine must offer; placement, queues and dead nodes are its own concern."""

    def most(self) -> int:
        """Packs that may be in flight now."""

    def start(self, packs: Sequence[Pack], busy: int) -> dict[Handle, list[Pack]]:
        """Send packs, bundled as suits the engine; `busy` handles are in flight already."""

    def ended(self, running: Sequence[Handle], seconds: float) -> list[Handle]:
        """Those that have ended; waits up to `seconds` for the first."""

    def answers(self, handle: Handle) -> list[str] | None:
        """Texts of `wire.work`, one a pack; None where they were lost with their machine."""

    def stop(self, running: Sequence[Handle]) -> None:
        """Cancel what nobody will read."""


def fly(supply: Supply, cluster: Cluster[Handle]) -> Iterator[Result]:
    """Rows of a supply from a cluster, as made.

    Raises:
        StoreError: If a pack is lost again and again.
    """
    _allow_files(HELD + 256)
    running: dict[Handle, list[Pack]] = {}
    lost: Counter[str] = Counter()
    try:
        while supply.waiting or running:
            flying = [pack for packs in running.values() for pack in packs]
            running |= cluster.start(list(_next(supply, cluster.most(), flying)), len(running))
            if not running:
                supply.rest()
                continue
            for handle in cluster.ended(list(running), SECONDS):
                packs, answers = running.pop(handle), cluster.answers(handle)
                if answers is None:
                    _count(lost, packs)
                    running |= cluster.start(packs, len(running))
                    continue
                for pack, answer in zip(packs, answers, strict=True):
                    yield from wire.rows(answer)
                    supply.finish(pack)
    finally:
        cluster.stop(list(running))


def _next(supply: Supply, most: int, flying: Sequence[Pack]) -> Iterator[Pack]:
    room, held = most - len(flying), sum(len(pack) for pack in flying)
    while room > 0 and held < HELD and (pack := supply.take()):
        yield pack
        room, held = room - 1, held + len(pack)


def _allow_files(count: int) -> None:
    """Raise this process's limit of open files, as far as it may."""
    try:
        import resource
    except ImportError:  # Windows, which has none
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _count(lost: Counter[str], packs: Sequence[Pack]) -> None:
    for pack in packs:
        trial = pack[0].trial
        lost[trial.key] += 1
        if lost[trial.key] >= TRIES:
            raise StoreError(
                f"{trial.dataset} {trial.model} {trial.size} was lost {TRIES} times "
                "with its machine",
                where=f"trial {trial.key}",
                mend="look at the engine's logs (memory?), then run the same command to resume",
            )
