from __future__ import annotations

from typing import get_args

import runner.api
from runner.core.stream import StreamEvent


def test_every_event_that_can_come_is_named() -> None:
    assert {event.__name__ for event in get_args(StreamEvent)} <= set(runner.api.__all__)
