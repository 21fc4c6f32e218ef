from __future__ import annotations

from runner.rpc.messages import Empty, SyncListResponse
from runner.rpc.methods import METHODS, SYNC_LIST, Method, say_unknown

AGENT_SOCKET = "/coder.agentsocket.v1.AgentSocket"


def test_the_methods_of_the_agents_socket_and_their_versions() -> None:
    versions = {path.removeprefix(f"{AGENT_SOCKET}/"): method.since for path, method in METHODS.items() if AGENT_SOCKET in path}
    assert versions == {
        "Ping": (1, 0),
        "SyncStart": (1, 0),
        "SyncWant": (1, 0),
        "SyncComplete": (1, 0),
        "SyncReady": (1, 0),
        "SyncStatus": (1, 0),
        "SyncList": (1, 2),
        "UpdateAppStatus": (1, 1),
    }


def test_a_method_is_found_by_its_path_and_knows_its_messages() -> None:
    assert METHODS[f"{AGENT_SOCKET}/SyncList"] is SYNC_LIST
    assert (SYNC_LIST.request, SYNC_LIST.response, SYNC_LIST.is_stream) == (Empty, SyncListResponse, False)
    assert all(path == method.path for path, method in METHODS.items())


def test_our_own_services_have_messages_or_json() -> None:
    ours = {
        path: (method.request is None, method.is_stream) for path, method in METHODS.items() if path.startswith("/runner.v1.")
    }
    assert ours == {
        "/runner.v1.Sync/Wait": (False, False),
        "/runner.v1.Sync/Reach": (False, False),
        "/runner.v1.Sync/Fail": (False, False),
        "/runner.v1.Control/Snapshot": (True, False),
        "/runner.v1.Control/Events": (True, True),
        "/runner.v1.Control/Usage": (True, False),
        **{f"/runner.v1.Control/{name}": (True, False) for name in ("Start", "Stop", "Restart", "Retry", "Reload")},
    }
    assert Method("/runner.v1.Control/Any").response is None


def test_an_unknown_rpc_is_quoted_and_of_a_long_name_only_the_beginning() -> None:
    assert say_unknown(f"{AGENT_SOCKET}/Nope") == f'protocol error: unknown rpc: "{AGENT_SOCKET}/Nope"'
    assert say_unknown('a"\n') == r'protocol error: unknown rpc: "a\"\n"'
    assert len(say_unknown("x" * 4_194_304)) < 5_000
