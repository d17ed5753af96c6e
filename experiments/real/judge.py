"""Score the sources of the suite as `tsxfer recommend` does, and keep what rankings were worth.

python experiments/real/judge.py --workspace FOLDER     # where the suite was run: weights and data
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from tsxfer.ranking.evidence import gather
from tsxfer.ranking.kept import write
from tsxfer.ranking.rankers import scores_of
from tsxfer.ranking.sources import pretrained
from tsxfer.store.workspace import Workspace

HERE = Path(__file__).parent


def main() -> None:
    """Write rankings.json."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--workspace", type=Path, required=True)
    workspace = Workspace(asked.parse_args().workspace)
    found, _ = pretrained(workspace)
    evidence = gather(workspace, found, False, partial(scores_of, workspace))
    write(evidence.outcomes, HERE)
    sys.stdout.write(f"{len(evidence.outcomes)} cells; left out: {evidence.left_out}\n")


if __name__ == "__main__":
    main()
