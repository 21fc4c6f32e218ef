"""The state of one run, and the few primitives by which the engine's parts change it.

A part (``want``, ``life``, ``stop``) never sets a node's state: it emits an event, and the table of transitions does. So
whatever the engine knows about states, the journal says too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from .admission import Admission
from .effect import CancelTimer, Cause, Effect, SetTimer
from .event import Decided, UnitEnded, UnitEvent
from .graph import Graph
from .node import Node, TimerKind
from .state import next_state
from .unit import Unit
from .values import Values


class Step(Struct, frozen=True):
    """What came of one event: the facts to write down, then the orders to carry out, each in this order."""

    events: tuple[Decided, ...] = ()
    effects: tuple[Effect, ...] = ()


class Run:
    """All units of a run, who is touched, and what the current step has brought so far."""

    def __init__(self, graph: Graph, run: str, *, jobs: int | None, fail_fast: bool, keep: bool) -> None:
        self.id = run
        self.graph = graph
        self.nodes = {name: Node(unit) for name, unit in graph.units.items()}
        self.admission = Admission(jobs)
        self.values = Values(graph)
        """What units give to those after them."""
        self.fail_fast = fail_fast
        self.keep = keep
        self.now = 0.0
        self.touched: deque[Node] = deque()
        """Nodes of which their dependents do not know the news yet."""
        self.holding: list[Node] = []
        """Nodes with calls to be answered, perhaps, at the end of this step."""
        self.asking: dict[str, Node] = {}
        """Nodes that asked to be admitted in this step."""
        self.active = 0
        """For how many units the run goes on."""
        self.unsettled = 0
        """How many of these the startup waits for."""
        self.failed: dict[str, None] = {}
        """Units that are not optional and missed their goal, in the order in which they did."""
        self.wave: dict[str, int] = {}
        """The units that are being stopped in reverse order: how many dependents of each are not yet gone."""
        self.postponed: dict[str, Cause | None] = {}
        """Units that are wanted as soon as the wave is over, and because of whose end, where it is not a person who asked."""
        self.expected: dict[str, float] = {}
        """Seconds that units are expected to take until they reach their goal, where that is known."""
        self.ways: dict[str, float] = {}
        """Seconds from the start of each unit to the end of the startup, where that was reckoned."""
        self.last_settled: Node | None = None
        self.has_begun = False
        self.wants_all = False
        """All units are wanted, also those that are yet to be declared."""
        self.has_finished = False
        self.is_over = False
        self.stop_reason: str | None = None
        """Why the whole run is being stopped, once it is."""
        self.is_killing = False
        """Nobody has patience for the stop ladder any more."""
        self._invocations = 0
        self._checks = 0
        self._timers: dict[int, tuple[Node, TimerKind]] = {}
        self._deadlines: dict[int, float] = {}
        self._timers_made = 0
        self._events: list[Decided] = []
        self._effects: list[Effect] = []

    def emit(self, event: Decided) -> None:
        """Decide a fact. One that is about a unit moves its state and, where that can matter to others, touches it."""
        self._events.append(event)
        if isinstance(event, UnitEvent):
            node = self.nodes[event.unit]
            was, held_run, had_settled = node.state, node.holds_run, node.has_settled
            node.state = next_state(was, event)
            if node.state != was or isinstance(event, UnitEnded):
                self._account(node, held_run, had_settled)

    def set_declared(self, node: Node, is_declared: bool) -> None:
        """A file speaks of a unit from now on, or none does: its outcome is nobody's concern, and its name is free at its end."""
        self.active -= node.holds_run
        self.unsettled -= not node.has_settled
        node.is_declared = node.is_registered = is_declared
        self.active += node.holds_run
        self.unsettled += not node.has_settled
        if not is_declared:
            self.failed.pop(node.name, None)

    def _account(self, node: Node, held_run: bool, had_settled: bool) -> None:
        self.active += node.holds_run - held_run
        self.unsettled += had_settled - node.has_settled
        if node.has_settled and not had_settled:
            self.last_settled = node
        self.touched.append(node)

    def register(self, name: str) -> Node:
        """The unit of this name. One that is not known is made: a script's, which nobody has brought yet."""
        node = self.nodes.get(name)
        if node is None or (node.is_vacant and not node.is_scripts):
            unit = Unit(name=name, kind="external")
            self.graph.add_unit(unit)
            self.values.take_edges(name)
            if node is None:
                node = self.nodes[name] = Node(unit, is_declared=False, is_registered=False)
            node.unit = unit
        return node

    def order(self, effect: Effect) -> None:
        """Give an order to the supervisor."""
        self._effects.append(effect)

    def next_invocation(self) -> str:
        """An identifier that no other attempt of any run has."""
        self._invocations += 1
        return f"{self.id}.{self._invocations}"

    def next_check(self) -> int:
        """A number that no other check of this run has."""
        self._checks += 1
        return self._checks

    def set_timer(self, node: Node, kind: TimerKind, at: float) -> None:
        """Set or move the one timer of this kind that a node has."""
        if kind not in node.timers:
            self._timers_made += 1
            node.timers[kind] = self._timers_made
            self._timers[self._timers_made] = (node, kind)
        self._deadlines[node.timers[kind]] = at
        self.order(SetTimer(node.timers[kind], at))

    def prolong_timer(self, node: Node, kind: TimerKind, at: float) -> None:
        """Move a timer to a later time; one that is not set, or later already, stays as it is."""
        timer = node.timers.get(kind)
        if timer is not None and at > self._deadlines[timer]:
            self.set_timer(node, kind, at)

    def cancel_timers(self, node: Node, *kinds: TimerKind) -> None:
        """Forget timers of these kinds, where they are set."""
        for kind in kinds:
            timer = node.timers.pop(kind, None)
            if timer is not None:
                del self._timers[timer], self._deadlines[timer]
                self.order(CancelTimer(timer))

    def take_timer(self, timer: int) -> tuple[Node, TimerKind] | None:
        """Whose timer fired, or None where it was cancelled meanwhile."""
        found = self._timers.pop(timer, None)
        if found:
            del found[0].timers[found[1]], self._deadlines[timer]
        return found

    def urgency(self, node: Node) -> float:
        """How urgent it is that a unit starts: its way to the end of the startup. Further attempts have no urgency."""
        return 0.0 if node.attempt else self.ways.get(node.name, 0.0)

    def take_step(self) -> Step:
        """What the step has brought; the next one begins empty."""
        step = Step(tuple(self._events), tuple(self._effects))
        self._events.clear()
        self._effects.clear()
        return step

    def critical_path(self) -> Sequence[str]:
        """The chain of releases that led to the last unit to settle, first unit first."""
        chain: list[str] = []
        node = self.last_settled
        while node is not None and node.name not in chain:
            chain.append(node.name)
            node = self.nodes[node.released_by] if node.released_by else None
        return chain[::-1]
