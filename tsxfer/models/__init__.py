"""Architectures: one backbone a file."""
