"""Architectures: one backbone a file."""

from tsxfer.models.base import Backbone
from tsxfer.models.wrap import backbone

__all__ = ["Backbone", "backbone"]
