from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from runner.supervisor.stand_in import has_coder, make_stand_in, remove_stand_in


def run(place: Path, *arguments: str) -> tuple[int, str, str]:
    """Without anything in the environment that could help it to find the package."""
    done = subprocess.run(
        [f"{place}/coder", *arguments], env={"RUNNER_SOCKET": "/no/s"}, capture_output=True, text=True, check=False, cwd="/"
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "a 'quoted' $place"
    make_stand_in(str(place))
    return place


def test_it_is_for_its_owner_alone(place: Path) -> None:
    assert [stat.S_IMODE(path.stat().st_mode) for path in (place, place / "coder")] == [0o700, 0o700]
    assert list(place.iterdir()) == [place / "coder"]


def test_it_knows_sync(place: Path) -> None:
    assert run(place, "exp", "sync", "ping") == (
        1,
        "",
        'Encountered an error running "coder exp sync ping", see "coder exp sync ping --help" for more information\n'
        "error: connect to agent socket: connect to socket: dial unix /no/s: connect: no such file or directory\n",
    )


@pytest.mark.parametrize("arguments", [(), ("version",), ("exp",), ("exp", "tasks"), ("sync", "ping")])
def test_it_knows_nothing_else(place: Path, arguments: tuple[str, ...]) -> None:
    status, out, error = run(place, *arguments)
    assert (status, out) == (127, "")
    assert error == 'coder: cannot run this: here is only the runner\'s stand-in, which knows "coder exp sync"\n'


def test_arguments_come_through_as_they_are(place: Path) -> None:
    status, _, error = run(place, "exp", "sync", "a b  'c' \"d\" $e\n*")
    assert status == 1
    assert error.endswith('error: unrecognized subcommand "a b  \'c\' "d" $e\n*"\n')


def test_it_is_made_anew_where_an_old_one_lies(place: Path) -> None:
    (place / "coder").write_text("old")
    make_stand_in(str(place))
    assert run(place)[0] == 127


def test_it_is_taken_away(place: Path) -> None:
    remove_stand_in(str(place))
    assert not place.exists()
    remove_stand_in(str(place))


def test_a_place_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in ("file", "no/where"):
        with pytest.raises(OSError, match="director"):
            make_stand_in(f"{tmp_path}/{place}")


def test_who_has_a_coder_is_known_by_its_path(tmp_path: Path) -> None:
    assert not has_coder(str(tmp_path))
    assert not has_coder("")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "coder").touch()
    assert not has_coder(f"/none:{tmp_path}/bin")
    (tmp_path / "bin" / "coder").chmod(0o755)
    assert has_coder(f"{tmp_path}:{tmp_path}/bin")
