# SPDX-License-Identifier: Apache-2.0
"""What a window has one of for each rank, between Python and the library."""
from __future__ import annotations

from typing import Any, Dict, Optional, Sequence, Tuple

import numpy as np

from . import _lib

#: Members of a device, and what says that one is not known.
DEVICE = {"host": "", "gpu": -1, "uuid": "", "pci": "", "pid": 0, "rank": -1}

_is_hole = np.frompyfunc(lambda cell: cell is None or cell != cell, 1, 1)


def known(values: Any) -> np.ndarray:
    """Counters, with what nobody observed (None or NaN) as the library has it."""
    array = np.asarray(values)
    if array.dtype.kind not in "fO":
        return array
    holes = np.isnan(array) if array.dtype.kind == "f" else _is_hole(array).astype(bool)
    return np.where(holes, _lib.NOT_OBSERVED, array)


def upper_median(counts: np.ndarray) -> int:
    known = np.sort(counts[counts >= 0])
    return int(known[len(known) // 2]) if len(known) else 0


def devices_of(devices: Optional[Sequence[Optional[Dict[str, Any]]]],
               ranks: int) -> Optional[Tuple[Dict[str, Any], ...]]:
    """Places of the ranks, each with the members that are known."""
    if devices is None:
        return None
    if len(devices) != ranks:
        raise ValueError(f"devices: there must be one for each of {ranks} ranks, not "
                         f"{len(devices)}")
    for device in devices:
        unknown = set(device or ()) - set(DEVICE)
        if unknown:
            raise ValueError(f"devices: {sorted(unknown)[0]!r} must be one of {', '.join(DEVICE)}")
    return tuple({name: value for name, value in (device or {}).items()
                  if value is not None and value != DEVICE[name]} for device in devices)


def places_of(devices: Optional[Sequence[Dict[str, Any]]]) -> Any:
    """Devices as the library has them."""
    if devices is None:
        return None
    places = (_lib.Place * len(devices))()
    for place, device in zip(places, devices):
        for name, unknown in DEVICE.items():
            value = device.get(name, unknown)
            if isinstance(unknown, str):
                value = value.encode("utf-8")
                if len(value) >= getattr(_lib.Place, name).size:
                    raise ValueError(f"devices: {name} must be shorter than "
                                     f"{getattr(_lib.Place, name).size} bytes")
            setattr(place, name, value)
    return places


def device_of(place: _lib.Place) -> Dict[str, Any]:
    values = {name: getattr(place, name) for name in DEVICE}
    return {name: value.decode("utf-8") if isinstance(value, bytes) else value
            for name, value in values.items()}
