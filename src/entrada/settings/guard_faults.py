"""What may be wrong with the settings of the guards, and how to mend each: pure rules on the values."""

import re
from ipaddress import ip_network

from entrada.rates import Rate
from entrada.settings.guards import GuardSettings

BODY_LIMIT = re.compile(r"/[!-<>-~]*=[1-9][0-9]{2,11}")
REPORT_URI = re.compile(r"https://[A-Za-z0-9.\[\]:-]+/[!#-&(-+./0-:<-~-]*")
RATES = ("limit_strangers", "limit_sign_in", "limit_failures", "limit_people", "limit_clients")
UNIX = "unix"


def guard_faults(settings: GuardSettings) -> list[str]:
    """Say all that is wrong, each as `name: fault and mend`."""
    faults = [fault for name in RATES for fault in _rate_faults(name, getattr(settings, name))]
    if not all(each == UNIX or is_network(each) for each in settings.trusted_proxies):
        faults.append("trusted_proxies: each must be an address, a network such as 10.0.0.0/8, or `unix`")
    if any(is_network(each) and ip_network(each).prefixlen == 0 for each in settings.trusted_proxies):
        faults.append("trusted_proxies: the whole internet cannot be trusted; name the networks of your proxies")
    if settings.trusted_proxies and settings.proxy_hops:
        faults.append("proxy_hops: set either trusted_proxies or proxy_hops, not both")
    if not all(map(is_network, settings.admin_networks)):
        faults.append("admin_networks: each must be a network such as 10.20.0.0/16")
    if settings.csp_report_uri is not None and not REPORT_URI.fullmatch(settings.csp_report_uri):
        faults.append("csp_report_uri: must be an https address without blanks, commas and semicolons")
    if settings.open_paths and not settings.deny_by_default:
        faults.append("open_paths: is for deny_by_default; set ENTRADA_DENY_BY_DEFAULT=true too, or leave it out")
    if not all(path.startswith("/") for path in settings.open_paths):
        faults.append("open_paths: each must be a path such as /about, or a beginning such as /static/")
    if not all(path.startswith("/") for path in settings.limits_exempt):
        faults.append("limits_exempt: each must be a path such as /static/")
    if not all(map(BODY_LIMIT.fullmatch, settings.large_bodies)):
        faults.append("large_bodies: each must be a path and its bytes, such as /upload=20000000")
    return faults


def is_network(text: str) -> bool:
    """Say whether this is an address or a network, with no bits set beyond its prefix."""
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _rate_faults(name: str, value: str | tuple[str, ...]) -> list[str]:
    try:
        rates = [Rate.parse(text) for text in ((value,) if isinstance(value, str) else value)]
    except ValueError:
        return [f"{name}: must be a number for a time, such as 50/hour (second, minute, hour or day)"]
    if not rates or len({rate.unit for rate in rates}) < len(rates):
        return [f"{name}: name at least one rate, and one for each time; ENTRADA_LIMITS=false has no limits at all"]
    return []
