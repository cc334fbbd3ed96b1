"""What this worker can say of itself in numbers: counted from events, or read when somebody asks.

No label holds anything of a person, a tenant or a request: each is a word of ours out of a closed set, or out of a
hundred at most (SEC-146). Why it is our own page and not a client library's: docs/decisions/0290.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, get_args

from entrada.errors import EntradaError
from entrada.events import EVENT_NAMES, Event, Events
from entrada.meters import OTHER, Counts
from entrada.settings.guards import LimitClass
from entrada.versions import version_of
from entrada.web.monitoring.exposition import Family, Reading, Samples

if TYPE_CHECKING:
    from entrada.audit.trail import AuditTrail
    from entrada.background import Chores
    from entrada.clock import Clock
    from entrada.flows.renewing.renewal import Renewal
    from entrada.provider.clients.credentials import Credentials
    from entrada.provider.discovery import Discovery
    from entrada.provider.egress import Egress
    from entrada.sessions.in_use import SessionsInUse
    from entrada.web.building.ways_out import WaysOut
    from entrada.web.guards.limits import Limits
    from entrada.web.proxy.meter import Meter

OAUTH = """
    access_denied account_selection_required consent_required interaction_required invalid_client invalid_grant
    invalid_issuer invalid_request invalid_resource invalid_scope login_required redirect_uri_mismatch server_error
    temporarily_unavailable unauthorized_client unsupported_grant_type unsupported_response_type
"""
"""What an authority may say; any other word of its is counted as `other`, for a stranger can have it say anything."""

LIMITS = tuple(name.replace("_", "-") for name in get_args(LimitClass))
OUTAGES = ("AuthorityUnavailable", "StoreUnavailable")  # what alerts ask for is there before it happens

FAMILIES = (
    Family("entrada_build_info", "gauge", "1, with the version that runs.", ("version",), "max"),
    Family("entrada_workers", "gauge", "Worker processes on this machine."),
    Family("entrada_sign_ins_total", "counter", "Completed sign-ins."),
    Family("entrada_sign_in_failures_total", "counter", "Sign-ins that failed, by the error's code.", ("reason",)),
    Family("entrada_sign_outs_total", "counter", "Sign-outs by people."),
    Family("entrada_sessions_ended_total", "counter", "Sessions ended otherwise, by the reason.", ("reason",)),
    Family("entrada_sessions_in_use_total", "counter", "Sessions in use, each once in an hour or a day.", ("span",)),
    Family("entrada_events_total", "counter", "Events as the audit log knows them.", ("event",)),
    Family("entrada_refusals_total", "counter", "Requests answered with an error of ours, by its class.", ("error",)),
    Family("entrada_limit_refusals_total", "counter", "Requests beyond a limit, by which.", ("limit",)),
    Family("entrada_renewals_total", "counter", "Times the authority was asked to renew tokens.", ("outcome",)),
    Family("entrada_renewal_wait_seconds", "histogram", "How long requests waited for a renewal."),
    Family("entrada_outbound_seconds", "histogram", "Calls to the authority, by what they are for.", ("purpose",)),
    Family("entrada_outbound_failures_total", "counter", "Those without an answer, or with a 5xx.", ("purpose",)),
    Family("entrada_upstream_requests_total", "counter", "Requests passed on to an upstream, by what came of them.",
           ("upstream", "outcome")),
    Family("entrada_upstream_wait_seconds", "histogram", "How long upstreams took to begin an answer.", ("upstream",)),
    Family("entrada_keys_age_seconds", "gauge", "How long ago the authority's keys were fetched.", joined="max"),
    Family("entrada_authority_ready", "gauge", "1 when metadata and keys are at hand, else 0.", joined="min"),
    Family("entrada_audit_waiting", "gauge", "Entries of the audit log that are not written yet."),
    Family("entrada_audit_lag_seconds", "gauge", "How long the oldest of them has waited.", joined="max"),
    Family("entrada_audit_lost_total", "counter", "Entries for which there was no room."),
    Family("entrada_chore_runs_total", "counter", "Background chores that were done.", ("chore", "outcome")),
    Family("entrada_chore_failing", "gauge", "1 when a chore failed the last time.", ("chore",), "max"),
    Family("entrada_credential_end_timestamp_seconds", "gauge", "When a credential of the application ends.",
           ("credential",), "min"),
)  # fmt: skip


class Metrics:
    """The numbers of one worker. `heard` counts events; the rest is read from whoever counts it."""

    def __init__(
        self,
        events: Events,
        renewal: "Renewal",
        outside: "WaysOut",
        *,
        in_use: "SessionsInUse",
        trail: "AuditTrail",
        limits: "Limits | None",
        clock: "Clock",
    ) -> None:
        self.refusals = Counts(OUTAGES, closed=False)
        """Requests that were answered with an error, by its class."""
        self.upstreams: dict[str, Meter] = {}
        """By their addresses, which are the application's own words."""
        self._failures = Counts(_reasons())
        self._ended = Counts(closed=False)
        self._events = Counts(EVENT_NAMES)
        self._in_use = in_use
        self._renewal = renewal
        self._egress: Egress = outside.egress
        self._discoveries: Sequence[Discovery] = outside.discoveries
        self._credentials: Credentials = outside.credentials
        self._trail = trail
        self._limits = limits
        self._chores: Chores | None = None
        self._clock = clock
        for name in EVENT_NAMES:
            events.on(name, self._hear)

    def watch(self, chores: "Chores") -> None:
        """Say from now on how these go, one of which may write our numbers down."""
        self._chores = chores

    def samples(self) -> Samples:
        """Return all numbers as they are now."""
        reading = Reading()
        reading.put("entrada_build_info", 1, version=version_of("entrada") or "unknown")
        reading.put("entrada_workers", 1)
        self._people(reading)
        self._calls(reading)
        self._background(reading)
        return reading.samples

    def _hear(self, event: Event) -> None:
        self._events.add(event.name)
        if event.name == "sign_in_failed":
            self._failures.add(event.reason or OTHER)
        elif event.name == "session_ended":
            self._ended.add(event.reason or OTHER)

    def _people(self, reading: Reading) -> None:
        events = self._events.read
        reading.put("entrada_sign_ins_total", events["sign_in"])
        reading.put("entrada_sign_outs_total", events["sign_out"])
        reading.counts("entrada_sign_in_failures_total", "reason", self._failures)
        reading.counts("entrada_sessions_ended_total", "reason", self._ended)
        reading.put("entrada_sessions_in_use_total", self._in_use.of_hours, span="hour")
        reading.put("entrada_sessions_in_use_total", self._in_use.of_days, span="day")
        reading.counts("entrada_events_total", "event", self._events)
        reading.counts("entrada_refusals_total", "error", self.refusals)
        for name in LIMITS:
            refused = self._limits.refused[name] if self._limits else 0
            reading.put("entrada_limit_refusals_total", refused, limit=name)

    def _calls(self, reading: Reading) -> None:
        reading.counts("entrada_renewals_total", "outcome", self._renewal.outcomes)
        reading.waits("entrada_renewal_wait_seconds", self._renewal.waits)
        for purpose, waits in self._egress.waits.items():
            reading.waits("entrada_outbound_seconds", waits, purpose=purpose)
        reading.counts("entrada_outbound_failures_total", "purpose", self._egress.failures)
        for upstream, meter in self.upstreams.items():
            reading.counts("entrada_upstream_requests_total", "outcome", meter.outcomes, upstream=upstream)
            reading.waits("entrada_upstream_wait_seconds", meter.waits, upstream=upstream)
        ages = [age.total_seconds() for each in self._discoveries if (age := each.keys_age) is not None]
        if ages:
            reading.put("entrada_keys_age_seconds", max(ages))
        reading.put("entrada_authority_ready", self._discoveries[0].ready)
        for name, end in self._credentials.ends().items():
            reading.put("entrada_credential_end_timestamp_seconds", end.timestamp(), credential=name)

    def _background(self, reading: Reading) -> None:
        oldest = self._trail.oldest
        reading.put("entrada_audit_waiting", self._trail.waiting)
        reading.put("entrada_audit_lag_seconds", (self._clock() - oldest).total_seconds() if oldest else 0)
        reading.put("entrada_audit_lost_total", self._trail.ever_lost)
        if self._chores is None:
            return
        reading.counts("entrada_chore_runs_total", "chore", self._chores.done, outcome="done")
        reading.counts("entrada_chore_runs_total", "chore", self._chores.failed, outcome="failed")
        failing = self._chores.failing
        for name in {*self._chores.names, *failing}:
            reading.put("entrada_chore_failing", name in failing, chore=name)


def _reasons() -> Iterator[str]:
    yield from OAUTH.split()
    yield OTHER
    kinds = [EntradaError]
    while kinds:
        kind = kinds.pop()
        yield kind.code
        kinds += kind.__subclasses__()
