from __future__ import annotations

from runner.core.declare import declarations
from runner.core.event import Declaration, Need
from runner.core.graph import link
from runner.core.unit import Dependency, Unit


def test_every_unit_is_declared_with_what_it_waits_for() -> None:
    units = [
        Unit(name="apt/a", kind="oneshot", description="A", optional=True, locks=("apt",)),
        Unit(name="b", kind="service", after=(Dependency(unit="apt"), Dependency(unit="c", requires="completion"))),
        Unit(name="c", kind="external", on_failure=("d",)),
        Unit(name="d", kind="oneshot"),
    ]
    assert declarations(link(units)[0]) == (
        Declaration(unit="apt/a", description="A", optional=True, locks=("apt",)),
        Declaration(unit="b", kind="service", after=(Need(unit="apt/a", lenient=True), Need(unit="c", requires="completion"))),
        Declaration(unit="c", kind="external", on_failure=("d",)),
        Declaration(unit="d", is_handler=True),
    )
