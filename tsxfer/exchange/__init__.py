"""Result sets that travel: read, verified, merged, compared, ranked."""
