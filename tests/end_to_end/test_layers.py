"""Masks, drop-ins and groups under a real supervisor, which reads them anew when it is told to."""

from __future__ import annotations

from tests.supervisor.served import Served, served

UNITS = {
    "web": 'type = "service"\ncommand = "exec sleep 600"\nafter = ["db"]\n',
    "db": 'type = "service"\ncommand = "exec sleep 600"\n',
}


def write(there: Served, name: str, text: str) -> None:
    file = there.root / "units" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


def test_a_unit_that_is_masked_is_nobody_to_wait_for_and_nobody_to_start() -> None:
    with served(units=UNITS) as there:
        write(there, "off.toml", "enabled = false\n")
        write(there, "web.d/mine.toml", '"after+" = ["off"]\non-failure = ["off"]\nnice = 1\n')
        write(there, "bad.toml", 'command = "exit 3"\nafter = ["off"]\non-failure = ["off"]\noptional = true\n')
        done = there.run("reload")
        assert done.returncode == 0
        assert done.stdout.splitlines()[:2] == ["added    bad", "changed  web  at its next start"]
        assert there.run("wait", "bad").returncode == 1
        done = there.run("reload")
        assert (done.returncode, done.stdout) == (0, "the unit files say what they said before: nothing has changed\n")


def test_a_mask_and_a_template_are_taken_over_while_all_runs() -> None:
    with served(units=UNITS) as there:
        write(there, "db.toml", "enabled = false\n")
        write(there, "web.d/mine.toml", 'after = ["new@*"]\n')
        write(there, "new@.toml", 'instances = ["1", "2"]\ncommand = "echo {instance}"\n')
        done = there.run("reload")
        assert done.returncode == 0
        assert done.stdout.splitlines()[:4] == [
            "added    new@1",
            "added    new@2",
            "changed  web    at its next start",
            "removed  db",
        ]
        assert there.run("wait", "new@*").returncode == 0
        assert (there.log("new@1"), there.log("new@2")) == ("1\n", "2\n")
