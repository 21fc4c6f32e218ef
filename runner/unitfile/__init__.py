"""Reads text into units: every problem of every file at once, each with its line and a hint."""

from .load import Loaded, load

__all__ = ["Loaded", "load"]
