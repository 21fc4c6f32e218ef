"""What watchers of a run hear, by the wire, however they come and go and whether they read or not."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from threading import Thread

import pytest
from msgspec.json import decode

from runner.core.event import RunEnded, UnitEnded, UnitReported
from runner.core.observed import StatusReported, StopRequested
from runner.core.snapshot import Snapshot
from runner.core.stream import Gap, SnapshotTaken, StreamEvent, UnitWrote
from runner.rpc.connection import ClientConnection
from runner.rpc.event import ConnectionEnded, MessageReceived, SendClosed
from runner.rpc.methods import EVENTS, PING, SNAPSHOT
from runner.supervisor.last_lines import LINES, MOST_UNITS, PAUSE
from runner.supervisor.output import TAIL_LINES
from runner.supervisor.watcher import LIMIT

from .harness import make
from .sync_site import Caller, Site, served


class Watch:
    """A watcher that reads when it is told to."""

    def __init__(self, site: Site | None = None, *, output: bool = False) -> None:
        self.events: list[StreamEvent] = []
        self.lines: list[bytes] = []
        self.received = 0
        self.has_ended = self.is_cut_off = False
        self._rpc = ClientConnection()
        self._socket = socket.socket(socket.AF_UNIX)
        if site:
            self.begin(site, output=output)

    def begin(self, site: Site, *, output: bool = False) -> None:
        """Ask for the stream."""
        self._socket.connect(site.path)
        self._stream, data = self._rpc.call(EVENTS.path, json.dumps({"output": output}).encode())
        self._socket.sendall(data)
        self._socket.setblocking(False)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def read(self) -> None:
        """Take what has come."""
        while not self.is_cut_off:
            try:
                data = self._socket.recv(1 << 16)
            except BlockingIOError:
                return
            self.received += len(data)
            for event in self._rpc.receive(data):
                match event:
                    case MessageReceived(_, message):
                        assert message.endswith(b"\n")
                        self.lines += message.splitlines()
                        self.events += [decode(line, type=StreamEvent) for line in message.splitlines()]
                    case SendClosed():
                        self.has_ended = True
                    case ConnectionEnded():
                        self.is_cut_off = True

    def read_on(self) -> None:
        """Take all that comes, to the end."""
        self._socket.setblocking(True)
        self.read()

    def cancel(self) -> None:
        """Want no more of it, and stay connected."""
        self._socket.sendall(self._rpc.cancel(self._stream))

    def snapshot(self) -> Snapshot:
        """The run as one knows it who has heard just this."""
        snapshot = Snapshot()
        for event in self.events:
            if isinstance(event, SnapshotTaken):
                snapshot = event.snapshot
            elif not isinstance(event, Gap | UnitWrote):
                snapshot.apply(event)
        return snapshot

    def wrote(self, unit: str) -> list[tuple[str, ...]]:
        return [event.lines for event in self.events if isinstance(event, UnitWrote) and event.unit == unit]

    def has(self, kind: type[StreamEvent]) -> bool:
        return any(isinstance(event, kind) for event in self.events)


def until(site: Site, condition: Callable[[], object], *watches: Watch) -> None:
    """Let the supervisor have its turns, and the watchers read, until something is so."""

    def look() -> object:
        for watch in watches:
            watch.read()
        return condition()

    site.until(look, *(watch._socket.fileno() for watch in watches))


def report(site: Site, unit: str, text: str) -> None:
    """Let a unit that runs say something of itself, which makes an event."""
    invocation = site.supervisor.invocations[unit].name
    site.supervisor.observe(StatusReported(at=site.supervisor.now(), unit=unit, invocation=invocation, text=text))


def journal(site: Site) -> list[bytes]:
    return next((site.root / "journal").glob("*.jsonl")).read_bytes().splitlines()


def flood(site: Site, unit: str, size: int) -> None:
    """Make events of so many bytes."""
    text = "x" * 10_000
    for _ in range(size // len(text) + 1):
        report(site, unit, text)
        site.settle()


def end(site: Site) -> None:
    """Come to the end of the run."""
    site.supervisor.observe(StopRequested(at=site.supervisor.now(), reason="by hand"))
    site.until(lambda: site.supervisor.engine.is_over)


# ---------------------------------------------------------------- what they hear


def test_the_snapshot_is_the_run_as_it_is() -> None:
    with served(make("a", "true")) as site, Caller(site) as caller:
        site.until_decided(UnitEnded, "a")
        answer = caller.ask(SNAPSHOT, b"{}")
        assert isinstance(answer, bytes)
        taken = decode(answer, type=SnapshotTaken)
        assert taken.snapshot == site.supervisor.snapshot
        assert (taken.seq, taken.begun_at) == (site.supervisor.seq, site.supervisor.begun_at)


def test_a_watcher_hears_of_the_run_as_it_is_and_then_every_line_of_the_journal() -> None:
    with served(make("a", "sleep 600"), make("b", "true", after=["a"])) as site, Watch(site) as watch:
        until(site, lambda: watch.events, watch)
        first = watch.events[0]
        assert isinstance(first, SnapshotTaken)
        report(site, "a", "half")
        report(site, "a", "most")
        until(site, lambda: len(watch.events) == 3, watch)
        assert watch.lines[1:] == journal(site)[first.seq :]
        assert watch.snapshot() == site.supervisor.snapshot


def test_watchers_come_and_go_in_the_middle_and_all_know_the_same() -> None:
    with served(make("a", "sleep 600")) as site, Watch(site) as one, Watch(site) as other:
        until(site, lambda: one.events and other.events, one, other)
        report(site, "a", "1")
        with Watch(site) as third:
            report(site, "a", "2")
            until(site, lambda: third.events, third)
            report(site, "a", "3")
            until(site, lambda: len(third.events) > 1, one, other, third)
            assert one.snapshot() == other.snapshot() == third.snapshot() == site.supervisor.snapshot
        other.cancel()
        site.settle()
        other.read()
        heard = len(other.events)
        report(site, "a", "4")
        until(site, lambda: one.snapshot() == site.supervisor.snapshot, one, other)
        assert len(other.events) == heard
        assert len(site.supervisor.listeners) == 3  # the site's, the scripts' and the one for all watchers


def test_events_of_one_turn_are_one_message() -> None:
    with served(make("a", "sleep 600")) as site, Watch(site) as watch:
        until(site, lambda: watch.events, watch)
        before = watch.received
        for number in range(10):
            report(site, "a", str(number))
        watch.read()
        assert watch.received == before
        until(site, lambda: len(watch.events) == 11, watch)


@pytest.mark.parametrize("request_", [b"", b"[]", b'{"output": 1}', b"\xff"])
def test_a_request_that_is_none_is_refused(request_: bytes) -> None:
    with served() as site, Caller(site) as caller:
        answer = caller.ask(EVENTS, request_)
        assert isinstance(answer, str)
        assert answer.startswith("cannot understand the request: ")
        assert caller.ask(PING) == b""


# ---------------------------------------------------------------- output


def test_of_a_flood_of_output_only_the_last_lines_are_told_and_not_often() -> None:
    flood = make("a", "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo done; sleep 600")
    with served(flood) as site, Watch(site, output=True) as watch, Watch(site) as deaf:
        until(site, lambda: watch.wrote("a") and watch.wrote("a")[-1][-1] == "done", watch, deaf)
        assert all(len(lines) <= LINES for lines in watch.wrote("a"))
        assert len(watch.wrote("a")) <= site.supervisor.now() / PAUSE + 1
        assert watch.wrote("a")[-1] == ("line 19998", "line 19999", "done")
        assert not deaf.wrote("a")


def test_a_failure_comes_after_its_last_lines() -> None:
    with served(make("a", "seq 100; exit 3")) as site, Watch(site, output=True) as watch:
        until(site, lambda: watch.has(UnitEnded) or watch.snapshot().units["a"].outcome, watch)
        assert watch.wrote("a")[-1] == tuple(map(str, range(101 - TAIL_LINES, 101)))
        site.until(lambda: site.supervisor.timers.next_at() is None)
        watch.read()
        assert len(watch.wrote("a")[-1]) == TAIL_LINES
        kinds = [event.unit for event in watch.events if isinstance(event, UnitWrote | UnitEnded)]
        assert kinds[-1] == "a"


def test_who_comes_late_hears_how_the_output_stands() -> None:
    units = make("a", "seq 5; sleep 600"), make("b", "seq 30; exit 1"), make("c", "echo well"), make("d", "sleep 600")
    with served(*units) as site:
        site.until_decided(UnitEnded, "b")
        site.until_decided(UnitEnded, "c")
        site.until(lambda: site.supervisor.tail("a") == ["1", "2", "3", "4", "5"])
        with Watch(site, output=True) as watch:
            until(site, lambda: watch.has(UnitWrote), watch)
            assert watch.wrote("a") == [("3", "4", "5")]
            assert [len(lines) for lines in watch.wrote("b")] == [TAIL_LINES]
            assert not watch.wrote("c")
            assert not watch.wrote("d")


def test_output_is_safe_to_print() -> None:
    with served(make("a", r"printf '\033[31mred\033[0m \007\n'; exit 1")) as site, Watch(site, output=True) as watch:
        until(site, lambda: watch.wrote("a"), watch)
        assert watch.wrote("a")[0] == ("red ",)


def test_many_units_that_write_have_their_turns() -> None:
    units = [make(f"u{number}", "echo said; sleep 600") for number in range(MOST_UNITS + 10)]
    with served(*units) as site, Watch(site, output=True) as watch:
        until(site, lambda: all(watch.wrote(unit.name) for unit in units), watch)


def test_nobody_listens_to_output_where_nobody_wants_it() -> None:
    with served() as site, Watch(site) as deaf, Watch(site, output=True) as watch, Watch(site, output=True) as other:
        until(site, lambda: deaf.events and watch.events and other.events, deaf, watch, other)
        assert len(site.supervisor.on_output) == 1
        watch.cancel()
        site.settle()
        assert len(site.supervisor.on_output) == 1
        other.cancel()
        site.settle()
        assert site.supervisor.on_output == []


# ---------------------------------------------------------------- slow ones


def test_a_watcher_that_does_not_read_hears_of_the_gap_and_begins_anew() -> None:
    with served(make("a", "sleep 600")) as site, Watch(site, output=True) as slow, Watch(site) as quick:
        until(site, lambda: slow.events and quick.events, slow, quick)
        text = "x" * 1000
        for number in range(4 * LIMIT // 1000):
            report(site, "a", f"{number} {text}")
            if number % 100 == 0:
                site.settle()
                quick.read()
        until(site, lambda: quick.snapshot() == site.supervisor.snapshot, quick)
        assert not quick.has(Gap)
        until(site, lambda: slow.has(Gap) and slow.snapshot() == site.supervisor.snapshot, slow)
        assert slow.received < 2 * LIMIT
        place = next(place for place, event in enumerate(slow.events) if isinstance(event, Gap))
        gap, after = slow.events[place], slow.events[place + 1]
        assert isinstance(gap, Gap)
        assert isinstance(after, SnapshotTaken)
        decided = [event for event in slow.events[1:place] if not isinstance(event, UnitWrote)]
        first = slow.events[0]
        assert isinstance(first, SnapshotTaken)
        assert first.seq + len(decided) + gap.missed == after.seq
        report(site, "a", "the last")
        until(site, lambda: slow.snapshot() == site.supervisor.snapshot, slow)
        assert isinstance(slow.events[-1], UnitReported)


def test_a_slow_watcher_who_hangs_up_is_forgotten() -> None:
    with served(make("a", "sleep 600")) as site, Watch(site) as slow:
        until(site, lambda: slow.events, slow)
        flood(site, "a", 2 * LIMIT)
        slow._socket.close()
        site.settle()
        report(site, "a", "on it goes")
        site.settle()


# ---------------------------------------------------------------- the end


def test_the_last_that_a_watcher_hears_is_the_end_of_the_run() -> None:
    with Watch() as watch:
        with served(make("a", "sleep 600")) as site:
            watch.begin(site)
            until(site, lambda: watch.events, watch)
            end(site)
            with Watch(site) as late:
                until(site, lambda: late.has_ended, late)
                assert [type(event) for event in late.events] == [SnapshotTaken]
                assert late.snapshot() == site.supervisor.snapshot
        watch.read()
        assert isinstance(watch.events[-1], RunEnded)
        assert (watch.has_ended, watch.is_cut_off) == (True, True)
        assert watch.snapshot() == site.supervisor.snapshot


def test_a_watcher_who_reads_late_has_a_moment_at_the_end() -> None:
    with Watch() as watch:
        with served(make("a", "sleep 600")) as site:
            watch.begin(site)
            until(site, lambda: watch.events, watch)
            flood(site, "a", 2 * LIMIT)
            end(site)
            reader = Thread(target=watch.read_on)
            reader.start()
        reader.join()
        assert (watch.has_ended, watch.is_cut_off, watch.has(Gap)) == (True, True, True)
        assert watch.snapshot() == site.supervisor.snapshot


def test_a_watcher_who_never_reads_is_not_waited_for_long() -> None:
    with Watch() as slow, served(make("a", "sleep 600")) as site:
        slow.begin(site)
        until(site, lambda: slow.events, slow)
        flood(site, "a", 2 * LIMIT)
        end(site)
