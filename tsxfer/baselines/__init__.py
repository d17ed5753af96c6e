"""What else the target's labels could be used for: baselines without a backbone of ours."""
