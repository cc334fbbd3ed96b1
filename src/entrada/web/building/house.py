"""Builds the parts of one application from its settings, and opens and closes what needs it."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import random
from typing import TypedDict

import httpx2
from fastapi import FastAPI

from entrada import store_url
from entrada.background import SWEEP_EVERY, Chore, Chores, sweep, watching_ends
from entrada.clock import Clock
from entrada.events import Events
from entrada.flows.admin.followed import Marks, Owners
from entrada.flows.admin.onboarding import Onboarding
from entrada.flows.admin.tally import EVERY as TALLY_EVERY
from entrada.flows.admin.tally import Tally
from entrada.flows.bearer import Bearers
from entrada.flows.expiry import ExpiryWatch
from entrada.flows.renewing.ahead import RenewalAhead
from entrada.flows.renewing.downstream import Downstream
from entrada.flows.renewing.person_now import PersonNow
from entrada.flows.renewing.renewal import Renewal
from entrada.flows.renewing.tokens import Tokens
from entrada.flows.signing_in.provisioning import Provision, Provisioning
from entrada.flows.signing_in.signin import SignIn
from entrada.flows.signing_out.endings import Endings
from entrada.flows.signing_out.remote_logout import RemoteLogout
from entrada.flows.signing_out.signout import SignOut
from entrada.flows.stepping_up.interruptions import Interruptions
from entrada.flows.stepping_up.step_up import StepUps
from entrada.keyring import KeyRing
from entrada.provider.clients.credentials import AssertionSource
from entrada.provider.groups import Groups, graph_scope
from entrada.sessions.ended import EndedSessions
from entrada.sessions.keyfile import KeyFile
from entrada.sessions.leases import Notes
from entrada.sessions.owners import owners_of
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.store import SessionStore
from entrada.settings import Settings
from entrada.users.tallies import Tallies, TallyName
from entrada.web.binding import Binding
from entrada.web.building.ground import Ground, lay_ground
from entrada.web.building.people import People, people_of
from entrada.web.building.ways_out import WaysOut, lay_ways_out
from entrada.web.context import House
from entrada.web.cookies import Cookies
from entrada.web.guards.csrf import CsrfTokens
from entrada.web.guards.guards import Guards
from entrada.web.guards.hosts import Hosts
from entrada.web.guards.paced_lines import TELL_EVERY
from entrada.web.middleware.headers import HeaderRules
from entrada.web.monitoring.metrics import Metrics
from entrada.web.monitoring.numbers import Numbers
from entrada.web.outbound import Outbound
from entrada.web.pages.content_policy import ContentPolicy
from entrada.web.pages.pages import Pages
from entrada.web.routes.table import own_paths, own_trees
from entrada.web.told_later import ToldLater

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
    outside = lay_ways_out(settings, transport=transport, client_assertion=client_assertion, clock=clock)
    ground = lay_ground(settings, outside, clock=clock, events=events)
    people = people_of(settings, ground.database, ground.ring, provision, outside, events=events)
    endings = Endings(ground.sessions, Notes(ground.store), outside.client, revokes=settings.revoke_at_sign_out)
    house = House(
        settings=settings,
        clock=clock,
        events=events,
        discovery=outside.discovery,
        database=ground.database,
        audit=ground.audit,
        sessions=ground.sessions,
        people=people,
        endings=endings,
        outbound=Outbound(outside.to_apis, graph_url=settings.graph_url, another=outside.to_upstream),
        csrf=CsrfTokens(ground.ring),
        pages=_pages(settings, templates, outside.policy),
        cookies=Cookies.from_settings(settings),
        hosts=Hosts.from_settings(settings),
        binding=Binding.from_settings(settings),
        own_paths=own_paths(settings),
        **_ways_in_and_out(ground, people, endings),
        **_at_work(ground, people, endings),
    )
    return Building(house, outside, ground.store, ground.sealer, ground.key_file, ground.ended)


class WaysInAndOut(TypedDict):
    """The flows by which people come and go."""

    sign_in: SignIn
    sign_out: SignOut
    remote_logout: RemoteLogout
    onboarding: Onboarding
    step_ups: StepUps
    told_later: ToldLater


def _ways_in_and_out(ground: Ground, people: People, endings: Endings) -> WaysInAndOut:
    settings, outside, sessions, clock = ground.settings, ground.outside, ground.sessions, ground.clock
    sealer, discovery, client = ground.sealer, outside.discovery, outside.client
    return WaysInAndOut(
        sign_in=_sign_in(ground, people, endings),
        sign_out=SignOut(settings, sessions=sessions, discovery=discovery, client=client, endings=endings),
        remote_logout=RemoteLogout(
            sessions=sessions, endings=endings, discovery=discovery, verifier=outside.logout_tokens, clock=clock
        ),
        onboarding=Onboarding(settings, discovery=discovery, sealer=sealer, sessions=sessions, clock=clock),
        step_ups=StepUps(sealer, Interruptions(sessions, outside.schedule, clock=clock), clock=clock),
        told_later=ToldLater(sealer, clock=clock),
    )


def _sign_in(ground: Ground, people: People, endings: Endings) -> SignIn:
    outside = ground.outside
    return SignIn(
        ground.settings,
        discovery=outside.discovery,
        client=outside.client,
        verifier=outside.id_tokens,
        sealer=ground.sealer,
        sessions=ground.sessions,
        endings=endings,
        provisioning=people.provisioning,
        devices=people.devices,
        profiles=people.profiles,
        schedule=outside.schedule,
        clock=ground.clock,
    )


class AtWork(TypedDict):
    """What serves requests, what stands before them, and what is done beside them."""

    bearers: Bearers
    groups: Groups
    tokens: Tokens
    guards: Guards
    numbers: Numbers
    expiry: ExpiryWatch
    chores: Chores


def _at_work(ground: Ground, people: People, endings: Endings) -> AtWork:
    outside, clock = ground.outside, ground.clock
    renewal, downstream = _renewal(ground, people, endings), _downstream(ground)
    bearers, guards = _bearers(outside, people.provisioning, clock), _guards(ground.settings, clock)
    expiry = ExpiryWatch(outside.credentials, clock=clock, events=ground.events)
    numbers = _numbers(ground, renewal, guards)
    beside = (
        *_watches(expiry, bearers, outside, numbers, guards),
        *ground.audit.duties(Chore, outside.egress),
        *people.chores(endings, bearers, owners=_owners(ground), marks=_marks(ground), clock=clock),
        *_tally(ground, renewal),
    )
    return AtWork(
        bearers=bearers,
        groups=_groups(ground, downstream),
        tokens=Tokens(outside.client, renewal, downstream),
        guards=guards,
        numbers=numbers,
        expiry=expiry,
        chores=_chores(ground, renewal, beside=beside),
    )


def _owners(ground: Ground) -> Owners | None:
    """Return what names all who have a session, where no command sees the store: in this process's memory."""
    alone = store_url.parse(ground.settings.store).kind == "memory"
    return partial(owners_of, ground.store, sealer=ground.sealer) if alone else None


def _marks(ground: Ground) -> Marks | None:
    """Return what shows whether the store has forgotten something, where it may."""
    return ground.sessions.spend_once if ground.ended else None


def _renewal(ground: Ground, people: People, endings: Endings) -> Renewal:
    outside = ground.outside
    return Renewal(
        ground.sessions,
        ground.leases,
        client=outside.client,
        verifier=outside.id_tokens,
        schedule=outside.schedule,
        person_now=PersonNow(ground.sessions, people.provisioning),
        revoke=endings.revoke,
        clock=ground.clock,
    )


def _downstream(ground: Ground) -> Downstream:
    client, buffer = ground.outside.client, ground.settings.token_refresh_buffer
    return Downstream(client, ground.sealer, clock=ground.clock, refresh_buffer=buffer)


def _groups(ground: Ground, downstream: Downstream) -> Groups:
    graph_url = ground.settings.graph_url

    async def token_in(tenant_id: str) -> str:
        return (await downstream.for_itself((graph_scope(graph_url),), tenant_id=tenant_id)).value

    return Groups(ground.outside.egress, token_in, graph_url=graph_url, clock=ground.clock)


def _bearers(outside: WaysOut, provisioning: Provisioning, clock: Clock) -> Bearers:
    bearers = Bearers(outside.access_tokens, outside.introspection, provisioning=provisioning, clock=clock)
    for discovery in outside.discoveries:
        discovery.tell_of_keys(partial(bearers.use_keys, version=discovery.authority.version))
    return bearers


def _guards(settings: Settings, clock: Clock) -> Guards:
    return Guards.from_settings(settings, clock=clock, own_paths=own_paths(settings), own_trees=own_trees(settings))


def _numbers(ground: Ground, renewal: Renewal, guards: Guards) -> Numbers:
    in_use, trail = ground.sessions.in_use, ground.audit.trail
    metrics = Metrics(
        ground.events,
        renewal,
        ground.outside,
        in_use=in_use,
        trail=trail,
        limits=guards.limits,
        clock=ground.clock,
    )
    return Numbers(metrics, ground.settings)


def _pages(settings: Settings, templates: tuple[Path, ...], policy: ContentPolicy) -> Pages:
    name = "Microsoft" if settings.entra_authority else "your provider"
    return Pages(templates, policy=policy, authority_name=name, for_operators=not settings.production)


def _chores(ground: Ground, renewal: Renewal, *, beside: Iterable[Chore]) -> Chores:
    settings, sessions, leases = ground.settings, ground.sessions, ground.leases
    scopes, clock, events = settings.sign_in_scopes, ground.clock, ground.events
    ahead = RenewalAhead(sessions, leases, renewal, scopes=scopes, clock=clock, events=events)
    renewing = Chore("renewal", settings.token_refresh_check_interval, ahead.once)
    sweeping = Chore("sweeping", SWEEP_EVERY, partial(sweep, sessions, leases))
    return Chores((renewing, sweeping, *beside), chance=random)


def _tally(ground: Ground, renewal: Renewal) -> Iterator[Chore]:
    """Count for the charts of administration, where there is any."""
    if ground.settings.admin:
        in_use = ground.sessions.in_use
        sources: dict[TallyName, Callable[[], int]] = {
            "renewals": lambda: renewal.outcomes.read["renewed"],
            "sessions_of_hour": lambda: in_use.of_hours,
            "sessions_of_day": lambda: in_use.of_days,
        }
        yield Chore("tally", TALLY_EVERY, Tally(Tallies(ground.database), sources, clock=ground.clock).once)


def _watches(
    expiry: ExpiryWatch, bearers: Bearers, outside: WaysOut, numbers: Numbers, guards: Guards
) -> Iterator[Chore]:
    """What is looked at now and then: the end of credentials, expired bearer tokens, keys that grow old unseen."""
    yield from numbers.chores()
    yield Chore("log_lines", TELL_EVERY, guards.lines.tell)
    yield Chore("credentials", WARN_EVERY, expiry.once)
    yield Chore("bearer_tokens", SWEEP_EVERY, bearers.sweep)
    for number, discovery in enumerate(outside.discoveries, 1):
        yield Chore(f"keys_{number}", LOOK_AT_KEYS_EVERY, discovery.keep_fresh)
