# SPDX-License-Identifier: Apache-2.0
"""attach() before, after and in the middle of the import of deep_ep."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import attach_world  # noqa: E402
from attach_world import FULL, Group, World, call  # noqa: E402
from deepxtrace import _attach  # noqa: E402
from standins import VERSIONS  # noqa: E402

world = attach_world.world


def test_import_before_attach(world: World) -> None:
    world.install()
    from deep_ep import Buffer

    early = Buffer(Group(), low_latency_mode=True)
    _attach.attach()
    _, _, seen = call(early, "dispatch", "mixed")
    assert seen["dispatch_wait_recv_cost_stats"] is world.made[0].counters[0]


@pytest.mark.parametrize("version", [FULL, "version 2, in a deeper module"])
def test_import_after_attach_and_reload(world: World, version: str) -> None:
    world.install(version)
    _attach.attach()
    name = "deep_ep." + VERSIONS[version].submodule
    module = importlib.import_module(name)  # the class, before the package has it
    package = sys.modules["deep_ep"]
    assert package.Buffer is module.Buffer
    spec = module.__spec__
    assert "exec_module" not in vars(spec.loader) and type(spec.loader).__name__ == (
        "SourceFileLoader"
    )
    _, _, seen = call(module.Buffer(Group(), low_latency_mode=True), "combine", "mixed")
    assert seen["combine_wait_recv_cost_stats"] is not None
    old = module.Buffer
    importlib.reload(module)
    assert module.Buffer is not old
    importlib.reload(package)
    assert package.Buffer is module.Buffer
    for cls in (old, module.Buffer):
        _, _, seen = call(cls(Group(), low_latency_mode=True), "combine", "mixed")
        assert seen["combine_wait_recv_cost_stats"] is not None
    assert len(world.made) == 3


def test_a_class_that_is_defined_behind_the_submodules(world: World) -> None:
    """When attach() comes in the middle of the import of the package."""
    package = world.folder / "deep_ep"
    package.mkdir()
    (package / "early.py").write_text("from deepxtrace import _attach\n_attach.attach()\n")
    (package / "__init__.py").write_text(
        "from . import early\n\nclass Buffer:\n"
        "    def __init__(self, group):\n        self.group = group\n"
        "    def low_latency_dispatch(self, x, dispatch_wait_recv_cost_stats=None):\n"
        "        return dispatch_wait_recv_cost_stats\n"
    )
    importlib.invalidate_caches()
    _attach.attach()  # as under deepxtrace-run
    import deep_ep

    assert deep_ep.Buffer(Group()).low_latency_dispatch(torch.zeros(1)) is not None


def test_what_is_not_there_stays_so(world: World) -> None:
    _attach.attach()
    with pytest.raises(ModuleNotFoundError, match="No module named 'deep_ep'"):
        importlib.import_module("deep_ep")
    world.install()
    import deep_ep  # noqa: F401

    with pytest.raises(ModuleNotFoundError, match="No module named 'deep_ep.nothing'"):
        importlib.import_module("deep_ep.nothing")


class Delegating:
    """A finder that asks the others, as ours does."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.split(".")[0] != "deep_ep":
            return None
        for finder in sys.meta_path:
            if finder is not self:
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    return spec
        return None


@pytest.mark.parametrize("first", [True, False])
def test_next_to_another_import_hook(world: World, monkeypatch: Any, first: bool) -> None:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    world.install()
    if first:
        _attach.attach()
    sys.meta_path.insert(0, Delegating())  # type: ignore[arg-type]
    _attach.attach()
    import deep_ep

    _, _, seen = call(deep_ep.Buffer(Group(), low_latency_mode=True), "dispatch", "mixed")
    assert seen["dispatch_wait_recv_cost_stats"] is not None
