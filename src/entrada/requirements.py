"""Who may: pure rules on whoever calls, in a session or by a bearer token.

A rule says what is lacking, or None when nothing is. People need roles, scopes, groups; applications need app roles;
neither satisfies the other's rule (SEC-054). What a principal does not have in the right form counts as absent.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from typing import Literal, NoReturn, Protocol

from entrada.principal import App, Principal, User

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CONTEXT = re.compile(r"c[1-9][0-9]?")
MULTI_FACTOR = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
MULTI_FACTOR_ACRS = frozenset({MULTI_FACTOR, "phr", "phrh"})
"""Values of `acr` that mean several factors: OpenID PAPE 1.0, and OpenID Connect EAP ACR Values 1.0."""
CLOCKS_APART = timedelta(seconds=60)  # how far a sign-in may seem to lie ahead


@dataclass(frozen=True, slots=True)
class Lack:
    """What a principal lacks; `said` completes the sentence "This needs …"."""

    said: str
    scopes: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    """Authentication contexts that would do, all of them."""
    max_age: timedelta | None = None
    mfa: bool = False

    @property
    def step_up(self) -> bool:
        """Whether the person can get there by proving more (RFC 9470)."""
        return bool(self.contexts) or self.mfa or self.max_age is not None


@dataclass(frozen=True, slots=True)
class Door:
    """One way to meet a rule, as far as the way in decides it: who comes how, and with which scopes at least."""

    way: Literal["session", "person", "application", "stranger"]
    """In a session, by a person's token, by an application's own; a stranger brings nothing."""
    scopes: frozenset[str] = frozenset()


PEOPLE = frozenset({Door("session"), Door("person")})


class Rule(Protocol):
    """A condition on whoever calls."""

    @property
    def for_apps(self) -> bool:
        """Whether an application can meet it by a role of its own."""
        ...

    @property
    def groups(self) -> bool:
        """Whether it asks for groups, which may have to be looked up first."""
        ...

    def lack(self, principal: Principal, now: datetime) -> Lack | None:
        """Return what is lacking; None when the rule is met."""
        ...


@dataclass(frozen=True, slots=True)
class _NotABool:
    """A rule that is no yes or no: `role("a") and scope("b")` would be the second alone."""

    def __bool__(self) -> NoReturn:
        raise TypeError("rules are joined by all_of(…) and any_of(…), not by `and`, `or` and `not`")


@dataclass(frozen=True, slots=True)
class _Simple(_NotABool):
    """A rule that people meet, and that asks for no groups."""

    @property
    def for_apps(self) -> bool:
        return False

    @property
    def groups(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class _Role(_Simple):
    name: str

    def lack(self, principal: Principal, _now: datetime) -> Lack | None:
        has = isinstance(principal, User) and self.name in principal.roles
        return None if has else Lack(f"the role {self.name}")


@dataclass(frozen=True, slots=True)
class _AppRole(_Simple):
    name: str

    @property
    def for_apps(self) -> bool:
        return True

    def lack(self, principal: Principal, _now: datetime) -> Lack | None:
        has = isinstance(principal, App) and self.name in principal.roles
        return None if has else Lack(f"an application with the app role {self.name}")


@dataclass(frozen=True, slots=True)
class _Scope(_Simple):
    name: str

    def lack(self, principal: Principal, _now: datetime) -> Lack | None:
        has = isinstance(principal, User) and self.name in principal.scopes
        return None if has else Lack(f"an access token with the scope {self.name}", scopes=(self.name,))


@dataclass(frozen=True, slots=True)
class _InSession(_Simple):
    def lack(self, principal: Principal, _now: datetime) -> Lack | None:
        has = isinstance(principal, User) and principal.way == "session"
        return None if has else Lack("a session in the browser")


@dataclass(frozen=True, slots=True)
class _Group(_Simple):
    id: str

    @property
    def groups(self) -> bool:
        return True

    def lack(self, principal: Principal, _now: datetime) -> Lack | None:
        has = isinstance(principal, User) and not principal.groups_overage and self.id in principal.groups
        return None if has else Lack(f"membership of the group {self.id}")


@dataclass(frozen=True, slots=True)
class _Tenant(_Simple):
    ids: frozenset[str]

    @property
    def for_apps(self) -> bool:
        return False  # it narrows what an app role opens, and opens nothing itself

    def lack(self, principal: Principal, _now: datetime) -> Lack | None:
        return None if principal.tenant_id in self.ids else Lack("an account of another organisation")


@dataclass(frozen=True, slots=True)
class _Mfa(_Simple):
    within: timedelta | None
    context: str | None

    def lack(self, principal: Principal, now: datetime) -> Lack | None:
        """Several factors are believed by `acr`, or by `amr` of a sign-in whose time is known; never by `amr` alone."""
        if isinstance(principal, App):
            return Lack("a person who signed in with several factors")
        proven = (
            principal.acr in MULTI_FACTOR_ACRS
            or (principal.auth_time is not None and "mfa" in principal.amr)
            or self.context in principal.acrs
        )
        if proven and (self.within is None or _since(principal, now, self.within)):
            return None
        lately = f" in the last {_minutes(self.within)}" if self.within is not None else ""
        contexts = (self.context,) if self.context else ()
        return Lack(f"a sign-in with several factors{lately}", mfa=True, max_age=self.within, contexts=contexts)


@dataclass(frozen=True, slots=True)
class _Lately(_Simple):
    within: timedelta

    def lack(self, principal: Principal, now: datetime) -> Lack | None:
        if isinstance(principal, App):
            return Lack("a person")
        if _since(principal, now, self.within):
            return None
        return Lack(f"a sign-in in the last {_minutes(self.within)}", max_age=self.within)


@dataclass(frozen=True, slots=True)
class _AuthContext(_Simple):
    id: str

    def lack(self, principal: Principal, _now: datetime) -> Lack | None:
        if isinstance(principal, App):
            return Lack(f"a person in the authentication context {self.id}")
        return None if self.id in principal.acrs else Lack(f"the authentication context {self.id}", contexts=(self.id,))


@dataclass(frozen=True, slots=True)
class Anybody(_Simple):
    """The rule that a person is known, whoever it is."""

    def lack(self, _principal: Principal, _now: datetime) -> Lack | None:
        """Nothing is ever lacking; applications do not come so far."""
        return None


@dataclass(frozen=True, slots=True)
class _Several(_NotABool):
    rules: tuple[Rule, ...]

    @property
    def for_apps(self) -> bool:
        return any(rule.for_apps for rule in self.rules)

    @property
    def groups(self) -> bool:
        return any(rule.groups for rule in self.rules)


@dataclass(frozen=True, slots=True)
class _Any(_Several):
    def lack(self, principal: Principal, now: datetime) -> Lack | None:
        """An application is measured by the ways that are meant for applications alone."""
        ways = [rule for rule in self.rules if rule.for_apps or isinstance(principal, User)]
        lacks = [rule.lack(principal, now) for rule in ways or self.rules]
        if None in lacks:
            return None
        found = [lack for lack in lacks if lack]
        steps = [lack for lack in found if lack.step_up]
        return _joined(steps[:1] or found, said=" or ".join(lack.said for lack in found))


@dataclass(frozen=True, slots=True)
class _All(_Several):
    def lack(self, principal: Principal, now: datetime) -> Lack | None:
        """What no further proof could bring is said first: nobody is asked for a factor in vain."""
        found = [lack for rule in self.rules if (lack := rule.lack(principal, now))]
        if not found:
            return None
        told = [lack for lack in found if not lack.step_up] or found
        return _joined(told, said=" and ".join(lack.said for lack in told))


def role(name: str) -> Rule:
    """Return the rule that a person has this role; whole words, and letters' case matters."""
    return _Role(_named(name, "role"))


def app_role(name: str) -> Rule:
    """Return the rule that an application calls for itself and was granted this app role."""
    return _AppRole(_named(name, "app_role"))


def scope(name: str) -> Rule:
    """Return the rule that a client may do this for a person: a scope of the access token. A session has none."""
    return _Scope(_named(name, "scope"))


def in_session() -> Rule:
    """Return the rule that a person calls from a session of their own; `any_of(in_session(), scope(…))` takes both."""
    return _InSession()


def group(object_id: str) -> Rule:
    """Return the rule that a person is a member of the group of this object id; names are not taken (SEC-133)."""
    if not GUID.fullmatch(object_id.lower()):
        raise ValueError("group() takes the group's object id, a GUID from the portal: names can be changed by others")
    return _Group(object_id.lower())


def tenant(*tenant_ids: str) -> Rule:
    """Return the rule that the caller belongs to one of these tenants, by id."""
    if not tenant_ids or not all(GUID.fullmatch(each.lower()) for each in tenant_ids):
        raise ValueError("tenant() takes tenant ids, which are GUIDs: domains can change hands")
    return _Tenant(frozenset(each.lower() for each in tenant_ids))


def mfa(*, within: timedelta | None = None, context: str | None = None) -> Rule:
    """Return the rule that the person signed in with several factors, and `within` this time if given.

    `context` is the authentication context that stands for several factors in the tenant: Entra's tokens seldom say
    by themselves how a person signed in.
    """
    lately = None if within is None else _time(within, "mfa(within=…)")
    return _Mfa(lately, None if context is None else _context(context, "mfa(context=…)"))


def signed_in_within(time: timedelta) -> Rule:
    """Return the rule that the person has signed in at the authority lately, by whatever factors."""
    return _Lately(_time(time, "signed_in_within()"))


def auth_context(context_id: str) -> Rule:
    """Return the rule that Entra's authentication context (`c1` to `c99`) was satisfied."""
    return _AuthContext(_context(context_id, "auth_context()"))


def any_of(*rules: Rule) -> Rule:
    """Return the rule that one of these is met."""
    return _Any(_several(rules, "any_of"))


def all_of(*rules: Rule) -> Rule:
    """Return the rule that all of these are met."""
    return _All(_several(rules, "all_of"))


def lack_of(principal: Principal, rule: Rule, now: datetime) -> Lack | None:
    """Return what `principal` lacks; an application needs a rule that is meant for applications (SEC-054)."""
    if isinstance(principal, App) and not rule.for_apps:
        return Lack("a person; an application's token is not taken here")
    return rule.lack(principal, now)


def doors(rule: Rule) -> frozenset[Door]:
    """Return the ways in that may meet the rule, for whoever describes it; what `lack` says decides."""
    found = _doors(rule)
    return found if rule.for_apps else frozenset(door for door in found if door.way != "application")


def through_both(one: frozenset[Door], other: frozenset[Door]) -> frozenset[Door]:
    """Return the ways in that meet two rules at once."""
    return frozenset(Door(a.way, a.scopes | b.scopes) for a in one for b in other if a.way == b.way)


def _doors(rule: Rule) -> frozenset[Door]:
    match rule:
        case _Any(rules):
            return frozenset(door for each in rules for door in doors(each))
        case _All(rules):
            return reduce(through_both, map(_doors, rules))
        case _Scope(name=name):
            return frozenset({Door("person", frozenset({name}))})
        case _InSession():
            return frozenset({Door("session")})
        case _AppRole():
            return frozenset({Door("application")})
        case _Tenant():
            return PEOPLE | {Door("application")}
    return PEOPLE


def _named(name: str, rule: str) -> str:
    if not isinstance(name, str) or name.split() != [name]:
        raise ValueError(f"{rule}() takes one name without blanks")
    return name


def _time(time: timedelta, rule: str) -> timedelta:
    if not isinstance(time, timedelta) or time <= timedelta(0):
        raise ValueError(f"{rule} takes a time above zero, such as timedelta(minutes=5)")
    return time


def _context(context_id: str, rule: str) -> str:
    if not CONTEXT.fullmatch(context_id):
        raise ValueError(f"{rule} takes an id such as 'c1', as the tenant's Conditional Access names it")
    return context_id


def _several(rules: tuple[Rule, ...], name: str) -> tuple[Rule, ...]:
    if not rules:
        raise ValueError(f"{name}() takes at least one rule")
    for rule in rules:
        if isinstance(rule, type) or not callable(getattr(rule, "lack", None)):
            raise TypeError(f"{rule!r} is no rule; write role('Admin'), scope('Orders.Read') and the like")
    return rules


def _since(user: User, now: datetime, within: timedelta) -> bool:
    """Tell whether the sign-in is recent enough; one whose time is not known never is (SEC-047)."""
    return user.auth_time is not None and -CLOCKS_APART <= now - user.auth_time <= within


def _minutes(time: timedelta | None) -> str:
    seconds = int(time.total_seconds()) if time else 0
    return f"{seconds // 60} minutes" if seconds >= 120 else f"{seconds} seconds"  # noqa: PLR2004 - two minutes


def _joined(lacks: Sequence[Lack], *, said: str) -> Lack:
    ages = [lack.max_age for lack in lacks if lack.max_age is not None]
    return Lack(
        said,
        scopes=tuple(dict.fromkeys(name for lack in lacks for name in lack.scopes)),
        contexts=tuple(dict.fromkeys(name for lack in lacks for name in lack.contexts)),
        max_age=min(ages) if ages else None,
        mfa=any(lack.mfa for lack in lacks),
    )
