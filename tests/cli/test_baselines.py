"""A study with baselines: plan, run, resume, status, report, verify and reproduce."""

import json
from pathlib import Path

from tests.study import here, lines, set_up

BASELINES = """
name = "beside"
sources = ["emg"]
targets = ["finance"]
sizes = [60]
repeats = 3
pretrainings = 1
source_size = "n=300"
data = "simulated"
check_start = false
baselines = ["trivial", "summary", "random_convolutions"]
[recipe]
epochs = 1
[pretraining]
epochs = 1
"""
TRIALS = 1 + 3 * 2 + 3 * 3


def test_every_command_takes_baselines(alone: Path, tmp_path: Path) -> None:
    """Counts, rows, a resume that runs nothing, tables, checks, and a row that comes back."""
    folder = set_up(tmp_path, alone)
    (folder / "study.toml").write_text(BASELINES)
    plan = json.loads(here(folder, "plan", "study.toml", "--json").stdout)
    assert (plan["trials"], plan["comparisons"], plan["baselines"]) == (TRIALS, 1, 3)
    first = here(folder, "run", "study.toml", "--workers", "1")
    assert first.returncode == 0, first.stderr
    assert "Transfer against baselines" in first.stdout
    rows = [row for _, row in lines(folder)]
    assert len(rows) == TRIALS
    again = here(folder, "run", "beside-simulated", "--workers", "1")
    assert f"all {TRIALS} trials are done" in again.stderr
    assert f"{TRIALS} done, 0 failed, 0 to do" in here(folder, "status").stdout
    page = here(folder, "report", "beside-simulated", "--format", "markdown").stdout
    assert "## Baselines" in page
    assert "EXPLORATORY" not in page
    checks = json.loads(here(folder, "verify", "beside-simulated", "--json").stdout)
    held = checks["checks"] if isinstance(checks, dict) else checks
    assert next(check for check in held if check["name"] == "baselines")["checked"] == 9
    key = next(row["key"] for row in rows if row["trial"].get("baseline") == "summary")
    back = here(folder, "reproduce", key)
    assert back.returncode == 0, back.stderr
    assert "identical" in back.stdout
