"""Builds the parts of one application from its settings, and opens and closes what needs it."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import random
from typing import NamedTuple, TypedDict

import httpx2
from fastapi import FastAPI

from entrada.audit.office import Audit
from entrada.background import SWEEP_EVERY, Chore, Chores, sweep, watching_ends
from entrada.clock import Clock, Steady
from entrada.events import Events
from entrada.flows.admin.tally import EVERY as TALLY_EVERY
from entrada.flows.admin.tally import Tally
from entrada.flows.ahead import RenewalAhead
from entrada.flows.bearer import Bearers
from entrada.flows.downstream import Downstream
from entrada.flows.endings import Endings
from entrada.flows.expiry import ExpiryWatch
from entrada.flows.interruptions import Interruptions
from entrada.flows.onboarding import Onboarding
from entrada.flows.provisioning import Provision, Provisioning
from entrada.flows.remote_logout import RemoteLogout
from entrada.flows.renewal import Renewal
from entrada.flows.signin import SignIn
from entrada.flows.signout import SignOut
from entrada.flows.step_up import StepUps
from entrada.flows.tokens import Tokens
from entrada.keyring import KeyRing
from entrada.provider.credentials import AssertionSource
from entrada.provider.groups import Groups, graph_scope
from entrada.provider.token_client import TokenClient
from entrada.sessions.ended import EndedSessions
from entrada.sessions.keyfile import KeyFile, load_or_create_ring, ring_file
from entrada.sessions.leases import Leases
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.lifetimes import Lifetimes
from entrada.sessions.opening import may_forget, open_store
from entrada.sessions.sealing import Sealer
from entrada.sessions.store import SessionStore
from entrada.sessions.traced import traced_store
from entrada.settings import Settings
from entrada.store_url import parse
from entrada.users.database import Database
from entrada.users.ended_sessions import EndedSessionLedger
from entrada.users.tallies import Tallies, TallyName
from entrada.web.binding import Binding
from entrada.web.content_policy import ContentPolicy
from entrada.web.context import House
from entrada.web.cookies import Cookies
from entrada.web.csrf import CsrfTokens
from entrada.web.guards import Guards
from entrada.web.hosts import Hosts
from entrada.web.metrics import Metrics
from entrada.web.middleware.headers import HeaderRules
from entrada.web.numbers import Numbers
from entrada.web.outbound import Outbound
from entrada.web.pages import Pages
from entrada.web.people import People, people_of
from entrada.web.routes.table import own_paths, own_trees
from entrada.web.told_later import ToldLater
from entrada.web.ways_out import WaysOut, lay_ways_out

WARN_EVERY = timedelta(hours=1)  # a look at a few dates
LOOK_AT_KEYS_EVERY = timedelta(minutes=5)  # a look at their age: they are fetched when they are an hour old


@dataclass(frozen=True, slots=True)
class Building:
    """The house and what has to be opened before people come, and closed when they have gone."""

    house: House
    outside: WaysOut
    store: SessionStore
    sealer: Sealer
    key_file: KeyFile | None
    """The file of the key ring, if there is one."""
    ended: EndedSessions | None
    """What is remembered of ended sessions beside the store, where the store may forget."""

    def use_keys(self, ring: KeyRing) -> None:
        """Seal with the active key of this ring from now on, and open with its keys."""
        self.sealer.use(ring)
        self.house.sessions.use(ring)
        self.house.csrf.use(ring)
        self.house.people.devices.use(ring)
        self.house.audit.use(ring)

    @property
    def auth_paths(self) -> tuple[str, ...]:
        """The paths that take part in signing in and out."""
        return tuple(sorted(self.house.own_paths - {"/health", "/ready"}))

    def header_rules(self, app: FastAPI) -> HeaderRules:
        """Return what the protective headers of this application depend on."""
        settings = self.house.settings
        addresses = (app.docs_url, app.redoc_url, app.swagger_ui_oauth2_redirect_url)
        return HeaderRules(
            policy=self.outside.policy,
            https=settings.secure,
            session_cookie=self.house.cookies.session.encode(),
            auth_paths=self.auth_paths,
            documentation=frozenset(path for path in addresses if path and not settings.production),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open the users' database and fetch the authority's documents; close everything at the end.

        An authority that is down does not keep the application from starting; it is not ready until it answers.
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.outside.egress.aclose)
            stack.push_async_callback(self.house.outbound.close_pool)
            for discovery in self.outside.discoveries:
                stack.push_async_callback(discovery.aclose)
            stack.push_async_callback(self.house.guards.close)
            stack.push_async_callback(self.house.endings.aclose)
            stack.push_async_callback(self.store.close)
            stack.push_async_callback(self.house.database.close)
            stack.push_async_callback(self.house.audit.trail.aclose)
            stack.push_async_callback(self.house.people.profiles.aclose)
            stack.push_async_callback(self.house.tokens.land)
            stack.push_async_callback(self.house.numbers.close)
            await self.house.database.bring_up()
            await self.house.audit.start()
            await stack.enter_async_context(watching_ends(self.ended))
            await self.store.prepare()
            await self.house.discovery.prepare()
            await self.house.expiry.once()
            await self.house.numbers.start(self.house.chores)
            yield


def build(
    settings: Settings,
    *,
    clock: Clock,
    transport: httpx2.AsyncBaseTransport | None,
    provision: Provision | None,
    client_assertion: AssertionSource | None,
    templates: tuple[Path, ...],
    events: Events,
) -> Building:
    """Return the building; nothing of it calls out or opens a database yet."""
    key_file, ring, sealer = _keys(settings)
    database, ended, store, leases, audit = _kept_in(settings, ring, clock=clock, events=events)
    sessions = Sessions(store, sealer=sealer, ring=ring, clock=Steady(clock), lifetimes=_lifetimes(settings))
    outside = lay_ways_out(settings, transport=transport, client_assertion=client_assertion, clock=clock)
    people, expiry = people_of(settings, database, ring, provision, outside, events=events), _expiry(outside, events)
    renewal, guards = _renewal(sessions, leases, outside, clock), _guards(settings, clock)
    bearers, endings = _bearers(outside, people.provisioning, clock), _endings(settings, outside.client, sessions)
    numbers = _numbers(settings, events, renewal, outside, sessions=sessions, audit=audit, guards=guards, clock=clock)
    further = (*people.chores(endings, bearers, clock=clock), *_tally(settings, database, sessions, renewal, clock))
    beside = (*_watches(expiry, bearers, outside, numbers), *audit.duties(Chore, outside.egress), *further)
    downstream = _downstream(settings, outside.client, sealer, clock)
    house = House(
        settings=settings,
        clock=clock,
        events=events,
        csrf=CsrfTokens(ring),
        pages=_pages(settings, templates, outside.policy),
        discovery=outside.discovery,
        bearers=bearers,
        groups=_groups(settings, outside, downstream),
        database=database,
        audit=audit,
        sessions=sessions,
        sign_in=_sign_in(settings, outside, people, sealer, sessions, endings=endings, clock=clock),
        sign_out=_sign_out(settings, outside, sessions, endings),
        endings=endings,
        remote_logout=_remote_logout(outside, sessions, endings, clock),
        tokens=Tokens(outside.client, renewal, downstream),
        chores=_chores(settings, renewal, leases, sessions=sessions, clock=clock, events=events, beside=beside),
        expiry=expiry,
        outbound=Outbound(outside.to_apis, graph_url=settings.graph_url),
        told_later=ToldLater(sealer, clock=clock),
        step_ups=StepUps(sealer, Interruptions(sessions, outside.schedule, clock=clock), clock=clock),
        onboarding=Onboarding(settings, discovery=outside.discovery, sealer=sealer, sessions=sessions, clock=clock),
        people=people,
        guards=guards,
        numbers=numbers,
        **_of_settings(settings),
    )
    return Building(house, outside, store, sealer, key_file, ended)


class OfSettings(TypedDict):
    """The parts that follow from the settings alone."""

    cookies: Cookies
    hosts: Hosts
    binding: Binding | None
    own_paths: frozenset[str]


def _of_settings(settings: Settings) -> OfSettings:
    return OfSettings(
        cookies=Cookies.from_settings(settings),
        hosts=Hosts.from_settings(settings),
        binding=Binding.from_settings(settings),
        own_paths=own_paths(settings),
    )


def _numbers(
    settings: Settings,
    events: Events,
    renewal: Renewal,
    outside: WaysOut,
    *,
    sessions: Sessions,
    audit: Audit,
    guards: Guards,
    clock: Clock,
) -> Numbers:
    in_use, trail, limits = sessions.in_use, audit.trail, guards.limits
    return Numbers(Metrics(events, renewal, outside, in_use=in_use, trail=trail, limits=limits, clock=clock), settings)


def _keys(settings: Settings) -> tuple[KeyFile | None, KeyRing, Sealer]:
    key_file = KeyFile(path) if (path := ring_file(settings)) else None  # before it is read: no change is missed
    ring = load_or_create_ring(settings)
    return key_file, ring, Sealer(ring)


def _guards(settings: Settings, clock: Clock) -> Guards:
    return Guards.from_settings(settings, clock=clock, own_paths=own_paths(settings), own_trees=own_trees(settings))


def _expiry(outside: WaysOut, events: Events) -> ExpiryWatch:
    return ExpiryWatch(outside.credentials, clock=outside.clock, events=events)


def _downstream(settings: Settings, client: TokenClient, sealer: Sealer, clock: Clock) -> Downstream:
    return Downstream(client, sealer, clock=clock, refresh_buffer=settings.token_refresh_buffer)


def _groups(settings: Settings, outside: WaysOut, downstream: Downstream) -> Groups:
    scopes = (graph_scope(settings.graph_url),)

    async def token_in(tenant_id: str) -> str:
        return (await downstream.for_itself(scopes, tenant_id=tenant_id)).value

    return Groups(outside.egress, token_in, graph_url=settings.graph_url, clock=outside.clock)


class Kept(NamedTuple):
    """Where people and sessions are kept, what remembers ends beside a store that may forget them, and the log."""

    database: Database
    ended: EndedSessions | None
    store: SessionStore
    leases: Leases
    audit: Audit


def _kept_in(settings: Settings, ring: KeyRing, *, clock: Clock, events: Events) -> Kept:
    database = Database(settings.database_url, data_dir=settings.data_dir)
    ended = EndedSessions(EndedSessionLedger(database), clock=clock) if may_forget(settings.store) else None
    store = open_store(settings.store, data_dir=settings.data_dir, clock=clock, ended=ended)
    if settings.traces and (kind := parse(settings.store).kind) not in {"memory", "sqlite"}:
        store = traced_store(store, kind=kind)
    audit = Audit(settings, database, ring, leases=(leases := Leases(store)), clock=clock, events=events)
    return Kept(database, ended, store, leases, audit)


def _renewal(sessions: Sessions, leases: Leases, outside: WaysOut, clock: Clock) -> Renewal:
    verifier, schedule = outside.id_tokens, outside.schedule
    return Renewal(sessions, leases, client=outside.client, verifier=verifier, schedule=schedule, clock=clock)


def _sign_out(settings: Settings, outside: WaysOut, sessions: Sessions, endings: Endings) -> SignOut:
    discovery, client = outside.discovery, outside.client
    return SignOut(settings, sessions=sessions, discovery=discovery, client=client, endings=endings)


def _remote_logout(outside: WaysOut, sessions: Sessions, endings: Endings, clock: Clock) -> RemoteLogout:
    verifier = outside.logout_tokens
    return RemoteLogout(sessions=sessions, endings=endings, discovery=outside.discovery, verifier=verifier, clock=clock)


def _endings(settings: Settings, client: TokenClient, sessions: Sessions) -> Endings:
    return Endings(sessions, client, revokes=settings.revoke_at_sign_out)


def _lifetimes(settings: Settings) -> Lifetimes:
    return Lifetimes(
        idle=settings.session_idle, absolute=settings.session_absolute, remembered=settings.session_remembered
    )


def _pages(settings: Settings, templates: tuple[Path, ...], policy: ContentPolicy) -> Pages:
    name = "Microsoft" if settings.entra_authority else "your provider"
    return Pages(templates, policy=policy, authority_name=name, for_operators=not settings.production)


def _sign_in(
    settings: Settings,
    outside: WaysOut,
    people: People,
    sealer: Sealer,
    sessions: Sessions,
    *,
    endings: Endings,
    clock: Clock,
) -> SignIn:
    return SignIn(
        settings,
        discovery=outside.discovery,
        client=outside.client,
        verifier=outside.id_tokens,
        sealer=sealer,
        sessions=sessions,
        endings=endings,
        provisioning=people.provisioning,
        devices=people.devices,
        profiles=people.profiles,
        schedule=outside.schedule,
        clock=clock,
    )


def _bearers(outside: WaysOut, provisioning: Provisioning, clock: Clock) -> Bearers:
    bearers = Bearers(outside.access_tokens, outside.introspection, provisioning=provisioning, clock=clock)
    for discovery in outside.discoveries:
        discovery.tell_of_keys(partial(bearers.use_keys, version=discovery.authority.version))
    return bearers


def _chores(
    settings: Settings,
    renewal: Renewal,
    leases: Leases,
    *,
    sessions: Sessions,
    clock: Clock,
    events: Events,
    beside: Iterable[Chore],
) -> Chores:
    ahead = RenewalAhead(sessions, leases, renewal, scopes=settings.sign_in_scopes, clock=clock, events=events)
    renewing = Chore("renewal", settings.token_refresh_check_interval, ahead.once)
    sweeping = Chore("sweeping", SWEEP_EVERY, partial(sweep, sessions, leases))
    return Chores((renewing, sweeping, *beside), chance=random)


def _tally(
    settings: Settings, database: Database, sessions: Sessions, renewal: Renewal, clock: Clock
) -> Iterator[Chore]:
    """Count for the charts of administration, where there is any."""
    if settings.admin:
        sources: dict[TallyName, Callable[[], int]] = {
            "renewals": lambda: renewal.outcomes.read["renewed"],
            "sessions_of_hour": lambda: sessions.in_use.of_hours,
            "sessions_of_day": lambda: sessions.in_use.of_days,
        }
        yield Chore("tally", TALLY_EVERY, Tally(Tallies(database), sources, clock=clock).once)


def _watches(expiry: ExpiryWatch, bearers: Bearers, outside: WaysOut, numbers: Numbers) -> Iterator[Chore]:
    """What is looked at now and then: the end of credentials, expired bearer tokens, keys that grow old unseen."""
    yield from numbers.chores()
    yield Chore("credentials", WARN_EVERY, expiry.once)
    yield Chore("bearer_tokens", SWEEP_EVERY, bearers.sweep)
    for number, discovery in enumerate(outside.discoveries, 1):
        yield Chore(f"keys_{number}", LOOK_AT_KEYS_EVERY, discovery.keep_fresh)
