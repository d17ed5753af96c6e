"""Backbones that the package ships, pretrained on real data: what they are, and where they lie."""
