# SPDX-License-Identifier: Apache-2.0
"""The adapter for DeepEP V2 without DeepEP, nvcc and a GPU: headers and a package of our own."""
from __future__ import annotations

import contextlib
import ctypes
import importlib
import logging
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any, Dict, Iterator, List

import numpy as np
import pytest

from deepxtrace.adapters import _deepep_build, _relocate
from deepxtrace.adapters._deepep_build import Compiler, Unusable, edited, prepare
from deepxtrace.adapters._deepep_headers import LAYOUTS, UnknownVersion, _spaced
from v2_headers import write_headers

GENERATIONS = [layout.name for layout in LAYOUTS]
OWN = Path(_deepep_build.__file__).parent / "deepep_v2.cuh"


# ---- the edits

@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_edit_is_made(generation: str, tmp_path: Path) -> None:
    include = write_headers(tmp_path, generation)
    before = {path: path.read_text() for path in include.rglob("*.cuh")}
    layout, files = edited(str(include))
    assert layout.name == generation
    barrier = files[layout.barrier]
    assert barrier.count("auto& dxt_watch) {") == 4
    assert barrier.count(", dxt_watch);") == 7
    assert barrier.count("dxt_watch.template watch<") == 3
    # Watched is by SMs that wait for the first one: in front of its way through the barrier, in
    # place of a second one, and behind the barrier over the network.
    first = barrier.index("if (kNumSMs > 1 and sm_idx > 0) {")
    assert first < barrier.index("watch<") < barrier.index("return;", first)
    second = barrier.index("if (kNumSMs == 1 and thread_idx >= 32)")
    assert barrier.index("__syncthreads();") < second
    assert barrier.index("this_grid().sync();") < barrier.index("dxt_watch.finish(sm_idx")
    assert "if (i != rank_idx)" in barrier
    assert ("dxt_watch.arrived(" if generation == "2.1" else "await<kNumTimeoutCycles>(") in barrier
    # What the first SM does is what the library has. Behind what it adds up it tells the peers, and
    # before each look at the signal, when that was; behind the last one it does nothing.
    own = before[include / layout.barrier]
    for begin, end in (("const int phase", "__syncthreads();"),
                       ("const auto signal = ", "template <")):
        assert own[own.index(begin):own.index(end, own.index(begin))] in barrier
    assert (barrier.index("test::release(") < barrier.index("dxt_watch.template tell<")
            < barrier.index("dxt_watch.begin(dxt_number, thread_idx)")
            < barrier.index("timeout_while<kNumTimeout") < barrier.index("dxt_watch.again(")
            < barrier.index("const auto signal = "))
    # Nothing of the package itself is changed, and the copy is whole.
    assert {path: path.read_text() for path in include.rglob("*.cuh")} == before
    names = {str(path.relative_to(include)) for path in before}
    assert set(files) == names | {"deep_ep/deepxtrace.cuh"}


def _all_edits() -> List[Any]:
    return [(layout.name, name, index) for layout in LAYOUTS
            for name, edits in layout.edits.items() for index in range(len(edits))]


@pytest.mark.parametrize("generation, name, index", _all_edits())
def test_a_place_that_is_missing_is_an_unknown_version(generation: str, name: str, index: int,
                                                       tmp_path: Path) -> None:
    import re
    include = write_headers(tmp_path, generation)
    layout = next(layout for layout in LAYOUTS if layout.name == generation)
    path = include / name
    text = path.read_text()
    for edit in layout.edits[name][:index]:
        text = edit.apply(text, name)
    edit = layout.edits[name][index]
    start = text.index(edit.inside) if edit.inside else 0
    there = re.compile(_spaced(edit.old)).search(text, start)
    assert there is not None
    mutated = text[:there.start()] + "something_else" + text[there.end():]
    with pytest.raises(UnknownVersion, match=re.escape(name)):
        edit.apply(mutated, name)


@pytest.mark.parametrize("change", ["gone", "twice", "reserved", "large", "no barrier"])
def test_other_headers_are_unknown(change: str, tmp_path: Path,
                                   monkeypatch: pytest.MonkeyPatch) -> None:
    include = write_headers(tmp_path, "2.1")
    barrier = include / "deep_ep/common/comm.cuh"
    if change == "gone":
        (include / "deep_ep/impls/hybrid_dispatch.cuh").unlink()
    elif change == "twice":
        barrier.write_text(barrier.read_text() * 2)
    elif change == "reserved":
        (include / "deep_ep/deepxtrace.cuh").write_text("")
    elif change == "large":
        monkeypatch.setattr(_deepep_build, "_MOST_BYTES", 100)
    else:
        barrier.unlink()
    with pytest.raises(UnknownVersion):
        edited(str(include))


def _program(tmp_path: Path, text: str) -> subprocess.CompletedProcess:
    source = tmp_path / "p.cpp"
    source.write_text(f'#include <cstddef>\n#include <cstdio>\n#include "{OWN}"\n'
                      f'int main() {{ {text} }}\n')
    return subprocess.run(["c++", "-std=c++17", "-o", str(tmp_path / "p"), str(source)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_both_sides_agree_on_the_area(tmp_path: Path) -> None:
    slack = importlib.import_module("deepxtrace.adapters._slack")
    made = _program(tmp_path, """using namespace deepxtrace;
        printf("%zu %zu %zu %zu %zu %lld %lld", sizeof(Area), offsetof(Area, begun),
               offsetof(Area, reached), offsetof(Area, wait), offsetof(Area, samples),
               (long long)area_offset<12820528>(), (long long)area_offset<15831168>());""")
    assert made.returncode == 0, made.stdout.decode()
    numbers = subprocess.run([str(tmp_path / "p")], stdout=subprocess.PIPE, check=True).stdout
    size, begun, reached, wait, samples, old, new = map(int, numbers.split())
    assert size == 8 * slack.AREA_WORDS
    assert (begun, reached, wait, samples) == (8 * slack._BEGUN, 8 * slack._REACHED,
                                               8 * slack._WAIT, 8 * slack._SAMPLES)
    for offset, used, end in ((old, 12820528, 14680064), (new, 15831168, 16777216)):
        assert used <= offset and offset + size <= end and offset % 128 == 0


@pytest.mark.parametrize("one_node, begun, issued", [
    (True, [8, 7, 7, 7], [8, 7, 7, 7]),
    (True, [8, 8, 6, 0], [8, 8, 7, 7]),  # no exit counted; read a moment before the operations
    (True, [0, 0, 0, 0], None),  # no NVLink
    (False, [8, 7, 7, 7], None),
])
def test_operations_begun_are_issued(one_node: bool, begun: List[int], issued: Any) -> None:
    pytest.importorskip("torch")
    slack = importlib.import_module("deepxtrace.adapters._slack")
    mode = importlib.import_module("deepxtrace._mode")
    counters = object.__new__(slack.SlackCounters)
    counters._one_node, counters.operators = one_node, slack.OPERATORS
    counters._area = np.zeros(slack.AREA_WORDS, np.int64)
    counters._area[[0, 2]] = 7
    counters._area[slack._BEGUN:slack._REACHED] = begun
    assert mode.Mode("own", slack.OPERATORS, 2, None, counters).facts(None).issued == issued


def test_a_workspace_without_room_does_not_compile(tmp_path: Path) -> None:
    made = _program(tmp_path, 'printf("%lld", (long long)deepxtrace::area_offset<2097152>());')
    assert made.returncode != 0 and b"no room" in made.stdout


def test_the_header_is_where_the_package_is() -> None:
    build = os.environ.get("DXT_BUILD_DIR")
    if build is None:
        pytest.skip("no build folder")
    place = Path(build, "share/deepxtrace/python/deepxtrace/adapters", OWN.name)
    assert place.read_text() == OWN.read_text()


# ---- the trial and the cache

NVCC = """#!/bin/sh
echo "$@" >>{log}
case "$*" in
*--version*) echo release 13.0; exit 0 ;;
esac
while [ $# -gt 0 ]; do
    case "$1" in
    -o) printf '#!/bin/sh\\necho {offset}\\n' >"$2"; chmod +x "$2" ;;
    esac
    shift
done
exit {status}
"""


class Machine:
    """A package with headers, a compiler that compiles nothing, and a cache."""

    def __init__(self, folder: Path, *, status: int = 0, offset: str = "14606208") -> None:
        self.folder, self.log = folder, folder / "nvcc.log"
        self.package = folder / "deep_ep"
        write_headers(self.package, "2.1")
        (folder / "cache").mkdir(mode=0o700)
        self.nvcc = folder / "nvcc"
        self.nvcc.write_text(NVCC.format(log=self.log, status=status, offset=offset))
        self.nvcc.chmod(0o755)

    def prepare(self, **more: Any) -> Any:
        settings = {"nvcc": str(self.nvcc), "architecture": "90a", "nccl_root": "/nccl", **more}
        return prepare(str(self.package), Compiler(**settings), str(self.folder / "cache"))

    def compiled(self) -> int:
        return sum("-cubin" in line for line in self.log.read_text().splitlines())


def test_headers_are_tried_once(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    headers = machine.prepare()
    assert headers.offset == 14606208
    assert "dxt_watch" in Path(headers.root, "include/deep_ep/common/comm.cuh").read_text()
    assert machine.compiled() == len(LAYOUTS[0].kernels)
    assert machine.prepare() == headers
    assert machine.compiled() == len(LAYOUTS[0].kernels)
    leftovers = [name for name in os.listdir(tmp_path / "cache") if "." in name]
    assert leftovers == [os.path.basename(headers.root) + ".lock"]


@pytest.mark.parametrize("other", [{"architecture": "100a"}, {"nccl_root": "/other"}])
def test_what_the_headers_depend_on_is_in_the_name(other: Dict[str, str], tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert machine.prepare().root != machine.prepare(**other).root
    before = machine.prepare().root
    layout = machine.package / "include/deep_ep/common/layout.cuh"
    layout.write_text(layout.read_text() + "// changed\n")
    assert machine.prepare().root != before


def test_headers_that_do_not_compile_are_not_tried_again(tmp_path: Path) -> None:
    machine = Machine(tmp_path, status=1)
    with pytest.raises(Unusable, match="do not compile"):
        machine.prepare()
    once = machine.compiled()
    with pytest.raises(Unusable, match="do not compile"):
        machine.prepare()
    assert machine.compiled() == once > 0


def test_an_offset_that_is_none_is_no_trial_that_has_gone_well(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="offset"):
        Machine(tmp_path, offset="what").prepare()


def test_a_compiler_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="cannot be run"):
        Machine(tmp_path).prepare(nvcc=str(tmp_path / "none"))


def test_headers_that_cannot_be_read(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (machine.package / "include/deep_ep/gone.cuh").symlink_to(tmp_path / "nowhere")
    with pytest.raises(Unusable, match="cannot be read"):
        machine.prepare()


def test_unknown_headers_are_not_compiled(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (machine.package / "include/deep_ep/common/comm.cuh").write_text("#pragma once\n")
    with pytest.raises(Unusable, match="not known"):
        machine.prepare()
    assert not machine.log.exists()


def test_processes_of_a_machine_compile_once(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    code = (f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
            "from deepxtrace.adapters._deepep_build import Compiler, prepare\n"
            f"print(prepare({str(machine.package)!r}, Compiler({str(machine.nvcc)!r}, '90a',"
            f" '/nccl'), {str(tmp_path / 'cache')!r}).root)")
    jobs = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
            for _ in range(4)]
    roots = {job.communicate()[0] for job in jobs}
    assert len(roots) == 1 and all(job.returncode == 0 for job in jobs)
    assert machine.compiled() == len(LAYOUTS[0].kernels)


def test_the_cache_is_where_it_can_be_written(tmp_path: Path,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    monkeypatch.delenv("DEEPXTRACE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(_deepep_build.tempfile, "gettempdir", lambda: str(temporary))
    assert _deepep_build.cache_folder() == str(home / ".cache/deepxtrace")
    (home / ".cache/deepxtrace").rmdir()
    (home / ".cache/deepxtrace").write_text("no folder")
    assert _deepep_build.cache_folder() == str(temporary / f"deepxtrace-{os.geteuid()}")
    monkeypatch.setenv("DEEPXTRACE_CACHE", str(tmp_path / "mine"))
    assert _deepep_build.cache_folder() == str(tmp_path / "mine")
    (tmp_path / "mine").chmod(0o777)  # anybody could put headers there
    with pytest.raises(Unusable, match="DEEPXTRACE_CACHE"):
        _deepep_build.cache_folder()
    (tmp_path / "mine").rmdir()
    (tmp_path / "mine").symlink_to(home)
    with pytest.raises(Unusable):
        _deepep_build.cache_folder()


def test_the_wrapper_puts_the_headers_in_front(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    headers = machine.prepare()
    wrapper = _deepep_build.nvcc_wrapper(headers, Compiler(str(machine.nvcc), "90a", "/nccl"))
    machine.log.unlink()
    subprocess.run([wrapper, "--version"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([wrapper, "x.cu", "-I/other"], check=True)
    assert machine.log.read_text().splitlines() == [
        "--version", f"-I {headers.root}/include x.cu -I/other"]


# ---- a library that imports NCCL

NCCL = """
int ncclGetLsaDevicePointer(void *window, unsigned long offset, int rank, void **pointer)
{ *pointer = (char *)window + offset + 0x1000 * rank; return rank == 9 ? 1 : 0; }
"""
NATIVE = """
int ncclGetLsaDevicePointer(void *, unsigned long, int, void **);
void *ask(void *window, unsigned long offset, int rank)
{ void *pointer = 0; ncclGetLsaDevicePointer(window, offset, rank, &pointer); return pointer; }
"""


@pytest.fixture(scope="module", params=["now", "lazy"])
def native(request: Any, tmp_path_factory: Any) -> Any:
    folder = tmp_path_factory.mktemp("native")
    for name, text in (("nccl", NCCL), ("native", NATIVE)):
        (folder / f"{name}.c").write_text(text)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", "libnccl_of_ours.so", "nccl.c"], cwd=folder,
                   check=True)
    subprocess.run(["cc", "-shared", "-fPIC", "-Wl,-z,relro", f"-Wl,-z,{request.param}", "-o",
                    "native.so", "native.c", "-L.", "-lnccl_of_ours", f"-Wl,-rpath,{folder}"],
                   cwd=folder, check=True)
    library = ctypes.CDLL(str(folder / "native.so"))
    library.ask.restype = ctypes.c_void_p
    library.ask.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return library


def test_an_import_is_found_and_exchanged(native: Any) -> None:
    place = _relocate.slot(native._name, "ncclGetLsaDevicePointer")
    before = _relocate.read(place)
    assert native.ask(0x10000, 4, 2) == 0x12004
    before = _relocate.read(place)
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int,
                            ctypes.POINTER(ctypes.c_void_p))

    def other(window: int, offset: int, rank: int, pointer: Any) -> int:
        pointer[0] = 0x42
        return 0

    function = kind(other)
    _relocate.write(place, ctypes.cast(function, ctypes.c_void_p).value or 0)
    assert native.ask(0x10000, 4, 2) == 0x42
    _relocate.write(place, before)
    assert native.ask(0x10000, 4, 2) == 0x12004


def test_what_is_not_imported_is_not_found(native: Any, tmp_path: Path) -> None:
    with pytest.raises(_relocate.NotFound, match="does not import"):
        _relocate.slot(native._name, "ncclNothing")
    with pytest.raises(_relocate.NotFound, match="not loaded"):
        _relocate.slot(str(OWN), "ncclGetLsaDevicePointer")


@pytest.mark.parametrize("cut", [0, 5, 40, 60, 200, 1000, 5000])
def test_a_damaged_library_is_refused(native: Any, cut: int) -> None:
    image = bytearray(Path(native._name).read_bytes())
    with pytest.raises((_relocate.NotFound, ValueError, IndexError, _relocate.struct.error)):
        _relocate._find(bytes(image[:cut]), b"ncclGetLsaDevicePointer", (6, 7, 1025, 1026))


# ---- the adapter

class Group:
    def __init__(self, size: int = 2) -> None:
        self._size = size

    def size(self) -> int:
        return self._size


class Services:
    """As much of attach() as an adapter wants."""

    def __init__(self) -> None:
        self.active = self.attaching = True
        self.settings = None
        self.said: List[str] = []
        self.reasons: List[str] = []
        self.diagnoses: List[Any] = []
        self.ended: List[Any] = []

    def replace(self, owner: type, name: str, wrapper: Any) -> None:
        setattr(owner, name, wrapper)

    def once(self, level: int, text: str, *arguments: Any, key: str = "") -> None:
        self.said.append(text % arguments)

    def nothing(self, why: str) -> None:
        self.reasons.append(why)

    def quietly(self, doing: str, call: Any, *args: Any) -> Any:
        try:
            return call(*args)
        except Exception as error:
            self.failed(doing, error)
            return None

    def failed(self, doing: str, error: Exception) -> None:
        self.said.append(f"{doing} failed: {error}")

    def diagnose(self, group: Any, device: Any, **more: Any) -> Any:
        made = types.SimpleNamespace(counters=more["_counters"], told=[])
        made.tell = lambda *what: made.told.append(what)
        self.diagnoses.append(made)
        return made

    def end(self, diagnose: Any) -> None:
        self.ended.append(diagnose)


class Counters:
    """In the place of counters on a GPU."""

    def __init__(self, address: int, ranks: int, device: Any, one_node: bool) -> None:
        self.address, self.ranks, self.closed = address, ranks, False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def deep_ep(native: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A package like 2.1, the adapter, and its services."""
    torch = pytest.importorskip("torch")
    adapter_module = importlib.import_module("deepxtrace.adapters.deepep_v2")
    monkeypatch.setattr(adapter_module, "SlackCounters", Counters)
    monkeypatch.setattr(adapter_module, "_architecture", lambda: "90a")
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setenv("DEEPXTRACE_CACHE", str(tmp_path / "cache"))
    machine = Machine(tmp_path)
    monkeypatch.setenv("EP_JIT_NVCC_COMPILER", str(machine.nvcc))
    package, binding = types.ModuleType("deep_ep"), types.ModuleType("deep_ep._C")
    package.__file__ = str(machine.package / "__init__.py")
    package.__version__ = "2.1.0"  # type: ignore[attr-defined]
    package.find_nccl_root = lambda: "/nccl"  # type: ignore[attr-defined]
    package.find_cuda_home = lambda: "/cuda"  # type: ignore[attr-defined]
    binding.__file__ = native._name
    roots: List[Any] = []
    binding.init_jit = lambda *what: roots.append(what)  # type: ignore[attr-defined]

    class ElasticBuffer:
        def __init__(self, group: Any, window: int = 0x20000) -> None:
            self.group, self.num_scaleup_ranks = group, group.size()
            self.alive = True
            native.ask(window, 0, 0)
            native.ask(window, 0, 1)

        def destroy(self) -> None:
            self.closed_before = [one.counters.closed for one in services.diagnoses]
            self.alive = False

    ElasticBuffer.__module__ = "deep_ep.buffers.elastic"
    package.ElasticBuffer = ElasticBuffer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "deep_ep", package)
    monkeypatch.setitem(sys.modules, "deep_ep._C", binding)
    services = Services()
    adapter = adapter_module.DeepEPV2(services)
    yield types.SimpleNamespace(package=package, binding=binding, adapter=adapter, roots=roots,
                                services=services, machine=machine, native=native)


def wait_for_threads() -> None:
    import threading
    for thread in threading.enumerate():
        if thread.name == "deepxtrace-start":
            thread.join(10)


def test_buffers_are_diagnosed(deep_ep: Any) -> None:
    deep_ep.adapter.examine(deep_ep.package)
    place = _relocate.slot(deep_ep.native._name, "ncclGetLsaDevicePointer")
    deep_ep.native.ask(0x10000, 0, 0)
    before = _relocate.read(place)
    first = deep_ep.package.ElasticBuffer(Group())
    second = deep_ep.package.ElasticBuffer(Group(), window=0x90000)
    wait_for_threads()
    assert _relocate.read(place) == before
    services = deep_ep.services
    assert services.said == []
    assert sorted(one.counters.address for one in services.diagnoses) == [
        0x20000 + 14606208, 0x90000 + 14606208]
    # The library was told of the headers once, before it built anything.
    (root, cuda, nccl), = deep_ep.roots
    assert (cuda, nccl) == ("/cuda", "/nccl") and Path(root, "include/deep_ep").is_dir()
    first.destroy()
    assert sorted(first.closed_before) == [False, True]  # read no more before it goes
    assert len(services.ended) == 1
    del second  # goes without destroy()
    assert [one.counters.closed for one in services.diagnoses] == [True, True]
    assert len(services.ended) == 2


def test_a_class_of_the_same_name_that_is_not_pythons_is_left_alone(deep_ep: Any) -> None:
    below = type("ElasticBuffer", (dict,), {"destroy": None, "__init__": dict.__init__})
    below.__module__ = "deep_ep._C"
    deep_ep.binding.ElasticBuffer = below
    deep_ep.adapter.examine(deep_ep.binding)
    assert below.__init__ is dict.__init__ and below.destroy is None


def test_an_unknown_version_runs_untouched(deep_ep: Any) -> None:
    (deep_ep.machine.package / "include/deep_ep/common/comm.cuh").write_text("#pragma once\n")
    deep_ep.adapter.examine(deep_ep.package)
    for _ in range(2):
        assert deep_ep.package.ElasticBuffer(Group()).alive
    wait_for_threads()
    said, = deep_ep.services.said
    assert said.startswith("DeepEP 2.1.0 is not known: not instrumented")
    assert deep_ep.services.reasons == ["DeepEP 2.1.0 is not known: not instrumented"]
    assert not deep_ep.roots and not deep_ep.services.diagnoses


def test_a_library_without_init_jit_gets_a_wrapper(deep_ep: Any,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EP_JIT_CACHE_DIR", "")
    del deep_ep.binding.init_jit
    deep_ep.adapter.examine(deep_ep.package)
    deep_ep.package.ElasticBuffer(Group())
    wait_for_threads()
    assert os.environ["EP_JIT_NVCC_COMPILER"] != str(deep_ep.machine.nvcc)
    assert os.path.dirname(os.environ["EP_JIT_CACHE_DIR"]) == os.path.dirname(
        os.environ["EP_JIT_NVCC_COMPILER"])
    assert deep_ep.services.diagnoses[0].told == [
        ("deep_ep.buffers.elastic.ElasticBuffer", None, 1)]


def test_a_buffer_from_before_leaves_the_kernels_as_they_are(deep_ep: Any) -> None:
    early = deep_ep.package.ElasticBuffer(Group())
    deep_ep.adapter.examine(deep_ep.package)
    deep_ep.package.ElasticBuffer(Group())
    wait_for_threads()
    assert early.alive and "before deepxtrace was attached" in deep_ep.services.said[0]
    assert not deep_ep.roots and not deep_ep.services.diagnoses


def test_a_rank_alone_is_not_diagnosed(deep_ep: Any) -> None:
    deep_ep.adapter.examine(deep_ep.package)
    deep_ep.package.ElasticBuffer(Group(1))
    wait_for_threads()
    assert not deep_ep.services.diagnoses and deep_ep.services.reasons


def test_what_a_constructor_raises_goes_through(deep_ep: Any) -> None:
    deep_ep.adapter.examine(deep_ep.package)
    place = _relocate.slot(deep_ep.native._name, "ncclGetLsaDevicePointer")
    deep_ep.native.ask(0x10000, 0, 0)
    before = _relocate.read(place)
    with pytest.raises(AttributeError):
        deep_ep.package.ElasticBuffer(None)
    assert _relocate.read(place) == before


def test_detached_it_passes_calls_on(deep_ep: Any) -> None:
    deep_ep.adapter.examine(deep_ep.package)
    deep_ep.services.active = False
    buffer = deep_ep.package.ElasticBuffer(Group())
    buffer.destroy()
    assert not buffer.alive and not deep_ep.roots and not deep_ep.services.diagnoses


def test_the_log_is_quiet(caplog: pytest.LogCaptureFixture, deep_ep: Any) -> None:
    with caplog.at_level(logging.DEBUG), contextlib.suppress(Exception):
        deep_ep.adapter.examine(deep_ep.package)
    assert not caplog.records
