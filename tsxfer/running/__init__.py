"""From trials to rows: set up, train, open the test, in this process or through an engine."""
