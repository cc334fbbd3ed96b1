"""Where an emulator is reached: fixed when it is made, never read from a request."""

from dataclasses import dataclass

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

    @property
    def in_process(self) -> bool:
        """Whether the emulator answers under Microsoft's own host names, without a socket."""
        return self.login == MICROSOFT_LOGIN

    def issuer(self, tenant: str) -> str:
        """The version 2 issuer; `{tenantid}` gives the template."""
        return f"{self.login}/{tenant}/v2.0"

    def issuer_v1(self, tenant_id: str) -> str:
        """The version 1 issuer, with its trailing slash."""
        return f"{MICROSOFT_STS if self.in_process else self.login}/{tenant_id}/"
