"""What a request for administration says, read strictly: what is not known, repeated or out of bounds is refused."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from starlette.requests import Request

from entrada.errors import InputRefused, MediaTypeRefused, NotFound, VersionMissing
from entrada.provider.strict_json import NotStrict, json_object
from entrada.web.context import context_of
from entrada.web.forms import parse
from entrada.web.routes.admin.schemas import LONGEST_TEXT

ETAG = re.compile(r'"([0-9]{1,9})"')
NOBODYS_VERSION = -1
C = TypeVar("C", bound=str)


class Query:
    """The parameters of a request; InputRefused for one that is not among `known`, or that is there twice.

    `known` are the schemas of those that are taken; one that takes a list may be there several times.
    """

    def __init__(self, request: Request, known: Mapping[str, Mapping[str, Any]]) -> None:
        self._given: dict[str, list[str]] = {}
        for name, value in parse(request.scope["query_string"]):
            self._given.setdefault(name, []).append(value)
        if not self._given.keys() <= known.keys():
            raise InputRefused(f"parameters: known are {', '.join(known) or 'none'}")
        for name, values in self._given.items():
            if values[1:] and known[name].get("type") != "array":
                raise InputRefused(f"{name}: is there twice")
            most = known[name].get("maxLength", LONGEST_TEXT)
            if any("\0" in value or len(value) > most for value in values):
                raise InputRefused(f"{name}: at most {most} characters, none of them NUL")

    def shown(self, *, but: Collection[str]) -> dict[str, list[str]]:
        """Return what was asked for, as the log may have it."""
        return {name: values for name, values in self._given.items() if name not in but}

    def text(self, name: str) -> str | None:
        """Return a text; None when there is none, or an empty one."""
        return self._given.get(name, [""])[0] or None

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        """Return a number within these bounds."""
        given = self.text(name)
        if given is None:
            return default
        value = int(given) if re.fullmatch("[0-9]{1,9}", given) else -1
        if not least <= value <= most:
            raise InputRefused(f"{name}: a number from {least} to {most}")
        return value

    def flag(self, name: str) -> bool | None:
        """Return true or false; None when neither is said."""
        given = self.text(name)
        if given not in {None, "true", "false"}:
            raise InputRefused(f"{name}: true or false")
        return None if given is None else given == "true"

    def choice(self, name: str, choices: Sequence[C]) -> C | None:
        """Return one of these words."""
        return next(iter(self.choices(name, choices)), None)

    def choices(self, name: str, choices: Sequence[C]) -> list[C]:
        """Return those of these words that were given."""
        known = {str(word): word for word in choices}
        given = [value for value in self._given.get(name, []) if value]
        if not set(given) <= known.keys():
            raise InputRefused(f"{name}: one of {', '.join(choices)}")
        return [known[value] for value in given]

    def time(self, name: str) -> datetime | None:
        """Return a time; one without a zone is UTC, as is the beginning of a day."""
        given = self.text(name)
        if given is None:
            return None
        try:
            time = datetime.fromisoformat(given)
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise InputRefused(f"{name}: a time such as 2026-11-01T08:00:00Z, or a day") from None

    def uuid(self, name: str) -> UUID | None:
        """Return an id."""
        given = self.text(name)
        try:
            return UUID(given) if given else None
        except ValueError:
            raise InputRefused(f"{name}: an id of a user") from None


def user_id(request: Request) -> UUID:
    """Return whom the path names; what is no id is nobody's."""
    try:
        return UUID(request.path_params["user_id"])
    except ValueError:
        raise NotFound("no id") from None


def version(request: Request) -> int | None:
    """Return which version a change was made for, by If-Match; None for any, where that may be left open."""
    given = request.headers.getlist("if-match")
    if not given:
        if context_of(request.scope).house.settings.admin_if_match:
            raise VersionMissing("no If-Match")
        return None
    if given == ["*"]:
        return None
    found = ETAG.fullmatch(given[0].strip()) if len(given) == 1 else None
    return int(found[1]) if found else NOBODYS_VERSION


async def fields(request: Request, known: Mapping[str, type]) -> dict[str, Any]:
    """Return the fields of a JSON body, each of its type, null for one that says nothing.

    InputRefused names what is wrong; unknown fields are refused (SEC-137).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise MediaTypeRefused("this address takes JSON")
    try:
        given = json_object(await request.body())
    except NotStrict:
        raise InputRefused("The body must be one JSON object, in UTF-8.") from None
    if not given.keys() <= known.keys():
        raise InputRefused(f"Fields that may be changed are {', '.join(known)}.")
    wrong = [name for name, value in given.items() if value is not None and type(value) is not known[name]]
    if wrong:
        raise InputRefused(f"{wrong[0]}: must be {'true or false' if known[wrong[0]] is bool else 'a text'}")
    return given
