"""What a user adds in one file: contracts, faults and published examples."""
