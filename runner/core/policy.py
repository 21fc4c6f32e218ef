"""How long to wait before another attempt, and when to stop trying. Arithmetic only."""

from __future__ import annotations

from collections import deque

from .unit import Restart, Retry


def retry_delay(policy: Retry, attempt: int, luck: float) -> float | None:
    """Seconds before the attempt that follows the given one (from 1), or None where it was the last.

    ``luck`` in [0, 1) places the delay within the jitter: 0.5 is the middle.
    """
    if attempt >= policy.attempts:
        return None
    delay = _grown(policy.delay, policy.backoff, attempt - 1, policy.max_delay)
    return delay * (1 + policy.jitter * (2 * luck - 1))


def restart_delay(policy: Restart, restarts: deque[float], now: float) -> float | None:
    """Seconds before a service is restarted, or None where it has used up its limit.

    ``restarts`` are the times of the restarts so far; those that have left the window are dropped, and this one is added.
    The delay grows with the restarts within the window, so a service that ran well for long begins again with the first.
    """
    while restarts and restarts[0] <= now - policy.window:
        restarts.popleft()
    if policy.limit and len(restarts) >= policy.limit:
        return None
    delay = _grown(policy.delay, policy.backoff, len(restarts), policy.max_delay)
    restarts.append(now)
    return delay


def _grown(delay: float, backoff: float, times: int, most: float) -> float:
    """The delay multiplied so many times, without ever computing a number beyond the most."""
    for _ in range(times if backoff > 1 else 0):
        delay *= backoff
        if delay >= most:
            break
    return min(delay, most)
