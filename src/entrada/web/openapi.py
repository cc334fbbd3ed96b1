"""The application's OpenAPI document says who may call what, by which way, with which scopes (API-7).

It is worked out when the document is asked for, from the dependencies of each route: a request pays nothing for it.
"""

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any, get_args
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from entrada.provider.metadata import Metadata
from entrada.requirements import PEOPLE, Door, doors, through_both
from entrada.settings import Settings
from entrada.web import dependencies
from entrada.web.context import House
from entrada.web.failures import PROBLEM
from entrada.web.requires import rule_of
from entrada.web.routes.admin.described import ways_in, with_administration
from entrada.well_known import LOOPBACK

TOKEN, APPLICATION, SESSION = "AccessToken", "ApplicationToken", "Session"
SCHEMES = {"person": TOKEN, "application": APPLICATION, "session": SESSION}
ORDER = ("person", "session", "application", "stranger")
REFUSAL = "EntradaRefusal"
Document = dict[str, Any]
Operations = Mapping[tuple[str, str], frozenset[Door]]

ALIASES = (
    (dependencies.CurrentUser, PEOPLE),
    (dependencies.SessionUser, frozenset({Door("session")})),
    (dependencies.BearerUser, frozenset({Door("person")})),
    (dependencies.CurrentApp, frozenset({Door("application")})),
    (dependencies.OptionalUser, PEOPLE | {Door("stranger")}),
)
KNOWN = tuple((get_args(alias)[1].dependency, ways) for alias, ways in ALIASES)


class OpenApi:
    """Takes the place of `app.openapi`: the application's own document, with the ways in."""

    def __init__(self, app: FastAPI, house: House) -> None:
        self._app, self._house = app, house
        self._own = app.openapi
        self._described: tuple[Document, Metadata | None, Document] | None = None

    def __call__(self) -> Document:
        """Return the document; worked out again when routes or the authority's metadata have changed."""
        own, metadata = self._own(), self._house.discovery.known
        if self._described and self._described[0] is own and self._described[1] is metadata:
            return self._described[2]
        settings, asked = self._house.settings, operations(self._app)
        document = described(
            _with_administration(own) if settings.admin else own,
            {**asked, **(ways_in() if settings.admin else {})},
            settings=settings,
            session_cookie=self._house.cookies.session,
            metadata=metadata,
            metadata_url=self._house.discovery.authority.metadata_url,
        )
        self._described = (own, metadata, document)
        return document


def _with_administration(own: Document) -> Document:
    return with_administration(own, refusal={PROBLEM: {"schema": {"$ref": f"#/components/schemas/{REFUSAL}"}}})


def operations(app: FastAPI) -> Operations:
    """Return the ways into each operation that asks who calls, by path and method in lower case."""
    found: dict[tuple[str, str], frozenset[Door]] = {}
    for route in iter_route_contexts(app.routes):
        if not isinstance(route.original_route, APIRoute):
            continue
        asked = list(_asked(route.dependant))
        if asked:
            ways = reduce(through_both, asked)
            found |= {(str(route.path_format), method.lower()): ways for method in route.methods or ()}
    return found


def _asked(dependant: Dependant) -> Iterator[frozenset[Door]]:
    """Give what each dependency of ours below this one asks for."""
    for each in dependant.dependencies:
        known = next((ways for call, ways in KNOWN if call is each.call), None)
        if known is not None:
            yield known
        elif (rule := rule_of(each.call)) is not None:
            yield doors(rule)
        yield from _asked(each)


def described(
    own: Document,
    asked: Operations,
    *,
    settings: Settings,
    session_cookie: str,
    metadata: Metadata | None,
    metadata_url: str,
) -> Document:
    """Return the document with the ways in; `own` stays as it is, and so does whatever the application said itself."""
    if not asked:
        return own
    paths = {
        path: {
            method: _operation(said, asked[path, method], settings) if (path, method) in asked else said
            for method, said in item.items()
        }
        for path, item in own.get("paths", {}).items()
    }
    demanded = sorted({name for ways in asked.values() for door in ways for name in door.scopes})
    scopes = api_scopes(settings, demanded)
    schemes = _schemes(scopes, session_cookie=session_cookie, metadata=metadata, metadata_url=metadata_url)
    components = own.get("components", {})
    used = {name for ways in asked.values() for name in (SCHEMES.get(door.way) for door in ways) if name}
    ours = {name: scheme for name, scheme in schemes.items() if name in used}
    return {
        **own,
        "paths": paths,
        "components": {
            **components,
            "schemas": {REFUSAL: REFUSAL_SCHEMA, **components.get("schemas", {})},
            "securitySchemes": {**ours, **components.get("securitySchemes", {})},
        },
    }


def _operation(said: Document, ways: frozenset[Door], settings: Settings) -> Document:
    ours = _security(ways, settings)
    security = [{**theirs, **one} for theirs in said.get("security") or [{}] for one in ours]
    return {**said, "security": security, "responses": {**said.get("responses", {}), **_missing(said)}}


def _security(ways: frozenset[Door], settings: Settings) -> list[Document]:
    """Return alternatives, the easiest first; a way that is there with fewer scopes makes one with more needless."""
    if not ways:  # rules that nobody meets at once: never say that nothing is asked
        return [{TOKEN: [], SESSION: []}]
    needed = [door for door in ways if not any(it.way == door.way and it.scopes < door.scopes for it in ways)]
    needed.sort(key=lambda door: (ORDER.index(door.way), sorted(door.scopes)))
    return [
        {SCHEMES[door.way]: [scope_name(settings, each) for each in sorted(door.scopes)]} if door.way in SCHEMES else {}
        for door in needed
    ]


def _missing(said: Document) -> Document:
    return {status: answer for status, answer in REFUSALS.items() if status not in said.get("responses", {})}


def api_scopes(settings: Settings, demanded: list[str]) -> tuple[str, ...]:
    """Return the scopes of this API as a client asks the authority for them.

    Those that rules demand and those of the settings; where there are none, what brings a token for this API at all.
    """
    named = (*(scope_name(settings, name) for name in demanded), *settings.swagger_scopes)
    if named:
        return tuple(dict.fromkeys(named))
    if settings.issuer or settings.b2c_tenant:
        return settings.sign_in_scopes or ("openid",)
    return (f"{settings.api_identifiers[0]}/.default",)


def scope_name(settings: Settings, name: str) -> str:
    """Return the name by which the authority knows a scope of this API: at Entra and B2C below its App ID URI."""
    if settings.issuer:
        return name
    told = (*settings.swagger_scopes, *settings.scopes) if settings.b2c_tenant else settings.swagger_scopes
    known = next((each for each in told if each.rpartition("/")[2] == name), None)
    return known or f"{settings.api_identifiers[0]}/{name}"


def _schemes(
    scopes: tuple[str, ...], *, session_cookie: str, metadata: Metadata | None, metadata_url: str
) -> dict[str, Document]:
    return {
        TOKEN: {
            **_authority(scopes, metadata, metadata_url),
            "description": "A person's access token for this API, in the header Authorization: Bearer.",
        },
        SESSION: {
            "type": "apiKey",
            "in": "cookie",
            "name": session_cookie,
            "description": "A session: the browser sends it by itself. To change something, also send X-CSRF: 1.",
        },
        APPLICATION: {
            "type": "http",
            "scheme": "bearer",
            "description": "An application's own access token for this API, by client credentials.",
        },
    }


def _authority(scopes: tuple[str, ...], metadata: Metadata | None, metadata_url: str) -> Document:
    """Say where tokens come from; before the authority has answered once, where it says so itself."""
    if metadata is None:
        return {"type": "openIdConnect", "openIdConnectUrl": metadata_url}
    flow = {
        "authorizationUrl": metadata.authorization_endpoint,
        "tokenUrl": token_url(metadata),
        "scopes": {name: name.rpartition("/")[2] for name in scopes},
    }
    return {"type": "oauth2", "flows": {"authorizationCode": flow}}


def token_url(metadata: Metadata) -> str:
    """Return where browsers redeem codes.

    An authority on this machine that meets people by http, as an emulator does, is called so: browsers do not trust
    the certificate that it shows to programs.
    """
    people, programs = urlsplit(metadata.authorization_endpoint), urlsplit(metadata.token_endpoint)
    if people.scheme != "http" or {people.hostname, programs.hostname} - LOOPBACK:
        return metadata.token_endpoint
    return programs._replace(scheme=people.scheme, netloc=people.netloc).geturl()


def _refusal(description: str, headers: Document) -> Document:
    return {
        "description": description,
        **({"headers": headers} if headers else {}),
        "content": {PROBLEM: {"schema": {"$ref": f"#/components/schemas/{REFUSAL}"}}},
    }


REFUSALS: Document = {
    "401": _refusal(
        "Nobody is signed in, the access token is not accepted, or more proof is wanted",
        {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "RFC 6750, RFC 9470"}},
    ),
    "403": _refusal("Whoever calls may not do this; `detail` says what is missing", {}),
}
REFUSAL_SCHEMA: Document = {
    "title": "Refusal",
    "description": "A problem document (RFC 9457)",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "correlation_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable, for programs"},
        "detail": {"type": "string", "description": "For people"},
        "correlation_id": {"type": "string", "description": "To quote when asking for help"},
        "login": {"type": "string", "description": "Where a browser goes to prove more"},
    },
}
