"""The settings by which others watch the application: metrics."""

from typing import TYPE_CHECKING

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from entrada.settings_guard_faults import is_network
from entrada.settings_guards import Words

if TYPE_CHECKING:
    from entrada.settings import Settings

SHORTEST_TOKEN = 24  # characters: what `openssl rand -base64 18` prints


class MonitoringSettings(BaseSettings):
    """The part of the settings that is about monitoring; `Settings` is the whole."""

    metrics_token: SecretStr | None = Field(None)
    """Switches on /metrics for Prometheus, for whoever sends this as a bearer token; of its own, from 24 characters."""
    metrics_networks: Words = ()
    """Switches on /metrics for direct connections from these networks, such as 10.20.0.0/16; with a token for both."""

    @property
    def metrics_offered(self) -> bool:
        """Whether there is such a page."""
        return self.metrics_token is not None or bool(self.metrics_networks)


def monitoring_faults(settings: "Settings") -> list[str]:
    """Say what is wrong with these settings."""
    faults = []
    if not all(map(is_network, settings.metrics_networks)):
        faults.append("metrics_networks: each must be a network such as 10.20.0.0/16")
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    if token is not None and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
        faults.append("metrics_token: needs 24 characters of ASCII; take what `openssl rand -base64 18` prints")
    return faults
