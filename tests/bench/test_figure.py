from bench.figure import Figure, as_json, table, verdict
from bench.timing import Spread

FAST = Figure("chain", "a unit / floor", Spread(1.5, 1.25, 2.25), "x", 2.0, of="0.9 ms a unit against 0.6 ms")
LATE = Figure("release", "http", Spread(0.0061, 0.001, 0.0072), "ms", 0.005)
PLAIN = Figure("chain", "floor", Spread(0.3, 0.2, 0.4), "ms")

TABLE = """\
chain                                                median          min - max   aim
  a unit / floor                                    1.50 x      1.25 -    2.25   at most 2 x: met
      0.9 ms a unit against 0.6 ms
  floor                                           300.00 ms   200.00 -  400.00

release                                              median          min - max   aim
  http                                              6.10 ms     1.00 -    7.20   at most 5 ms: MISSED"""


def test_an_aim_is_held_against_the_median() -> None:
    assert [figure.is_met for figure in (FAST, LATE, PLAIN)] == [True, False, None]


def test_figures_are_read_as_a_table() -> None:
    assert table([FAST, PLAIN, LATE]) == TABLE


def test_the_verdict_names_what_was_missed() -> None:
    assert verdict([PLAIN]) == "No aim was measured."
    assert verdict([FAST, PLAIN]) == "All aims are met (1 of 1)."
    assert verdict([FAST, LATE]) == "1 of 2 aims are met. Missed: release: http."


def test_json_has_the_verdict() -> None:
    assert as_json(LATE) == {
        "section": "release",
        "name": "http",
        "value": {"median": 0.0061, "low": 0.001, "high": 0.0072},
        "unit": "ms",
        "aim": 0.005,
        "of": "",
        "met": False,
    }
