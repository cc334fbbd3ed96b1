"""All that speaks with the authority and with APIs, built from the settings; nothing of it calls out yet."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import random

import httpx2

from entrada.clock import Clock
from entrada.flows.renewing.schedule import Schedule
from entrada.provider.authority import Authority
from entrada.provider.clients.clients import credentials_of, token_client
from entrada.provider.clients.credentials import AssertionSource, Credentials
from entrada.provider.clients.token_client import TokenClient
from entrada.provider.discovery import Discovery
from entrada.provider.egress import Egress
from entrada.provider.network import NetworkTransport, trusted_certificates
from entrada.provider.profile import GraphProfiles
from entrada.provider.tenants import Tenants
from entrada.provider.tokens.access_token import AccessTokenVerifier, Api, Source
from entrada.provider.tokens.id_token import IdTokenVerifier
from entrada.provider.tokens.introspection import Introspection
from entrada.provider.tokens.logout_token import LogoutTokenVerifier
from entrada.settings import Settings
from entrada.web.pages.content_policy import ContentPolicy

UPSTREAM_CONNECTIONS = 500  # to each upstream: a stream of events keeps one for as long as somebody listens
UPSTREAM_IDLE_SECONDS = 4.0  # uvicorn and Node close after 5: a request that meets that is lost, so we close before


@dataclass(frozen=True, slots=True)
class WaysOut:
    """The parts that know the authority."""

    egress: Egress
    """To the authority, bounded in everything."""
    to_apis: httpx2.AsyncBaseTransport
    """To the APIs that the application calls."""
    to_upstream: Callable[[], httpx2.AsyncBaseTransport]
    """Makes the way to an upstream that requests are passed on to."""
    policy: ContentPolicy
    discovery: Discovery
    credentials: Credentials
    client: TokenClient
    id_tokens: IdTokenVerifier = field(repr=False)
    logout_tokens: LogoutTokenVerifier = field(repr=False)
    access_tokens: AccessTokenVerifier = field(repr=False)
    introspection: Introspection | None
    profiles: GraphProfiles | None
    discoveries: tuple[Discovery, ...]
    """Of each version of the authority's metadata, newest first: access tokens may be of either."""
    schedule: Schedule
    clock: Clock
    """What all of it goes by."""


def lay_ways_out(
    settings: Settings,
    *,
    transport: httpx2.AsyncBaseTransport | None,
    client_assertion: AssertionSource | None,
    clock: Clock,
) -> WaysOut:
    """Return the parts, each built on the one before."""
    egress, to_apis, to_upstream = _transports(settings, transport)
    authority_url = Authority.from_settings(settings).metadata_url  # known also while the authority is down
    policy = ContentPolicy([authority_url], report_uri=settings.csp_report_uri)
    sources = _sources(settings, egress, policy, clock)
    discovery = sources[0].discovery
    credentials = credentials_of(settings, assertion=client_assertion, clock=clock)
    client = token_client(settings, credentials=credentials, egress=egress, metadata=discovery.metadata, clock=clock)
    return WaysOut(
        egress=egress,
        to_apis=to_apis,
        to_upstream=to_upstream,
        policy=policy,
        discovery=discovery,
        credentials=credentials,
        client=client,
        id_tokens=_verifier(settings, discovery=discovery, clock=clock),
        logout_tokens=_logout_verifier(settings, discovery=discovery, clock=clock),
        access_tokens=_access_verifier(settings, *sources, clock=clock),
        introspection=_introspection(settings, client, discovery, clock),
        profiles=_profiles(settings, egress),
        discoveries=tuple(source.discovery for source in sources),
        schedule=_schedule(settings, client, clock),
        clock=clock,
    )


def _transports(
    settings: Settings, transport: httpx2.AsyncBaseTransport | None
) -> tuple[Egress, httpx2.AsyncBaseTransport, Callable[[], httpx2.AsyncBaseTransport]]:
    """Return the way to the authority, bounded in everything, that to the APIs, and what makes one to an upstream."""
    private = not settings.production
    if transport is not None:
        return Egress(transport=transport, private_addresses_allowed=private), transport, lambda: transport
    make = partial(
        NetworkTransport,
        trust=trusted_certificates(settings.ca_file),
        private_addresses_allowed=private,
        private_networks=settings.private_networks,
    )
    to_authority, to_apis = make(), make()  # so that APIs that do not answer take no connection from the authority
    egress = Egress(transport=to_authority, private_addresses_allowed=private)
    return egress, to_apis, partial(make, connections=UPSTREAM_CONNECTIONS, idle_seconds=UPSTREAM_IDLE_SECONDS)


def _sources(settings: Settings, egress: Egress, policy: ContentPolicy, clock: Clock) -> tuple[Source, ...]:
    """Return the authority and, at Entra, the same by its version 1 metadata, fetched when a token needs them."""
    authority, learnt, strict = Authority.from_settings(settings), policy.allow_sign_out_at, settings.production
    first = Source(authority, Discovery(authority, egress, clock, production=strict, on_metadata=learnt))
    if (older := authority.version_one()) is None:
        return (first,)
    return first, Source(older, Discovery(older, egress, clock, production=strict))


def _access_verifier(settings: Settings, *sources: Source, clock: Clock) -> AccessTokenVerifier:
    return AccessTokenVerifier(
        *sources,
        api=_api(settings),
        algorithms=settings.algorithms,
        leeway=settings.leeway_seconds,
        tenants=Tenants.from_settings(settings),
        clock=clock,
    )


def _verifier(settings: Settings, *, discovery: Discovery, clock: Clock) -> IdTokenVerifier:
    return IdTokenVerifier(
        discovery,
        client_id=settings.client_id,
        authority=Authority.from_settings(settings),
        algorithms=settings.algorithms,
        leeway=settings.leeway_seconds,
        tenants=Tenants.from_settings(settings),
        clock=clock,
    )


def _logout_verifier(settings: Settings, *, discovery: Discovery, clock: Clock) -> LogoutTokenVerifier:
    return LogoutTokenVerifier(
        discovery,
        client_id=settings.client_id,
        algorithms=settings.algorithms,
        leeway=settings.leeway_seconds,
        clock=clock,
    )


def _api(settings: Settings) -> Api:
    return Api(
        client_id=settings.client_id,
        identifiers=frozenset(settings.api_identifiers),
        clients=frozenset(settings.api_clients),
    )


def _introspection(settings: Settings, client: TokenClient, discovery: Discovery, clock: Clock) -> Introspection | None:
    if not settings.introspection:
        return None
    leeway = settings.leeway_seconds
    return Introspection(client.introspect, discovery=discovery, api=_api(settings), leeway=leeway, clock=clock)


def _profiles(settings: Settings, egress: Egress) -> GraphProfiles | None:
    at_entra = not settings.issuer and not settings.b2c_tenant
    return GraphProfiles(egress, graph_url=settings.graph_url) if settings.graph_profile and at_entra else None


def _schedule(settings: Settings, client: TokenClient, clock: Clock) -> Schedule:
    spread = settings.token_refresh_buffer
    return Schedule(client, scopes=settings.sign_in_scopes, spread=spread, clock=clock, chance=random)
