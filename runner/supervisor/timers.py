"""The engine's timers: when the next one is due, in seconds since the run began."""

from __future__ import annotations

from heapq import heappop, heappush


class Timers:
    """A heap of times. A timer that was moved or cancelled leaves its old entry behind, to be passed over when it comes up."""

    def __init__(self) -> None:
        self._due: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []

    def set(self, timer: int, at: float) -> None:
        """Set or move a timer."""
        self._due[timer] = at
        heappush(self._heap, (at, timer))

    def cancel(self, timer: int) -> None:
        """Forget a timer; one that has fired is forgotten already."""
        self._due.pop(timer, None)

    def next_at(self) -> float | None:
        """When the next timer is due, or None where none is set."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: float) -> int | None:
        """The first timer that is due, which is forgotten; None where none is."""
        at = self.next_at()
        if at is None or at > now:
            return None
        timer = heappop(self._heap)[1]
        del self._due[timer]
        return timer
