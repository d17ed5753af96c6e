"""Statistics of paired rows: cells, families, convergence, verdicts."""
