"""Check a study by reading; torch is not imported."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import asdict

from tsxfer.api.studies import known_study
from tsxfer.checks.held import Check
from tsxfer.checks.verify import passed, verify
from tsxfer.stats import verified
from tsxfer.store.workspace import Workspace

SHOWN = 3  # faults of a check that a terminal shows; --json has all


def verify_study(named: str, workspace: Workspace, as_json: bool, *, all_data: bool = False) -> int:
    """Print every check; 1 if any fails."""
    name = known_study(named, workspace)
    folder = workspace.results(name)
    state = verified.state_of(folder)  # before, so that what changes meanwhile is not vouched for
    checks = verify(name, workspace, 0) if all_data else verify(name, workspace)
    fine = passed(checks)
    names = tuple(check.name for check in checks)
    failed = tuple(check.name for check in checks if check.faults)
    with suppress(OSError):  # results that may only be read can be checked all the same
        verified.keep(folder, names, failed, sum(check.skipped for check in checks), state)
    if as_json:
        facts = {"study": name, "passed": fine, "checks": [asdict(check) for check in checks]}
        sys.stdout.write(json.dumps(facts, indent=1) + "\n")
    else:
        sys.stdout.write("".join(_text(check) for check in checks))
        wrong = [check.name for check in checks if check.faults]
        sys.stdout.write(
            f"{name}: all {len(checks)} checks passed\n"
            if fine
            else f"{name}: {len(wrong)} of {len(checks)} checks failed: {', '.join(wrong)}\n"
        )
    return 0 if fine else 1


def _text(check: Check) -> str:
    state = "FAIL" if check.faults else "ok"
    found = f", {len(check.faults)} wrong" if check.faults else ""
    lines = [f"{state:4}  {check.name:12} {check.what} ({check.checked}{found})"]
    lines += [f"      - {fault}" for fault in check.faults[:SHOWN]]
    if len(check.faults) > SHOWN:
        lines.append(f"      - and {len(check.faults) - SHOWN} more; --json shows all")
    if check.skipped:
        lines.append(f"      {check.skipped} left out: {check.note}")
    return "\n".join(lines) + "\n"
