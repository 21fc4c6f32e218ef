"""Speaks DRPC: bytes in, events out, and bytes for what is said; plus one small client that blocks."""
