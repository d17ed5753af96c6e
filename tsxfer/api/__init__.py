"""What a script or notebook calls; the command line is a skin over it."""
