"""Simulated stand-ins, one physics a module; every draw comes from the generator given."""
