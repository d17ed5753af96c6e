"""Folders, rows, weights files and leases on disk."""
