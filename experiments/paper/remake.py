"""Recompute every figure and number of README.md here from the published raw metrics.

Usage: python experiments/paper/remake.py FOLDER, where FOLDER holds runs.parquet, curves.parquet.
"""

import sys
from pathlib import Path

import figures

from tsxfer.paper import evidence, importing, pages, select
from tsxfer.paper.effects import view

HERE = Path(__file__).resolve().parent


def main(folder: Path) -> None:
    """Print the tables, counts and claims; write the figures beside this file."""
    _, rows = importing.import_rows(folder)
    for multiplier, drop in (("best", ()), ("best", (6,)), ("leave-one-out", (6,)), ("1.0", (6,))):
        sys.stdout.write(pages.study_text(rows, multiplier=multiplier, drop=drop) + "\n")
    sys.stdout.write(pages.claims_text(rows))
    found = evidence.evidence(rows)
    for rule in ("best", "leave-one-out", "1.0"):
        _print_pairs(found, select.parse(rule))
    for name, text in figures.draw(found).items():
        (HERE / name).write_text(text, encoding="utf-8")


def _print_pairs(found: evidence.Evidence, rule: select.Rule) -> None:
    gates = found.gates
    seen = view(found.grid, rule, drop=gates.drop, trusted=gates.trusted, invalid=gates.invalid)
    sys.stdout.write(f"\nvalid pairs, {seen.name}: times as good as scratch [95 %], corrected p\n")
    for e in seen.effects:
        low, high = (2.718281828**end for end in (e.test.low, e.test.high))
        sys.stdout.write(
            f"{e.source} -> {e.target} {e.size}: x{e.test.ratio:.3f} [{low:.3f}, {high:.3f}] "
            f"p {e.test.p:.2g} {e.test.sign} ({len(e.gains)} models)\n"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
