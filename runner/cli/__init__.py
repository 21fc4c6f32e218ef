"""The command line: one module per command, found by name in a lazy table."""
