"""Where an emulator is reached: fixed when it is made, never read from a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from entrada_emulator.directory.model import Tenant

MICROSOFT_LOGIN = "https://login.microsoftonline.com"
MICROSOFT_GRAPH = "https://graph.microsoft.com"
MICROSOFT_STS = "https://sts.windows.net"
LOGIN_ALIASES = frozenset({"login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"})


@dataclass(frozen=True, slots=True)
class Origins:
    """Scheme, host and port of each face of the emulator, without a trailing slash."""

    login: str = MICROSOFT_LOGIN
    """For clients: issuer, token endpoint, keys."""
    pages: str = MICROSOFT_LOGIN
    """For people: authorize and logout."""
    graph: str = MICROSOFT_GRAPH
    external: Mapping[str, str] = field(default_factory=dict)
    """Tenant id of each External ID tenant → its name; in process each has a host and an issuer of its own."""

    @property
    def in_process(self) -> bool:
        """Whether the emulator answers under Microsoft's own host names, without a socket."""
        return self.login == MICROSOFT_LOGIN

    def issuer(self, tenant: str) -> str:
        """The version 2 issuer; `{tenantid}` gives the template.

        External ID's host differs from that of the authority: it is made from the tenant's id.
        """
        if self.in_process and tenant in self.external:
            return f"https://{tenant}.ciamlogin.com/{tenant}/v2.0"
        return f"{self.login}/{tenant}/v2.0"

    def login_of(self, tenant: Tenant | None) -> str:
        """Where clients reach a tenant: External ID has a host for each in process."""
        name = self.external.get(tenant.id) if tenant else None
        return f"https://{name}.ciamlogin.com" if name and self.in_process else self.login

    def pages_of(self, tenant: Tenant | None) -> str:
        """Where people reach a tenant."""
        return self.login_of(tenant) if self.in_process else self.pages

    def b2c(self, tenant: Tenant, *, for_people: bool = False) -> str:
        """Where a B2C tenant is reached."""
        if self.in_process:
            return f"https://{tenant.name}.b2clogin.com"
        return self.pages if for_people else self.login

    def issuer_v1(self, tenant_id: str) -> str:
        """The version 1 issuer, with its trailing slash."""
        return f"{MICROSOFT_STS if self.in_process else self.login}/{tenant_id}/"
