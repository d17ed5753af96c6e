"""What a study is, as plain data, and names without importing; no torch, no data."""
