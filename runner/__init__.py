"""Systemd-style startup for development workspaces."""

__version__ = "0.1.0"
