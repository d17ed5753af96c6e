"""How data sets are named."""

OWN = "+own"  # marks a file of the user's own: ``mine+own@3f9a2c1b``
