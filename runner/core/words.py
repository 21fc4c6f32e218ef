"""How the runner says durations, sizes and reasons, the same wherever people read them."""

from __future__ import annotations


def say_duration(seconds: float) -> str:
    """A duration as one reads it aloud: ``320 ms``, ``3.2 s``, ``4 min 10 s``, ``1 h 5 min``."""
    if seconds < 0.9995:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h" + (f" {minutes} min" if minutes else "")


def say_size(count: int) -> str:
    """A number of bytes in decimal units: ``512 B``, ``64 kB``, ``1.5 MB``."""
    if count < 1000:
        return f"{count} B"
    size, unit = count / 1000, "kB"
    for larger in ("MB", "GB"):
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    return f"{size:.1f}".removesuffix(".0") + f" {unit}" if size < 9.95 else f"{size:.0f} {unit}"


def say_exit(exit_code: int | None, signal: str | None) -> str:
    """How a process ended: ``exit status 1``, ``killed by SIGKILL``."""
    return f"killed by {signal}" if signal else f"exit status {exit_code}"


def say_os_error(error: OSError) -> str:
    """What the system said of an error, to go on with after a colon: ``permission denied``."""
    said = error.strerror or str(error)
    return said[:1].lower() + said[1:]


def say_count(count: int, noun: str) -> str:
    """A number with its noun: ``1 unit``, ``2 units``."""
    return f"{count} {noun}{'s' * (count != 1)}"
