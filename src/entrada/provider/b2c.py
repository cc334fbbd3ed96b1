"""Azure AD B2C: one authority for each user flow (policy), and rules that its metadata and tokens must keep (SEC-127).

The flows of one tenant differ in a segment of their paths only: `https://HOST/TENANT/POLICY/…`.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from entrada.well_known import GUID

ISSUER = re.compile(
    rf"https://(?P<host>[a-z0-9.-]+)(:[0-9]{{1,5}})?/(?P<tfp>tfp/)?{GUID.pattern}/((?P<policy>[A-Za-z0-9_-]+)/)?v2\.0/"
)
RESET_WANTED = "AADB2C90118"
"""The person has forgotten their password: the application is to send them to the flow that resets it."""
CANCELLED = "AADB2C90091"
"""The person pressed Cancel in a flow."""


def issuer_fault(issuer: str, *, hosts: frozenset[str], policy: str) -> str | None:
    """Say why metadata with this issuer is not this policy's; None when it is."""
    match = ISSUER.fullmatch(issuer)
    if not match or bool(match["tfp"]) != bool(match["policy"]):
        return "its issuer is neither of the form https://HOST/TENANT-GUID/v2.0/ nor …/tfp/TENANT-GUID/POLICY/v2.0/"
    if match["host"] not in hosts:
        return "its issuer is on a host that is not this authority's"
    if match["policy"] and not same_policy(match["policy"], policy):
        return "its issuer is another policy's"
    return None


def policy_in(claims: Mapping[str, Any]) -> Any:
    """Return what a token says of the policy that it came through: `tfp`, in older ones `acr`."""
    return claims.get("tfp", claims.get("acr"))


def same_policy(named: Any, policy: str) -> bool:
    """Compare as B2C does: the case does not count."""
    return isinstance(named, str) and named.isascii() and named.casefold() == policy.casefold()


def at_policy(url: str, *, of: str, wanted: str) -> str:
    """Return the same address at another policy of the tenant; ValueError when it does not name the first one."""
    parts = urlsplit(url)
    segments = parts.path.split("/")
    places = [place for place, segment in enumerate(segments) if same_policy(segment, of)]
    if len(places) != 1:
        raise ValueError("the address does not name its policy once")
    segments[places[0]] = wanted
    return parts._replace(path="/".join(segments)).geturl()
