"""Check a study by reading; torch is not imported."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import asdict

from tsxfer.api.studies import known_study
from tsxfer.checks.held import Check
from tsxfer.checks.verify import passed, verify
from tsxfer.exchange.checking import check as check_set
from tsxfer.exchange.finding import find, is_set
from tsxfer.stats import verified
from tsxfer.store.workspace import Workspace

SHOWN = 3  # faults of a check that a terminal shows; --json has all


def verify_study(named: str, workspace: Workspace, as_json: bool, *, all_data: bool = False) -> int:
    """Print every check; 1 if any fails."""
    if is_set(named):
        return verify_set(named, workspace, as_json, all_data=all_data)
    name = known_study(named, workspace)
    folder = workspace.results(name)
    state = verified.state_of(folder)  # before, so that what changes meanwhile is not vouched for
    checks = verify(name, workspace, 0) if all_data else verify(name, workspace)
    names = tuple(check.name for check in checks)
    failed = tuple(check.name for check in checks if check.faults)
    with suppress(OSError):  # results that may only be read can be checked all the same
        verified.keep(folder, names, failed, sum(check.skipped for check in checks), state)
    if as_json:
        sys.stdout.write(json.dumps(_facts(name, checks), indent=1) + "\n")
    else:
        _show(name, checks)
    return 0 if passed(checks) else 1


def verify_set(named: str, workspace: Workspace, as_json: bool, *, all_data: bool = False) -> int:
    """Check every study of a result set, with the data of this workspace; 1 if any check fails."""
    found = find(named, workspace)
    checked = check_set(found, workspace, 0) if all_data else check_set(found, workspace)
    if as_json:
        sys.stdout.write(json.dumps([_facts(*one) for one in checked], indent=1) + "\n")
    else:
        for one in checked:
            _show(*one)
    return 0 if all(passed(checks) for _, checks in checked) else 1


def _facts(name: str, checks: list[Check]) -> dict[str, object]:
    described = [asdict(check) for check in checks]
    return {"study": name, "passed": passed(checks), "checks": described}


def _show(name: str, checks: list[Check]) -> None:
    sys.stdout.write("".join(_text(check) for check in checks))
    wrong = [check.name for check in checks if check.faults]
    idle = sum(not check.checked and not check.faults for check in checks)
    nothing = f", {idle} of them with nothing to look at" if idle else ""
    sys.stdout.write(
        f"{name}: all {len(checks)} checks passed{nothing}\n"
        if not wrong
        else f"{name}: {len(wrong)} of {len(checks)} checks failed: {', '.join(wrong)}\n"
    )


def _text(check: Check) -> str:
    state = "FAIL" if check.faults else "ok" if check.checked else "-"
    found = f", {len(check.faults)} wrong" if check.faults else ""
    lines = [f"{state:4}  {check.name:12} {check.what} ({check.checked}{found})"]
    lines += [f"      - {fault}" for fault in check.faults[:SHOWN]]
    if len(check.faults) > SHOWN:
        lines.append(f"      - and {len(check.faults) - SHOWN} more; --json shows all")
    if check.skipped:
        lines.append(f"      {check.skipped} left out: {check.note}")
    return "\n".join(lines) + "\n"
