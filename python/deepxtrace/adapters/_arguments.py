# SPDX-License-Identifier: Apache-2.0
"""Arguments of methods that somebody else has defined: each may come by position or by name."""
from __future__ import annotations

import inspect
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple


class Arguments:
    """Where the arguments of a method are."""

    def __init__(self, signature: inspect.Signature) -> None:
        self._places: Dict[str, int] = {}
        self.names = frozenset(list(signature.parameters)[1:])
        for place, parameter in enumerate(list(signature.parameters.values())[1:]):
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                self._places[parameter.name] = place

    def get(self, name: str, args: Tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The argument, or None."""
        place = self._places.get(name)
        if place is not None and place < len(args):
            return args[place]
        return kwargs.get(name)

    def put(self, name: str, value: Any, args: Tuple[Any, ...],
            kwargs: Dict[str, Any]) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        """The arguments with one more, or with another in its place."""
        place = self._places.get(name)
        if place is not None and place < len(args):
            return args[:place] + (value,) + args[place + 1:], kwargs
        return args, {**kwargs, name: value}


class Method(NamedTuple):
    """A method as a class has it."""

    owner: type  #: the class that defines it
    original: Any
    arguments: Optional[Arguments]  #: None if it is no plain method
    foreign: bool  #: it is not Python's: what it takes cannot be seen


def find(cls: type, name: str) -> Optional[Method]:
    """The method of that name, or None if the class has none."""
    for owner in cls.__mro__:
        if name in owner.__dict__:
            original = owner.__dict__[name]
            if (isinstance(original, (staticmethod, classmethod, property))
                    or not callable(original)):
                return Method(owner, original, None, False)
            try:
                arguments = Arguments(inspect.signature(original))
            except (TypeError, ValueError):
                return Method(owner, original, None, True)
            return Method(owner, original, arguments, arguments.names <= {"args", "kwargs"})
    return None
