"""The installation, the devices and the workspace."""

from __future__ import annotations

import importlib.util
from importlib import metadata
from pathlib import Path
from typing import Any

from tsxfer.cli.show import say, say_json
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace, environment


def show_doctor(workspace: Workspace, as_json: bool) -> None:
    """Installed packages, extras, devices, prepared data and damaged rows."""
    import shutil

    packages = ("torch", "numpy", "scipy", "librosa", "h5py", "yfinance", "sktime", "obspy")
    facts: dict[str, Any] = dict(environment())
    for name in packages:
        found = importlib.util.find_spec(name) is not None
        facts[name] = (
            metadata.version(name)
            if found
            else "missing"
            + (' (only for fr_aseaf: pip install "tsxfer[seismology]")' if name == "obspy" else "")
        )
    facts["devices"] = _devices()
    facts["workspace"] = (
        f"{workspace.root.resolve()} ({'exists' if workspace.root.exists() else 'not made yet'})"
    )
    place = workspace.root if workspace.root.exists() else Path()
    facts["free space"] = f"{shutil.disk_usage(place).free / 1e9:.1f} GB"
    facts["prepared"] = sorted(p.parent.name for p in (workspace.root / "data").glob("*/meta.json"))
    facts["damaged rows"] = _damaged(workspace)
    if as_json:
        say_json(facts)
    else:
        say([f"{what:13} {value}" for what, value in facts.items()])


def _devices() -> list[str]:
    """What torch finds beside the CPU, asked in this process; files in /dev say little."""
    from tsxfer.running.device import seen

    try:
        return ["cpu", *(str(one) for one in seen())]
    except ImportError:
        return ["not known: torch cannot be imported"]
    except RuntimeError as error:  # a driver that does not answer
        return ["cpu", f"others not known: {str(error).splitlines()[0]}"]


def _damaged(workspace: Workspace) -> list[str]:
    found = []
    for name in workspace.studies():
        store = Store(workspace.results(name))
        store.rows()
        found += [f"{name}/{line}" for line in (*store.damaged, *store.foreign)]
    return found


def show_checkup(device: str) -> int:
    """Try a device with small trainings; the exit code: 1 where something is not as it should be.

    Without a GPU the same trainings run on the CPU, and what is recorded is left out.
    """
    from tsxfer.running.checkup import checkup
    from tsxfer.running.device import device_of, seen

    chosen = device_of(device)
    say([f"torch         {metadata.version('torch')}", *(f"device        {one}" for one in seen())])
    if chosen == "cpu":
        say(["no GPU is used: a dry run on the CPU, where steps are stacked and not recorded"])
    failed = 0
    for finding in checkup(chosen):
        failed += not finding.good
        say([str(finding)])
    say([f"{failed} of these are not as they should be" if failed else "all as it should be"])
    return 1 if failed else 0
