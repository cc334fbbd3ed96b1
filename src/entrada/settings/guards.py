"""The settings of the guards: who is in front of us, how often strangers may come, and how much they may send."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode

from entrada.rates import Rate

RELAXED = 1000  # in development one address is a whole team and its tests
MIB = 1024 * 1024


def split(value: object) -> object:
    """Return the words of a text; what is no text stays as it is."""
    return tuple(value.split()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split)]
"""Several values: a tuple in Python, separated by blanks in the environment."""

LimitClass = Literal["strangers", "sign_in", "failures", "people", "clients"]
"""Who shares a limit: see docs/guards.md."""


class GuardSettings(BaseSettings):
    """The part of the settings that is about guards; `Settings` is the whole."""

    trusted_proxies: Words = ()
    """Addresses or networks of proxies in front, `unix` for a socket; the client's address is what they say it is."""
    proxy_hops: int = Field(0, ge=0, le=10)
    """Instead, where proxies have no fixed addresses: how many are in front of each request, none of it around them."""
    proxy_header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"
    """The one header in which those proxies say who the client is."""
    deny_by_default: bool = False
    """Whether a route of the application that asks nobody who calls, and is not in open_paths, stops the start."""
    open_paths: Words = ()
    """Paths, or beginnings of paths that end in /, that are for everybody or ask in their function."""
    limits: bool = True
    """Whether requests are limited by rate at all."""
    limit_strangers: Words = ("50/hour", "200/day")
    """For each client address, requests by nobody who is known. In development the default of any limit is 1000 ×."""
    limit_sign_in: Words = ("20/minute", "40/hour")
    """For each client address, steps of signing in and out by nobody who is known; a finished sign-in is given back."""
    limit_failures: Words = ("20/minute", "100/hour")
    """For each client address, bearer tokens that are refused."""
    limit_people: str = "1200/minute"
    """For each session, in each process."""
    limit_clients: str = "6000/minute"
    """For each caller by bearer token, in each process."""
    limit_ipv6_prefix: int = Field(64, ge=32, le=128)
    """How many bits of an IPv6 address are one client; 64 is one line of a household."""
    limits_exempt: Words = ("/static/", "/favicon.ico", "/robots.txt")
    """Paths without a limit for strangers, or beginnings of paths that end in /: what pages are made of."""
    most_body_bytes: int = Field(MIB, ge=1024)
    """The longest body of a request; 64 KiB for our own routes."""
    large_bodies: Words = ()
    """Paths below which bodies may be longer, each with its bytes, such as /upload=20000000."""
    body_seconds: int = Field(30, ge=1, le=3600)
    """How long a body may take to come, and a second more for each 8 KiB of it."""
    csp_report_uri: str | None = None
    """The https address to which browsers report what a content policy stopped, such as a collecting service's."""
    admin_networks: Words = ()
    """Networks from which /admin and /api/admin may be used, such as 10.20.0.0/16; anywhere when there are none."""

    def rates_of(self, limited: LimitClass) -> tuple[Rate, ...]:
        """Return the rates of a class, relaxed in development where nobody has set them."""
        name = f"limit_{limited}"
        value: str | tuple[str, ...] = getattr(self, name)
        rates = tuple(map(Rate.parse, (value,) if isinstance(value, str) else value))
        relaxed = name not in self.model_fields_set and getattr(self, "profile", None) == "development"
        return tuple(rate.times(RELAXED) for rate in rates) if relaxed else rates

    @property
    def body_limits(self) -> tuple[tuple[str, int], ...]:
        """The beginnings of paths with a limit of their own for bodies, the longest first."""
        pairs = [each.rpartition("=") for each in self.large_bodies]
        return tuple(sorted(((path, int(size)) for path, _, size in pairs), key=lambda pair: -len(pair[0])))
