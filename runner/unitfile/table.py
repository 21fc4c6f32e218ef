"""What every table of the file format is: its names, and what is said of each key."""

from __future__ import annotations

from msgspec import Meta, Struct


def says(description: str) -> Meta:
    """What a key means, in sentences for the reference."""
    return Meta(description=description)


class Table(Struct, rename="kebab", forbid_unknown_fields=True, kw_only=True):
    """A table of a unit file."""
