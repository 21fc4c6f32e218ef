"""Frozen values: what dataclasses give, for a client that has not the time to import them.

``import dataclasses`` costs as much as starting Python, ``typing.NamedTuple`` most of it, and ``runner sync`` is to be done
by then. So this folder has a base class of its own, which type checkers take for a dataclass all the same.
"""

from __future__ import annotations

TYPE_CHECKING = False  # that of typing would cost more time to import than all else here
if TYPE_CHECKING:
    from typing import NoReturn, dataclass_transform
else:

    def dataclass_transform(**_: object) -> object:
        """Nothing, at run time."""
        return lambda cls: cls


@dataclass_transform(frozen_default=True)
class Record:
    """A value with the fields that its class annotates, given by place or by name; a class attribute is the default.

    Two are equal where their class and all fields are. Fields can be matched by place. None can be set anew.
    """

    NAMES: tuple[str, ...] = ()

    def __init_subclass__(cls) -> None:
        own = (name for name, kind in cls.__annotations__.items() if not kind.startswith("ClassVar"))
        cls.NAMES = (*cls.NAMES, *own)
        type.__setattr__(cls, "__match_args__", cls.NAMES)

    def __init__(self, *values: object, **named: object) -> None:
        given = {**dict(zip(self.NAMES, values, strict=False)), **named}
        fields = {name: given[name] if name in given else getattr(type(self), name, ...) for name in self.NAMES}
        if len(values) + len(named) != len(given) or not given.keys() <= fields.keys() or ... in fields.values():
            raise TypeError(f"{type(self).__name__} has the fields {', '.join(self.NAMES)}")
        self.__dict__.update(fields)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"
