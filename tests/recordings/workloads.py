"""What is recorded: unit files of workspaces that there could be, with commands that only sleep and write.

They are the same on every machine. What differs from one recording to the next is how long the processes took.
"""

from __future__ import annotations

import json
from typing import Any

from msgspec import Struct


class Workload(Struct, frozen=True, kw_only=True):
    """Units to run, and how."""

    units: dict[str, dict[str, Any]]
    options: tuple[str, ...] = ()
    expected: dict[str, float] = {}
    """Seconds by unit, as earlier runs could have taught them."""
    scripts: tuple[str, ...] = ()
    """Run by bash beside the units, with the sync socket in the environment."""
    stays: float = 0.0
    """Seconds from the end of the startup until the run is stopped, where something would run on."""


def work(seconds: float, *lines: str, status: int = 0) -> str:
    """A shell command that writes these lines, spread over its time, and ends so."""
    pause = f"sleep {seconds / (len(lines) + 1):.3f}"
    steps = [pause, *(step for line in lines for step in (f"printf '%b\\n' {_quote(line)}", pause))]
    return "; ".join([*steps, f"exit {status}"])


def write_toml(unit: dict[str, Any]) -> str:
    """A unit file. A JSON text is a TOML value, but for tables."""
    return "".join(f"{key} = {_value(value)}\n" for key, value in unit.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def small() -> Workload:
    """A workspace as most are: a few groups, a service, a target, a script of the agent, output of every sort."""
    long = "downloading https://packages.example/" + "/".join(f"segment-{number:02}" for number in range(30)) + ".tar.gz"
    units: dict[str, dict[str, Any]] = {
        "system/apt-update": {
            "command": work(1.6, "Get:1 noble InRelease [256 kB]", "Reading package lists..."),
            "locks": ["apt"],
        },
        "system/apt-packages": {
            "command": work(
                2.4, "Unpacking libpq5 (16.4) ...", "Setting up 数据库客户端 (16.4) ...", "Processing triggers 📦 for man-db"
            ),
            "after": ["system/apt-update"],
            "locks": ["apt"],
        },
        "system/fonts": {"command": work(1.0, "インストール中: Noto Sans CJK"), "locks": ["apt"], "optional": True},
        "app/clone": {"command": work(1.2, r"Receiving objects:  12%\rReceiving objects:  57%\rReceiving objects: 100%, done.")},
        "app/dependencies-of-the-frontend-and-the-backend": {
            "command": work(
                2.2, r"\033[32madded\033[0m 214 packages \033[2min 1s\033[0m", long, r"\033]0;npm\007audited\t1 package"
            ),
            "after": ["app/clone", "secrets"],
            "retry": 2,
        },
        "app/database": {
            "type": "service",
            "command": work(0.9, "starting", "database system is ready to accept connections") + " | cat; exec sleep 1000",
            "after": ["system/apt-packages"],
            "ready": {"log": "ready to accept"},
        },
        "app/migrate": {"command": work(0.8, "001_users", "002_notes"), "after": ["app/database"]},
        "app/serve": {
            "type": "service",
            "command": "sleep 0.7; echo listening on :8080; exec sleep 1000",
            "after": ["app/migrate", "app/dependencies-of-the-frontend-and-the-backend"],
            "ready": {"log": "listening"},
        },
        "editor/code-server": {"type": "service", "command": "echo HTTP server on 127.0.0.1:13337; exec sleep 1000"},
        "editor/extensions": {
            "command": work(1.4, "Installing ms-python.python...", "✓ installed"),
            "after": ["editor/code-server"],
        },
        "secrets": {"type": "external", "description": "Written by the agent's own script"},
        "ready": {"type": "target", "after": ["app", "editor", "system"]},
    }
    agent = "sleep 0.6; coder exp sync start secrets; sleep 1.5; coder exp sync complete secrets"
    dotfiles = (
        "coder exp sync want 'personal/点文件' app/clone; coder exp sync start 'personal/点文件'; "
        "sleep 2; coder exp sync complete 'personal/点文件'"
    )
    expected = {
        "system/apt-update": 1.5,
        "system/apt-packages": 2.5,
        "system/fonts": 1.1,
        "app/clone": 0.6,
        "app/database": 0.6,
        "app/dependencies-of-the-frontend-and-the-backend": 3.1,
        "app/migrate": 0.8,
        "app/serve": 0.7,
        "editor/extensions": 1.4,
    }
    return Workload(units=units, expected=expected, scripts=(agent, dotfiles), stays=1.0)


def failures() -> Workload:
    """Everything that can go wrong: retries, timeouts, what is skipped for it, backoff, a service that does not stay."""
    traceback = (
        "Traceback (most recent call last):",
        '  File "setup.py", line 12, in <module>',
        "    main()",
        r"\033[31mModuleNotFoundError: No module named 'yaml'\033[0m",
    )
    units: dict[str, dict[str, Any]] = {
        "build/configure": {"command": work(0.8, "checking for gcc... gcc", "configure: creating Makefile")},
        "build/compile": {
            "command": work(1.4, "[ 10%] Building C object src/main.o", "src/main.c:41:9: error: 'count' undeclared", status=2),
            "after": ["build/configure"],
        },
        "build/install": {"command": work(0.5), "after": ["build/compile"]},
        "build/docs": {"command": work(0.9, *traceback, status=1), "after": ["build/configure"], "optional": True},
        "net/download": {
            "command": 'echo "attempt $RUNNER_ATTEMPT: connecting to mirror.example"; sleep 0.8; '
            'if [ "$RUNNER_ATTEMPT" -lt 3 ]; then echo "curl: (28) Operation timed out"; exit 28; fi; echo "saved 12.4 MB"',
            "retry": {"attempts": 4, "delay": "1s", "backoff": 2},
        },
        "net/unpack": {"command": work(0.7, "x data/records.csv"), "after": ["net/download"]},
        "net/proxy": {
            "type": "service",
            "command": "echo proxy up; sleep 1.6; echo 'fatal: too many open files'; exit 70",
            "restart": {"when": "on-failure", "delay": "0.6s", "limit": 2, "window": "30s"},
            "ready": {"log": "proxy up"},
        },
        "net/vpn": {
            "type": "service",
            "command": "echo 'handshake with 192.0.2.7'; exec sleep 1000",
            "ready": {"log": "tunnel established"},
            "timeout": "3s",
            "stop": {"timeout": "1s"},
        },
        "net/intranet": {"command": work(0.5), "after": ["net/vpn"]},
        "net/mirror": {"command": work(0.5), "after": ["net/intranet"], "optional": True},
        "check/lint": {
            "command": work(0.6, "All checks passed!"),
            "after": [{"unit": "build/compile", "requires": "completion"}],
        },
        "check/killed": {"command": "echo 'allocating 64 GB'; sleep 0.5; kill -KILL $$"},
        "check/missing": {"command": ["/usr/bin/no-such-program", "--version"], "optional": True},
        "report": {"command": work(0.4, "3 units failed"), "after": [{"unit": "check", "requires": "completion"}]},
        "notify": {"command": work(0.5, "told the owner")},
    }
    units["build/compile"]["on-failure"] = ["notify"]
    expected = {
        "build/configure": 0.8,
        "build/compile": 9.0,
        "net/download": 0.9,
        "net/unpack": 0.7,
        "check/lint": 0.6,
        "net/vpn": 0.4,
    }
    return Workload(units=units, expected=expected, stays=0.6)


def locks() -> Workload:
    """Package managers that can only work one at a time, and three jobs for all."""
    packages = ("base", "build-essential", "graphviz", "postgresql-client", "tmux")
    units: dict[str, dict[str, Any]] = {
        "apt/update": {"command": work(1.2, "Hit:1 noble InRelease", "Fetched 5,120 kB in 1s"), "locks": ["apt", "dpkg"]},
        **{
            f"apt/{name}": {
                "command": work(0.7, f"Unpacking {name} ...", f"Setting up {name} ..."),
                "after": ["apt/update"],
                "locks": ["apt", "dpkg"],
            }
            for name in packages
        },
        "deb/code-server": {"command": work(1.1, "(Reading database ... 41023 files)"), "locks": ["dpkg"]},
        "deb/chrome": {"command": work(0.9, "Preparing to unpack chrome.deb"), "locks": ["dpkg"]},
        **{f"git/{name}": {"command": work(1.5, f"Cloning into '{name}'...")} for name in ("api", "web", "docs", "infra")},
        "git/hooks": {"command": work(0.3), "after": ["git/api", "git/web", "git/docs", "git/infra"]},
        "ready": {"type": "target", "after": ["apt", "deb", "git"]},
    }
    expected = {name: 1.0 for name in units if name.startswith(("apt", "git"))}
    return Workload(units=units, options=("--jobs", "3"), expected=expected)


def wide() -> Workload:
    """Two hundred units in ten groups, each group a few chains, one of them broken."""
    names = ("assets", "backend", "charts", "docs", "frontend", "images", "mobile", "models", "search", "tools")
    units: dict[str, dict[str, Any]] = {}
    for place, group in enumerate(names):
        for number in range(20):
            after = [f"{group}/part-{number - 5:02}"] if number >= 5 else [f"{names[place - 1]}/part-00"] if place else []
            is_broken = (group, number) in {("images", 11), ("search", 7)}
            lines = (
                (f"compiling {group} {number} of 20", f"linking {group}") if not is_broken else ("segmentation fault in codec",)
            )
            seconds = 0.15 + 0.05 * ((place * 7 + number * 3) % 11)
            units[f"{group}/part-{number:02}"] = {"command": work(seconds, *lines, status=int(is_broken)), "after": after}
    expected = {name: 0.15 + 0.05 * (number % 11) for number, name in enumerate(units) if number % 4}
    return Workload(units=units, options=("--jobs", "24"), expected=expected)


def huge() -> Workload:
    """A thousand units in ten layers, each unit after two of the layer before."""
    units: dict[str, dict[str, Any]] = {}
    for layer in range(10):
        for number in range(100):
            after = [f"layer-{layer - 1}/unit-{other % 100:02}" for other in (number, number + 37)] if layer else []
            units[f"layer-{layer}/unit-{number:02}"] = {"command": f"echo step {layer}.{number}; sleep 0.1", "after": after}
    return Workload(units=units, options=("--jobs", "32"), expected=dict.fromkeys(units, 0.12))


WORKLOADS = {workload.__name__: workload for workload in (small, failures, locks, wide, huge)}
