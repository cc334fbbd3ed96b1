"""A directory from a YAML file; errors name the file, the line, the place and the mend."""

import base64
import binascii
import difflib
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from entrada_emulator.directory.model import Application, Group, Policy, Tenant, User
from entrada_emulator.directory.world import World
from entrada_emulator.directory.world_checks import Fault, WorldError, checked_world

SECTIONS: dict[str, type] = {
    "tenants": Tenant,
    "users": User,
    "groups": Group,
    "applications": Application,
    "policies": Policy,
}


def load_world(path: Path) -> World:
    """Reads and checks a directory; raises `WorldError` with everything that is wrong, or OSError without the file."""
    text = path.read_text(encoding="utf-8")
    lines = _lines(path, text)
    try:
        return _world(yaml.safe_load(text))
    except WorldError as error:
        raise WorldError((_where(path, lines, place), told) for place, told in error.faults) from None


class _Wrong(Exception):
    """A value does not fit; carries place and text."""

    def __init__(self, place: str, text: str) -> None:
        super().__init__(text)
        self.fault: Fault = (place, text)


def _world(data: Any) -> World:
    if not isinstance(data, Mapping):
        raise WorldError([("", "the file must be a mapping with tenants, users, groups, applications and policies")])
    unknown = [(str(name), _unknown(str(name), SECTIONS)) for name in data if name not in SECTIONS]
    if unknown:
        raise WorldError(unknown)
    faults: list[Fault] = []
    found = {section: tuple(_entries(data, section, faults)) for section in SECTIONS}
    if faults:
        raise WorldError(faults)
    return checked_world(**found)


def _entries(data: Mapping[str, Any], section: str, faults: list[Fault]) -> Iterator[Any]:
    listed = data.get(section) or []
    if not isinstance(listed, list):
        faults.append((section, "must be a list"))
        return
    for at, entry in enumerate(listed):
        try:
            yield _value(entry, SECTIONS[section], f"{section}[{at}]")
        except _Wrong as wrong:
            faults.append(wrong.fault)


def _value(value: Any, kind: Any, place: str) -> Any:
    """The value as the annotated type, or `_Wrong`."""
    if is_dataclass(kind) and isinstance(kind, type):
        return _object(value, kind, place)
    origin = get_origin(kind)
    if origin is Literal:
        return _one_of(value, get_args(kind), place)
    if origin in {Union, types.UnionType}:
        return None if value is None else _value(value, get_args(kind)[0], place)
    if origin is tuple:
        return tuple(_value(item, get_args(kind)[0], f"{place}[{at}]") for at, item in enumerate(_list(value, place)))
    if origin is dict:
        item_kind = get_args(kind)[1]
        return {str(key): _value(item, item_kind, f"{place}.{key}") for key, item in _mapping(value, place).items()}
    return _scalar(value, kind, place)


def _object(value: Any, kind: type, place: str) -> Any:
    hints = get_type_hints(kind)
    given = _mapping(value, place)
    for name in given:
        if name not in hints:
            raise _Wrong(f"{place}.{name}", _unknown(str(name), hints))
    members = {name: _value(item, hints[name], f"{place}.{name}") for name, item in given.items()}
    try:
        return kind(**members)
    except TypeError:
        required = [field.name for field in fields(kind) if field.name not in members and _is_required(field)]
        raise _Wrong(place, f"add {', '.join(required)}") from None


def _is_required(field: Any) -> bool:
    return type(field.default).__name__ == type(field.default_factory).__name__ == "_MISSING_TYPE"


def _scalar(value: Any, kind: Any, place: str) -> Any:
    if kind is timedelta and isinstance(value, int | float) and not isinstance(value, bool):
        return timedelta(seconds=value)
    if kind is bytes and isinstance(value, str):
        return _photo(value, place)
    if kind in {str, bool} and isinstance(value, kind):
        return value
    expected = {str: "text (put it in quotes)", bool: "true or false", timedelta: "seconds", bytes: "base64"}[kind]
    raise _Wrong(place, f"{value!r} must be {expected}")


def _photo(value: str, place: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise _Wrong(place, "must be base64") from None


def _one_of(value: Any, allowed: tuple[Any, ...], place: str) -> Any:
    if value not in allowed:
        raise _Wrong(place, f"{value!r} must be one of {', '.join(map(str, allowed))}")
    return value


def _list(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise _Wrong(place, "must be a list")
    return value


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _Wrong(place, "must be a mapping")
    return value


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"no such member; did you mean {near[0]}?" if near else f"no such member; there are {', '.join(known)}"


def _lines(path: Path, text: str) -> dict[str, int]:
    """The line of each place in the file."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise WorldError([(where, f"is not YAML: {getattr(error, 'problem', error)}")]) from None
    return dict(_places(root, "")) if root else {}


def _places(node: yaml.Node, place: str) -> Iterator[tuple[str, int]]:
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _places(value, f"{place}.{key.value}" if place else str(key.value))
    elif isinstance(node, yaml.SequenceNode):
        for at, value in enumerate(node.value):
            yield from _places(value, f"{place}[{at}]")


def _where(path: Path, lines: Mapping[str, int], place: str) -> str:
    """File, line and place; a place that the file leaves out has the line of what encloses it."""
    known = place
    while known and known not in lines:
        known = known[: max(known.rfind("."), known.rfind("["), 0)]
    return f"{path}:{lines.get(known, 1)}: {place}" if place else f"{path}:{lines.get(known, 1)}"
