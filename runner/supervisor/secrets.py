"""The secrets of a run: known from its environment and its units at its beginning, and from whatever units are given later."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from ..core.mask import Secrets
from ..core.secret import find_secrets
from ..core.unit import Unit

_T = TypeVar("_T")


class RunSecrets(Secrets):
    """What nobody gets to see of a run: not in logs and journals, not on screens and sockets."""

    def __init__(self, units: Collection[Unit], environment: Mapping[str, str]) -> None:
        """``environment`` is that of the supervisor, which every unit gets."""
        super().__init__()
        self._environment = environment
        self.declare(units)

    def declare(self, units: Collection[Unit]) -> None:
        """Know these units too: before anything is written down about them."""
        self.reveal(unit.name for unit in units)
        self.add(find_secrets(units, self._environment))

    def hide(self, events: Sequence[_T]) -> Sequence[_T]:
        """The events without secrets: most often themselves."""
        if not self:
            return events
        from ..core.mask_value import mask_all

        return mask_all(events, self)
