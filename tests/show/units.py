"""Graphs to draw."""

from __future__ import annotations

from runner.core.graph import Graph, link
from runner.core.unit import Command, Dependency, Kind, Requires, Unit

ECHO = Command(argv=("echo",))


def unit(
    name: str,
    *after: str | tuple[str, Requires],
    kind: Kind = "oneshot",
    optional: bool = False,
    locks: tuple[str, ...] = (),
    on_success: tuple[str, ...] = (),
    on_failure: tuple[str, ...] = (),
) -> Unit:
    entries = tuple(
        Dependency(unit=entry) if isinstance(entry, str) else Dependency(unit=entry[0], requires=entry[1]) for entry in after
    )
    return Unit(
        name=name,
        kind=kind,
        command=None if kind in ("target", "external") else ECHO,
        after=entries,
        optional=optional,
        locks=locks,
        on_success=on_success,
        on_failure=on_failure,
    )


def graph(*units: Unit) -> Graph:
    linked, faults = link(units)
    assert not faults
    return linked


def diamond() -> Graph:
    return graph(unit("top"), unit("left", "top"), unit("right", ("top", "completion")), unit("bottom", "left", "right"))


def handled() -> Graph:
    """A unit with handlers, one of which needs a unit that nothing else needs."""
    return graph(
        unit("network", kind="external"),
        unit("build", on_success=("celebrate",), on_failure=("notify", "clean")),
        unit("test", "build", on_failure=("notify",)),
        unit("celebrate"),
        unit("notify", "network"),
        unit("clean", "build-tools"),
        unit("build-tools"),
    )


def workspace() -> Graph:
    """Thirty units of every kind, in groups."""
    return graph(
        unit("apt/update", locks=("apt", "dpkg")),
        unit("apt/base", "apt/update", locks=("apt", "dpkg")),
        unit("apt/build-tools", "apt/base", locks=("apt", "dpkg")),
        unit("apt/graphviz", "apt/update", locks=("apt", "dpkg"), optional=True),
        unit("git/identity"),
        unit("git/clone", "git/identity"),
        unit("git/submodules", "git/clone"),
        unit("git/hooks", "git/clone", optional=True),
        unit("secrets", kind="external"),
        unit("dotfiles", ("git/identity", "completion"), optional=True),
        unit("python/install", "apt"),
        unit("python/venv", "python/install"),
        unit("python/packages", "python/venv", "git/clone"),
        unit("node/install", "apt/base"),
        unit("node/packages", "node/install", "git/clone"),
        unit("node/bundle", "node/packages"),
        unit("data/postgres", "apt/base", kind="service"),
        unit("data/redis", "apt/base", kind="service"),
        unit("data/migrate", "data/postgres", "python/packages"),
        unit("data/seed", "data/migrate", optional=True),
        unit("api", "data/migrate", "data/redis", "secrets", kind="service"),
        unit("web", "api", "node/bundle", kind="service"),
        unit("worker", "data/migrate", "data/redis", kind="service"),
        unit("editor/code-server", "apt/base", kind="service"),
        unit("editor/extensions/python", "editor/code-server", optional=True),
        unit("editor/extensions/vim", "editor/code-server", optional=True),
        unit("checks/lint", "python/packages", "node/packages", optional=True),
        unit("checks/test", "data/seed", "api", on_failure=("checks/report",)),
        unit("checks/report", "secrets"),
        unit("ready", "web", "worker", "editor", ("checks/lint", "completion"), kind="target"),
    )


GRAPHS = {"empty": graph(), "diamond": diamond(), "handled": handled(), "workspace": workspace()}
