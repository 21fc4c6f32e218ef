"""Shows: events, snapshots and problems as text."""
