"""Makes ``python -m runner`` the same as ``runner``."""

from .cli import main

raise SystemExit(main())
