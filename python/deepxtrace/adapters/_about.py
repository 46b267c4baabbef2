# SPDX-License-Identifier: Apache-2.0
"""What `deepxtrace run --list-adapters` says: docs/adapters.md has all of it. Needs nothing but the
standard library."""
from __future__ import annotations

#: By the file of an adapter: what it attaches to, how its waits are known, and whether inside CUDA
#: graphs as well.
ADAPTERS = {
    "deep_ep": ("deep_ep.Buffer, low-latency mode", "by source", "yes"),
    "deepep_v2": ("deep_ep.ElasticBuffer, EPBuffer (V2)", "words at barriers", "yes"),
    "nixl_ep": ("nixl_ep.Buffer", "by source", "yes"),
    "deep_ep_normal": ("deep_ep.Buffer, normal mode", "durations", "no"),
    "hybrid_ep": ("deep_ep.HybridEPBuffer", "durations", "no"),
    "flashinfer": ("flashinfer.comm.MoeAlltoAll", "durations", "no"),
    "collectives": ("torch.distributed.all_to_all_single", "durations",
                    "no; with --collectives"),
}
#: What --mpi attaches to; no adapter of Python's.
_MPI = ("MPI_Alltoall, MPI_Alltoallv", "durations", "no; with --mpi")
_HEAD = ("what", "waits are known", "in CUDA graphs")


def adapters_table() -> str:
    """The table as text, 80 columns at the most."""
    rows = [_HEAD, *ADAPTERS.values(), _MPI]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [f"{what:{first}}  {waits:{second}}  {graphs}".rstrip() for what, waits, graphs in rows]
    return "\n".join(lines)
