# SPDX-License-Identifier: Apache-2.0
"""attach() around stand-ins of deep_ep.Buffer. What a Diagnose does with the counters is not looked
at here."""

from __future__ import annotations

import gc
import importlib
import inspect
import os
import signal
import sys
import threading
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import attach_world  # noqa: E402
from attach_world import Group, World, call, until  # noqa: E402
from deepxtrace import _attach  # noqa: E402
from deepxtrace.adapters.deep_ep import DeepEP  # noqa: E402
from standins import VERSIONS  # noqa: E402

world = attach_world.world
CALLERS = ["positional", "by name", "mixed"]


@pytest.mark.parametrize("how", CALLERS)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_is_called_as_before(world: World, version: str, how: str) -> None:
    world.install(version)
    import deep_ep

    before = [inspect.signature(getattr(deep_ep.Buffer, n)) for n, _ in DeepEP.operators]
    _attach.attach()
    after = [inspect.signature(getattr(deep_ep.Buffer, n)) for n, _ in DeepEP.operators]
    assert before == after
    buffer = deep_ep.Buffer(Group(), 0, 1 << 20, low_latency_mode=True)
    for index, operator in enumerate(("dispatch", "combine")):
        argument = DeepEP.operators[index][1]
        for more in ({}, {"return_recv_hook": True}, {"async_finish": True}):
            result, passed, seen = call(buffer, operator, how, **more)
            assert result[1] is seen and result[0].startswith(operator)
            if index in VERSIONS[version].counts:
                assert seen[argument] is world.made[0].counters[index]
            else:
                assert seen.get(argument) is None
            # Nothing else differs from what was passed, but that tokens are counted.
            if index in VERSIONS[version].counts and "cumulative_local_expert_recv_stats" in seen:
                assert seen["cumulative_local_expert_recv_stats"] is world.made[0].tokens
            for name, value in passed.items():
                assert seen[name] is value
    assert len(world.made) == (1 if VERSIONS[version].counts else 0)


def test_a_version_without_counters_is_said_once(world: World, caplog: Any) -> None:
    world.install("2025-06, counts of tokens only")
    _attach.attach()
    import deep_ep

    for _ in range(3):
        call(deep_ep.Buffer(Group(), low_latency_mode=True), "dispatch", "positional")
    importlib.reload(deep_ep.buffer)
    importlib.reload(deep_ep)
    said = [r for r in caplog.records if "takes no wait counters" in r.getMessage()]
    assert len(said) == 1
    assert not hasattr(deep_ep.Buffer.low_latency_dispatch, "__wrapped__")


def test_half_a_version_is_said_once(world: World, caplog: Any) -> None:
    world.install("dispatch only")
    _attach.attach()
    import deep_ep  # noqa: F401

    said = [r.getMessage() for r in caplog.records if "takes no wait counters" in r.getMessage()]
    assert len(said) == 1 and "low_latency_combine" in said[0]


@pytest.mark.parametrize("by_position", [True, False])
def test_own_counters_are_respected(world: World, by_position: bool) -> None:
    world.install()
    _attach.attach()
    import deep_ep

    buffer = deep_ep.Buffer(Group(), low_latency_mode=True)
    own = torch.zeros(4, dtype=torch.int64)
    x = torch.zeros(1)
    if by_position:
        buffer.low_latency_dispatch(x, "idx", 16, 32, None, own)
        assert buffer.calls[-1]["dispatch_wait_recv_cost_stats"] is own
        buffer.low_latency_dispatch(x, "idx", 16, 32, "stats", None, False)
        seen = buffer.calls[-1]
        assert seen["dispatch_wait_recv_cost_stats"] is world.made[0].counters[0]
        assert seen["cumulative_local_expert_recv_stats"] == "stats" and seen["use_fp8"] is False
    else:
        call(buffer, "dispatch", "mixed", dispatch_wait_recv_cost_stats=own)
        assert buffer.calls[-1]["dispatch_wait_recv_cost_stats"] is own
        call(buffer, "combine", "mixed", combine_wait_recv_cost_stats=own)
        assert buffer.calls[-1]["combine_wait_recv_cost_stats"] is own
        call(buffer, "dispatch", "mixed", dispatch_wait_recv_cost_stats=None)
        assert (
            buffer.calls[-1]["dispatch_wait_recv_cost_stats"] is world.made[0].counters[0]
        )


def test_tokens_that_the_caller_counts_stay_its_own(world: World) -> None:
    world.install()
    _attach.attach()
    import deep_ep

    buffer = deep_ep.Buffer(Group(), low_latency_mode=True)
    own = torch.zeros(8, dtype=torch.int32)
    _, _, seen = call(buffer, "dispatch", "mixed", cumulative_local_expert_recv_stats=own)
    assert seen["cumulative_local_expert_recv_stats"] is own


def test_calls_are_counted_once(world: World) -> None:
    world.install()
    _attach.attach()
    import deep_ep

    buffers = [deep_ep.Buffer(Group(), low_latency_mode=True) for _ in range(2)]
    for _ in range(3):
        call(buffers[0], "dispatch", "mixed", return_recv_hook=True)
        call(buffers[1], "dispatch", "mixed")
        call(buffers[1], "combine", "mixed")
    with pytest.raises(ZeroDivisionError):
        buffers[0].low_latency_dispatch(torch.zeros(1), "idx", 16, 13)
    assert [d.operations.issued() for d in world.made] == [(3, 0), (3, 3)]


def test_a_method_that_calls_another_is_one_operation(world: World) -> None:
    world.install()
    package = world.folder / "deep_ep" / "__init__.py"
    package.write_text(package.read_text() + (
        "\nclass Derived(Buffer):\n"
        "    def low_latency_dispatch(self, x, topk_idx, num_max_dispatch_tokens_per_rank,"
        " num_experts, dispatch_wait_recv_cost_stats=None):\n"
        "        return super().low_latency_dispatch(x, topk_idx,"
        " num_max_dispatch_tokens_per_rank, num_experts,"
        " dispatch_wait_recv_cost_stats=dispatch_wait_recv_cost_stats)\n"
    ))
    _attach.attach()
    import deep_ep

    buffer = deep_ep.Derived(Group(), low_latency_mode=True)
    call(buffer, "dispatch", "mixed")
    assert world.made[0].operations.issued() == (1, 0) and len(world.made) == 1


def test_a_class_below_python_is_none_of_ours(world: World, caplog: Any) -> None:
    """As deep_ep._C.Buffer, whose methods are pybind11's and have no signature."""
    world.install()
    (world.folder / "deep_ep" / "_C.py").write_text(
        "Buffer = type('Buffer', (), {'low_latency_dispatch': dict.fromkeys,"
        " 'low_latency_combine': dict.update})\n"
    )
    package = world.folder / "deep_ep" / "__init__.py"
    package.write_text("from . import _C\n" + package.read_text())
    _attach.attach()
    import deep_ep

    assert "nothing can be" not in caplog.text
    _, _, seen = call(deep_ep.Buffer(Group(), low_latency_mode=True), "dispatch", "mixed")
    assert seen["dispatch_wait_recv_cost_stats"] is world.made[0].counters[0]


def test_counters_are_there_before_the_first_operation(world: World) -> None:
    world.install()
    _attach.attach()
    import deep_ep

    buffers = [deep_ep.Buffer(Group(), low_latency_mode=True) for _ in range(2)]
    assert len(world.made) == 2
    for buffer, diagnosis in zip(buffers, world.made):
        world.capturing = True  # a graph: the pointers that it gets are those of later, too
        _, _, seen = call(buffer, "dispatch", "positional")
        assert seen["dispatch_wait_recv_cost_stats"] is diagnosis.counters[0]
        world.capturing = False
        call(buffer, "dispatch", "positional")
        assert diagnosis.told == [("deep_ep.buffer.Buffer", 32, 8)]  # 4 ranks
    assert len(world.made) == 2


def test_experts_are_in_the_handle_too(world: World) -> None:
    world.install()
    _attach.attach()
    import deep_ep

    buffer = deep_ep.Buffer(Group(), low_latency_mode=True)
    buffer.low_latency_combine(torch.zeros(1), "idx", "weights", ("src", "range", 16, 128, 64))
    assert world.made[0].told == [("deep_ep.buffer.Buffer", 64, 16)]


def test_methods_of_another_kind_are_not_touched(world: World, caplog: Any) -> None:
    package = world.folder / "deep_ep"
    package.mkdir()
    (package / "__init__.py").write_text(
        "class Buffer:\n"
        "    @staticmethod\n"
        "    def low_latency_dispatch(x, dispatch_wait_recv_cost_stats=None):\n"
        "        return dispatch_wait_recv_cost_stats\n"
        "    low_latency_combine = 3\n"
    )
    importlib.invalidate_caches()
    _attach.attach()
    import deep_ep

    assert deep_ep.Buffer().low_latency_dispatch(torch.zeros(1)) is None
    assert deep_ep.Buffer.low_latency_combine == 3
    assert "takes no wait counters" in caplog.text


def test_normal_mode_is_left_alone_until_it_is_not(world: World, caplog: Any) -> None:
    world.install()
    _attach.attach()
    import deep_ep

    buffer = deep_ep.Buffer(Group(), 1 << 20)
    assert not world.made
    world.capturing = True
    for _ in range(2):
        _, _, seen = call(buffer, "combine", "positional")
        assert seen["combine_wait_recv_cost_stats"] is None
    assert not world.made
    assert len([r for r in caplog.records if "captured" in r.getMessage()]) == 1
    world.capturing = False
    _, _, seen = call(buffer, "combine", "positional")
    assert seen["combine_wait_recv_cost_stats"] is world.made[0].counters[1]


def test_counters_follow_the_tokens(world: World) -> None:
    world.install()
    _attach.attach()
    import deep_ep

    buffer = deep_ep.Buffer(Group(), low_latency_mode=True)
    elsewhere = torch.zeros(1, device="meta")
    buffer.low_latency_dispatch(elsewhere, "idx", 16, 32)
    assert [d.device for d in world.made] == ["cpu", torch.device("meta")]
    until(lambda: world.made[0].told == ["closed"])
    seen = buffer.calls[-1]["dispatch_wait_recv_cost_stats"]
    assert seen is world.made[1].counters[0]
    # Once it runs, tokens from elsewhere are not counted.
    _, _, seen = call(buffer, "dispatch", "positional")
    assert seen["dispatch_wait_recv_cost_stats"] is None and len(world.made) == 2


def test_errors_of_the_program_stay_its_own(world: World) -> None:
    world.install()
    _attach.attach()
    import deep_ep

    buffer = deep_ep.Buffer(Group(), low_latency_mode=True)
    with pytest.raises(ZeroDivisionError, match="thirteen"):
        buffer.low_latency_dispatch(torch.zeros(1), "idx", 16, 13)
    with pytest.raises(TypeError, match="low_latency_dispatch.. missing"):
        buffer.low_latency_dispatch(torch.zeros(1))
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        buffer.low_latency_combine(torch.zeros(1), 1, 2, 3, nonsense=1)
    with pytest.raises(TypeError, match="__init__"):
        deep_ep.Buffer()
    _, _, seen = call(buffer, "dispatch", "by name")
    assert seen["dispatch_wait_recv_cost_stats"] is not None


@pytest.mark.parametrize("where", ["construction", "operation"])
def test_errors_of_ours_do_not_reach_it(world: World, caplog: Any, where: str) -> None:
    world.install()
    _attach.attach()
    import deep_ep

    world.failure = OSError("no room for a log")
    for _ in range(2):
        buffer = deep_ep.Buffer(Group(), low_latency_mode=where == "construction")
        for _ in range(2):
            _, _, seen = call(buffer, "dispatch", "mixed")
            assert seen["dispatch_wait_recv_cost_stats"] is None
    assert len([r for r in caplog.records if "no room for a log" in r.getMessage()]) == 1
    # Tokens that are none, and a Buffer without the attributes of one.
    world.failure = None
    buffer = deep_ep.Buffer(Group(), low_latency_mode=True)
    assert buffer.low_latency_dispatch("tokens", "idx", 16, 32)[0] == "dispatched"
    bare = deep_ep.Buffer.__new__(deep_ep.Buffer)
    bare.calls = []
    assert bare.low_latency_dispatch(torch.zeros(1), "idx", 16, 32)[0] == "dispatched"


def test_groups_that_cannot_be_diagnosed(world: World, caplog: Any) -> None:
    world.install()
    _attach.attach()
    import deep_ep

    for group in (None, Group(1)):
        buffer = deep_ep.Buffer(group, low_latency_mode=True)
        _, _, seen = call(buffer, "dispatch", "mixed")
        assert seen["dispatch_wait_recv_cost_stats"] is None
    assert not world.made
    assert [r.getMessage() for r in caplog.records if "process group" in r.getMessage()]


def test_subclasses_and_other_wrappers(world: World) -> None:
    world.install()
    import deep_ep

    class Mine(deep_ep.Buffer):
        def __init__(self, group: Any) -> None:
            super().__init__(group, low_latency_mode=True)

        def low_latency_dispatch(self, *args: Any, **kwargs: Any) -> Any:
            return super().low_latency_dispatch(*args, **kwargs)

    _attach.attach()
    buffer = Mine(Group())
    _, _, seen = call(buffer, "dispatch", "mixed")
    assert seen["dispatch_wait_recv_cost_stats"] is world.made[0].counters[0]
    assert len(world.made) == 1
    # Somebody wraps after us, and stays when we go.
    ours = deep_ep.Buffer.low_latency_combine
    deep_ep.Buffer.low_latency_combine = lambda *args, **kwargs: ours(*args, **kwargs)
    theirs = deep_ep.Buffer.low_latency_combine
    buffer.low_latency_combine(torch.zeros(1), 1, 2, 3)
    assert buffer.calls[-1]["combine_wait_recv_cost_stats"] is world.made[0].counters[1]
    _attach.detach()
    assert deep_ep.Buffer.low_latency_combine is theirs
    buffer.low_latency_combine(torch.zeros(1), 1, 2, 3)
    assert buffer.calls[-1]["combine_wait_recv_cost_stats"] is None


def test_twice_is_once_and_detach_undoes(world: World) -> None:
    world.install()
    import deep_ep

    names = ("__init__", "low_latency_dispatch", "low_latency_combine")
    before = [vars(deep_ep.Buffer)[name] for name in names]
    finders = list(sys.meta_path)
    first = _attach.attach()
    assert _attach.attach(interval=3) is first
    first.examine(deep_ep)
    assert all(
        getattr(vars(deep_ep.Buffer)[name], "__wrapped__") is original
        for name, original in zip(names, before)
    )
    buffer = deep_ep.Buffer(Group(), low_latency_mode=True)
    _attach.detach()
    assert [vars(deep_ep.Buffer)[name] for name in names] == before
    assert sys.meta_path == finders
    assert world.made[0].told == ["closed"]
    _, _, seen = call(buffer, "dispatch", "mixed")
    assert seen["dispatch_wait_recv_cost_stats"] is None
    _attach.detach()
    _attach.attach()
    _, _, seen = call(deep_ep.Buffer(Group(), low_latency_mode=True), "dispatch", "mixed")
    assert seen["dispatch_wait_recv_cost_stats"] is world.made[1].counters[0]


def test_a_buffer_may_be_attached_to_again(world: World) -> None:
    world.install()
    import deep_ep

    buffer = deep_ep.Buffer(Group(), low_latency_mode=True)
    given = []
    for _ in range(3):
        _attach.attach()
        given.append(call(buffer, "dispatch", "mixed")[2]["dispatch_wait_recv_cost_stats"])
        _attach.detach()
        assert call(buffer, "dispatch", "mixed")[2]["dispatch_wait_recv_cost_stats"] is None
    assert [d.counters[0] for d in world.made] == given and len(set(map(id, given))) == 3
    # Graphs of all three may be replayed.
    state = vars(buffer)["_deepxtrace_state"]
    assert [s.diagnose for s in (state.before.before, state.before, state)] == world.made


def test_a_buffer_that_goes_takes_its_diagnosis_along(world: World) -> None:
    world.install()
    _attach.attach()
    import deep_ep

    buffer = deep_ep.Buffer(Group(), low_latency_mode=True)
    call(buffer, "dispatch", "mixed")
    del buffer
    gc.collect()
    until(lambda: world.made[0].told[-1] == "closed")
    # Whoever collects it may be the thread that is to be stopped.
    assert world.made[0].closed_by != threading.get_ident()


def test_a_forked_child_goes_on(world: World) -> None:
    world.install()
    attachment = _attach.attach()
    import deep_ep

    buffer = deep_ep.Buffer(Group(), low_latency_mode=True)
    with attachment._lock, _attach._attached_lock:  # somebody's, at the wrong moment
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            status = 1
            try:
                thread = threading.Thread(target=call, args=(buffer, "dispatch", "mixed"))
                thread.start()
                thread.join(20)
                other = deep_ep.Buffer(Group(), low_latency_mode=True)
                call(other, "combine", "mixed")
                status = 0 if not thread.is_alive() and len(buffer.calls) == 1 else 2
                _attach.detach()
            finally:
                os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert world.made[0].told == []


def test_settings(world: World, monkeypatch: Any) -> None:
    read = _attach.AttachSettings.read
    assert read({}, {}) == _attach.AttachSettings(
        True, 20.0, None, "robust", ("deep_ep", "deep_ep_v25", "nixl_ep", "flashinfer"), None, False
    )
    told = {
        "DEEPXTRACE": "on",
        "DEEPXTRACE_INTERVAL": " 5 ",
        "DEEPXTRACE_OUTPUT": "logs",
        "DEEPXTRACE_METHOD": "ratio",
        "DEEPXTRACE_MODULES": "deep_ep, uccl.ep",
        "DEEPXTRACE_MIN_SHARE": "5%",
        "DEEPXTRACE_QUIET": "1",
    }
    expected = _attach.AttachSettings(True, 5.0, "logs", "ratio", ("deep_ep", "uccl.ep"), 0.05,
                                      True)
    assert read({}, told) == expected
    assert read({"interval": 1, "method": "robust"}, told).interval == 1
    for name, value in [
        ("DEEPXTRACE", "perhaps"),
        ("DEEPXTRACE_INTERVAL", "0"),
        ("DEEPXTRACE_INTERVAL", "soon"),
        ("DEEPXTRACE_INTERVAL", "nan"),
        ("DEEPXTRACE_METHOD", "guess"),
        ("DEEPXTRACE_MODULES", "a b; c"),
        ("DEEPXTRACE_MIN_SHARE", "2"),
        ("DEEPXTRACE_MIN_SHARE", "some"),
        ("DEEPXTRACE_QUIET", "perhaps"),
    ]:
        with pytest.raises(ValueError, match=name):
            read({}, {**told, name: value})
    with pytest.raises(ValueError, match="INTERVAL.*METHOD"):
        read({}, {"DEEPXTRACE_INTERVAL": "x", "DEEPXTRACE_METHOD": "y"})
    world.install()
    monkeypatch.setenv("DEEPXTRACE", "0")
    _attach.attach()
    import deep_ep

    assert not hasattr(deep_ep.Buffer.low_latency_dispatch, "__wrapped__")
