"""What is wrong with the application's routes: found when it starts, before anybody is let in (SEC-129, 0376).

FastAPI hands the scopes of `Security(…)` to whoever takes `SecurityScopes`, takes a default for a default, the
annotation in `Depends(CurrentUser)` for a function, one that it cannot look up for a parameter of the query (0398),
what stands in `Annotated` without `Depends` for a note, and lets `Depends(in_session)` make its rule and asks nobody:
of all six it says nothing when they are meant for us. With `deny_by_default` a route that asks nobody who calls is
wrong as well.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ForwardRef

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts
from starlette.routing import BaseRoute, Mount

from entrada import requirements
from entrada.logs import log
from entrada.settings import Settings
from entrada.web import dependencies
from entrada.web.proxy.upstream import BELOW, fault_of_pairs, upstream_of
from entrada.web.requires import requires, rule_of
from entrada.web.routes.table import own_paths, own_trees

ALIASES: dict[str, Any] = {
    name: getattr(dependencies, name)
    for name in ("CurrentUser", "SessionUser", "BearerUser", "CurrentApp", "OptionalUser", "CsrfToken")
}
CALLS = frozenset(
    {
        dependencies.current_user,
        dependencies.session_user,
        dependencies.bearer_user,
        dependencies.current_app,
        dependencies.optional_user,
    }
)

MOST_NAMED = 20
OPEN = (
    "set ENTRADA_DENY_BY_DEFAULT=true, name in ENTRADA_OPEN_PATHS those meant, and the next one forgotten is no start"
)

RULES = (
    requirements.role,
    requirements.app_role,
    requirements.scope,
    requirements.in_session,
    requirements.group,
    requirements.tenant,
    requirements.mfa,
    requirements.signed_in_within,
    requirements.auth_context,
    requirements.any_of,
    requirements.all_of,
)


def refuse_faults(app: FastAPI, settings: Settings) -> None:
    """TypeError names each route, those of mounted applications too, that is not as safe as it looks.

    In production the log names those that ask nobody, where they do not have to be named in the settings.
    """
    found = list(_routes(app.routes))
    faults = [f"{path}: {fault}" for path, dependant in found if dependant for fault in _misread(dependant)]
    faults += _proxy_faults(found, settings)
    asking_nobody = list(_asking_nobody(found, app, settings))
    if settings.deny_by_default:
        mend = "asks nobody who calls; give it CurrentUser or requires(…), or name it in open_paths"
        faults += [f"{path}: {mend}" for path in asking_nobody]
    if faults:
        raise TypeError("\n".join(faults))
    if settings.production and asking_nobody and not settings.deny_by_default:
        named = [*asking_nobody[:MOST_NAMED], "…"] if len(asking_nobody) > MOST_NAMED else asking_nobody
        log.info("routes_ask_nobody", routes=len(asking_nobody), paths=" ".join(named), mend=OPEN)


def _asking_nobody(found: Iterable[tuple[str, Dependant | None]], app: FastAPI, settings: Settings) -> Iterator[str]:
    """Give the paths that everybody may call who does not have to be, or that ask in their function."""
    documentation = tuple(f"{path}/" for path in (app.openapi_url, app.docs_url) if path)
    for path, dependant in found:
        asks = dependant and _asks_us(dependant)
        if not asks and not _is_open(path, settings.open_paths) and not f"{path}/".startswith(documentation):
            yield path


def mounted(routes: Iterable[BaseRoute]) -> Iterator[FastAPI]:
    """Give each application that is mounted among these routes, or in such a one."""
    for context in iter_route_contexts(list(routes)):
        route = context.original_route
        if isinstance(route, Mount) and isinstance(route.app, FastAPI):
            yield route.app
            yield from mounted(route.routes)


def _routes(routes: Iterable[BaseRoute], below: str = "") -> Iterator[tuple[str, Dependant | None]]:
    """Give each route's path, and what it depends on where FastAPI knows."""
    for context in iter_route_contexts(list(routes)):
        route, path = context.original_route, f"{below}{context.path}"
        if isinstance(route, APIRoute | APIWebSocketRoute):
            yield path, context.dependant
        elif isinstance(route, Mount) and isinstance(route.app, FastAPI):
            yield from _routes(route.routes, path)
        else:
            yield (f"{path}/" if isinstance(route, Mount) else path), None


def _proxy_faults(found: Iterable[tuple[str, Dependant | None]], settings: Settings) -> list[str]:
    """Say what is wrong with what is passed on to other APIs."""
    known = [(path, upstream_of(dependant.call)) for path, dependant in found if dependant]
    proxied = {(path, upstream) for path, upstream in known if upstream and not path.endswith(BELOW)}
    if not proxied:
        return []
    ours = {*own_paths(settings), *own_trees(settings)}
    ordered = sorted(proxied, key=lambda each: (each[0], each[1].methods))
    faults = [f"{path}: {fault}" for path, upstream in ordered for fault in upstream.faults(path, settings, ours=ours)]
    return [*faults, *fault_of_pairs(ordered)]


def _is_open(path: str, open_paths: Sequence[str]) -> bool:
    return path in open_paths or any(path.startswith(each) for each in open_paths if each.endswith("/") and each != "/")


def _misread(dependant: Dependant) -> Iterator[str]:
    """Give what the author wrote and nobody would look at."""
    for each in _all(dependant):
        if called := _alias(each.call):
            name, function = called
            yield (
                f"Depends({name}) has FastAPI call an annotation, and every request is refused with 422; write "
                f"`{each.name or 'user'}: {name}`, or in a list of dependencies Depends({function})"
            )
        if any(each.call is rule for rule in RULES):
            name = getattr(each.call, "__name__", "")
            yield f"Depends({name}) makes a rule and asks nobody who calls; write requires({name}(…)), without Depends"
        if each.own_oauth_scopes and _asks_us(each) and not _reads_scopes(each):
            wanted = ", ".join(f"scope({name!r})" for name in each.own_oauth_scopes)
            yield (
                f"nobody looks at the scopes of Security(…, scopes={each.own_oauth_scopes}); annotate the parameter "
                f"with Annotated[User, requires({wanted})]"
            )
        for parameter in (*each.path_params, *each.query_params, *each.body_params):
            annotation: Any = parameter.field_info.annotation
            if isinstance(annotation, ForwardRef):
                yield (
                    f"`{parameter.name}: {annotation.__forward_arg__}` is a text "
                    "(from __future__ import annotations?), which FastAPI looks up at the top of the module, where it "
                    "is not: import and define it there, or nobody is asked who calls"
                )
            if any(map(_guards, (*parameter.field_info.metadata, *getattr(annotation, "__metadata__", ())))):
                yield (
                    f"`{parameter.name}` is annotated with what FastAPI takes for a note, and nobody is asked who "
                    "calls; write Annotated[User, requires(…)] or Annotated[User, Depends(current_user)]"
                )
            if meant := _alias(parameter.field_info.default):
                name, alias = parameter.name, meant[0]
                yield f"`{name}={alias}` is a default, by which everybody comes in; write `{name}: {alias}`"


def _guards(noted: object) -> bool:
    """Say whether this would guard the route if `requires(…)` or `Depends(…)` were around it."""
    is_rule = callable(getattr(noted, "lack", None))
    return noted is requires or is_rule or any(noted is each for each in CALLS)


def _alias(written: object) -> tuple[str, str] | None:
    """Return the names of the alias that this is, and of its function; None when it is another thing."""
    name = next((name for name, alias in ALIASES.items() if alias is written), None)
    return (name, ALIASES[name].__metadata__[0].dependency.__name__) if name else None


def _all(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _all(each)


def _asks_us(dependant: Dependant) -> bool:
    return any(each.call in CALLS or rule_of(each.call) is not None for each in _all(dependant))


def _reads_scopes(dependant: Dependant) -> bool:
    return any(each.security_scopes_param_name is not None for each in _all(dependant))
