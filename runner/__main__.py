"""``python -m runner`` is ``runner``."""

from .cli import run_process

run_process()
