from __future__ import annotations

from runner.core.event import UnitsChanged
from runner.show.changes import say_changes


def test_what_changed_in_one_line() -> None:
    changed = UnitsChanged(at=0.0, added=("a", "b"), changed=("c",), removed=("d",))
    assert say_changes(changed) == "added a, b; changed c; removed d"
    assert say_changes(UnitsChanged(at=0.0)) == "nothing changed"
