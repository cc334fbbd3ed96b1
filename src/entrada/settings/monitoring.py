"""The settings by which others watch the application: metrics, alerts, traces, logs, and the audit log elsewhere."""

import base64
import re
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from entrada.settings.guard_faults import is_network
from entrada.settings.guards import Words

WEBHOOK = re.compile(r"https://[^\s/@#\\]+(/[^\s#\\]*)?")
SECRET = re.compile(r"whsec_([A-Za-z0-9+/=]+)")
SHORTEST_SECRET = 24  # bytes, as Standard Webhooks wants
SHORTEST_TOKEN = 24  # characters: what `openssl rand -base64 18` prints


class MonitoringSettings(BaseSettings):
    """The part of the settings that is about monitoring; `Settings` is the whole."""

    metrics_token: SecretStr | None = Field(None)
    """Switches on /metrics for Prometheus, for whoever sends this as a bearer token; of its own, from 24 characters."""
    metrics_networks: Words = ()
    """Switches on /metrics for direct connections from these networks, such as 10.20.0.0/16; with a token for both."""

    traces: bool = False
    """Whether sign-ins, renewals and calls to others are OpenTelemetry spans, for what the application has set up."""
    log_format: Literal["auto", "json", "console"] = "auto"
    """How lines look where the application has no logging of its own: JSON in production, readable in development."""
    audit_webhook_url: str | None = Field(None, repr=False)
    """Where each entry of the audit log is sent, signed, at least once and in order: an https address of yours."""
    audit_webhook_secret: SecretStr | None = Field(None)
    """What those deliveries are signed with: whsec_ and the output of `openssl rand -base64 32`."""

    alert_failures_per_minute: int = Field(30, ge=0)
    """From how many failed sign-ins a minute on, over five minutes, the event `alert` is told; 0 for never."""
    alert_refusals_per_minute: int = Field(10, ge=0)
    """The same of renewals that the authority refuses: each of them ends a session."""
    alert_denials_per_minute: int = Field(60, ge=0)
    """The same of requests for what somebody may not have."""
    alert_addresses_per_hour: int = Field(10, ge=0)
    """From how many addresses on, within an hour, one person's sign-ins are told as an `alert`; 0 for never."""

    @property
    def log_as_json(self) -> bool:
        """Whether our own lines are JSON."""
        return self.log_format == "json" or (self.log_format == "auto" and getattr(self, "profile", "") == "production")

    @property
    def audit_webhook(self) -> tuple[str, str] | None:
        """The address and the secret, where the audit log is sent anywhere."""
        if self.audit_webhook_url is None or self.audit_webhook_secret is None:
            return None
        return self.audit_webhook_url, self.audit_webhook_secret.get_secret_value()

    @property
    def metrics_offered(self) -> bool:
        """Whether there is such a page."""
        return self.metrics_token is not None or bool(self.metrics_networks)


def monitoring_faults(settings: MonitoringSettings) -> list[str]:
    """Say what is wrong with these settings."""
    faults = []
    if not all(map(is_network, settings.metrics_networks)):
        faults.append("metrics_networks: each must be a network such as 10.20.0.0/16")
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    if token is not None and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
        faults.append("metrics_token: needs 24 characters of ASCII; take what `openssl rand -base64 18` prints")
    return faults + _webhook_faults(settings)


def _webhook_faults(settings: MonitoringSettings) -> list[str]:
    if settings.audit_webhook_url is None and settings.audit_webhook_secret is None:
        return []
    if settings.audit_webhook_url is None or settings.audit_webhook_secret is None:
        return ["audit_webhook_url: set both audit_webhook_url and audit_webhook_secret"]
    faults = []
    if not WEBHOOK.fullmatch(settings.audit_webhook_url):
        faults.append("audit_webhook_url: must begin with https://, and have no user name and no fragment")
    try:
        found = SECRET.fullmatch(settings.audit_webhook_secret.get_secret_value())
        length = len(base64.b64decode(found[1], validate=True)) if found else 0
    except ValueError:
        length = 0
    if length < SHORTEST_SECRET:
        faults.append("audit_webhook_secret: must be whsec_ and the output of `openssl rand -base64 32`")
    return faults
