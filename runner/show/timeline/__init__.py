"""Draws the timeline of a run: for a terminal, for a browser, for a trace viewer, and as data."""
