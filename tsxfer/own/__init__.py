"""A user's own files: read by layout, checked, and prepared as data sets of the workspace."""
