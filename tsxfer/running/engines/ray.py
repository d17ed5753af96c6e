"""Packs on any Ray cluster: Ray places, retries, scales; only jobs and rows cross."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tsxfer.errors import SpecError
from tsxfer.running.device import on_gpu
from tsxfer.running.engines import wire
from tsxfer.running.engines.options import RayOptions
from tsxfer.running.supply import Pack

FEWEST = 16  # in flight even on a small cluster, so that an autoscaler sees that more is wanted


@dataclass(frozen=True, slots=True)
class Ray:
    """A Ray cluster that this process is connected to.

    Attributes:
        options: What a pack asks for.
        device: ``cpu`` or ``cuda``.
        limit: Most packs in flight; 0 takes twice what the cluster has room for.
    """

    options: RayOptions
    device: str
    limit: int

    def most(self) -> int:
        """Twice the slots, so that none waits for us."""
        resources = _ray().cluster_resources()
        slots = resources.get("CPU", 0.0) / self.options.threads
        if on_gpu(self.device):
            slots = min(slots, resources.get("GPU", 0.0) / self.options.gpus)
        return self.limit or max(FEWEST, 2 * int(slots))

    def start(self, packs: Sequence[Pack], busy: int) -> dict[Any, list[Pack]]:
        """One task a pack."""
        del busy
        task = (
            _ray()
            .remote(wire.work)
            .options(
                num_cpus=self.options.threads,
                num_gpus=self.options.gpus if on_gpu(self.device) else 0,
                max_retries=self.options.retries,
                name="tsxfer",
            )
        )
        return {task.remote(wire.to_text(pack)): [pack] for pack in packs}

    def ended(self, running: Sequence[Any], seconds: float) -> list[Any]:
        """All that have ended once one has."""
        ray = _ray()
        first, _ = ray.wait(list(running), num_returns=1, timeout=seconds)
        return (
            list(ray.wait(list(running), num_returns=len(running), timeout=0)[0]) if first else []
        )

    def answers(self, handle: Any) -> list[str] | None:
        """None once Ray's own retries are used up."""
        from ray.exceptions import NodeDiedError, ObjectLostError, OutOfMemoryError
        from ray.exceptions import WorkerCrashedError as Crashed

        try:
            return [_ray().get(handle)]
        except (Crashed, NodeDiedError, OutOfMemoryError, ObjectLostError):
            return None

    def stop(self, running: Sequence[Any]) -> None:
        """Kill what runs, leave the cluster as it was."""
        for handle in running:
            _ray().cancel(handle, force=True)
        _ray().shutdown()


def connect(options: RayOptions, device: str, limit: int) -> Ray:
    """Connect to the cluster; ``auto`` takes a GPU where the cluster has one.

    Raises:
        SpecError: If Ray is not installed, or no cluster answers.
    """
    address = options.address or os.environ.get("RAY_ADDRESS") or "auto"
    ray = _ray()
    try:
        _refuse_silent(address)
        # Workers' prints would tear the progress bar; their errors come back as answers.
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (OSError, ValueError, RuntimeError) as error:
        raise SpecError(
            f"no Ray cluster answers: {str(error).splitlines()[0]}",
            where=f"address {address}",
            mend="ray start --head, or --address HOST:6379 (experiments/cluster/README.md)",
        ) from None
    if device == "auto":
        device = "cuda" if ray.cluster_resources().get("GPU") else "cpu"
    return Ray(options, device, limit)


def _refuse_silent(address: str) -> None:
    """Refuse an address at which nothing listens: Ray itself waits for minutes."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise SpecError("ray is not installed", mend='pip install "tsxfer[ray]"') from None
    return ray
