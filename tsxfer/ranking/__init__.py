"""Which source to start from, told before any training, and how often that has been right."""
