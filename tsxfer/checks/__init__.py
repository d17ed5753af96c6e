"""Can the rows be trusted: reproduced by training again, verified by reading."""
