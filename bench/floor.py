"""The floor in Python, where no C compiler is found: ``floor.py [-v] GRAPH``, as ``floor.c`` has it.

It imports ``os`` and ``sys`` alone, so that its own start costs next to nothing.
"""

from __future__ import annotations

import os
import sys


def read_graph(path: str) -> tuple[int, list[list[int]]]:
    """The number of jobs, and for each unit the numbers of those that it waits for."""
    with open(path) as file:  # noqa: PTH123 - pathlib would be an import
        _, jobs = map(int, file.readline().split())
        return jobs, [[int(number) for number in line.split()[1:]] for line in file]


def run(jobs: int, graph: list[list[int]], verbose: bool) -> int:
    """Execute ``/bin/true`` once a unit, dependencies first; the number of units that ended."""
    unmet = [len(dependencies) for dependencies in graph]
    dependents: list[list[int]] = [[] for _ in graph]
    for number, dependencies in enumerate(graph):
        for dependency in dependencies:
            dependents[dependency].append(number)
    queue = [number for number, count in enumerate(unmet) if not count]
    running: dict[int, int] = {}
    first = ended = 0
    while first < len(queue) or running:
        while first < len(queue) and len(running) < jobs:
            number = queue[first]
            first += 1
            if verbose:
                print("start", number)
            running[os.posix_spawn("/bin/true", ["/bin/true"], os.environ)] = number
        pid, wait_status = os.waitpid(-1, 0)
        if wait_status:
            sys.exit("floor: cannot wait for /bin/true")
        number = running.pop(pid)
        if verbose:
            print("end", number)
        ended += 1
        for dependent in dependents[number]:
            unmet[dependent] -= 1
            if not unmet[dependent]:
                queue.append(dependent)
    return ended


def main() -> None:
    jobs, graph = read_graph(sys.argv[-1])
    if run(jobs, graph, verbose=sys.argv[1] == "-v") != len(graph):
        sys.exit("floor: cannot finish: units wait for each other")


if __name__ == "__main__":
    main()
