"""Who is calling, and by which way."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class User:
    """A person whom the authority vouched for; `key` is the only thing to store or compare.

    Names and addresses are for display: they change, and a tenant's administrator can write anything into them.
    """

    issuer: str
    subject: str
    """`sub`: pairwise, the same for this person at this application."""
    tenant_id: str | None = None
    """`tid`, a GUID in lower case; None where the provider has no tenants."""
    object_id: str | None = None
    """`oid`, the person's id in the tenant's directory."""
    name: str = ""
    username: str = ""
    """`preferred_username`; display only."""
    email: str | None = None
    """Display only: never a key, never a reason to let anybody in (nOAuth)."""
    roles: frozenset[str] = frozenset()
    auth_time: datetime | None = None
    amr: tuple[str, ...] = ()
    acrs: frozenset[str] = frozenset()
    sid: str | None = field(default=None, repr=False)
    login_hint: str | None = field(default=None, repr=False)
    """The opaque claim that tells the authority whom to sign out."""

    @property
    def key(self) -> str:
        """The person's permanent key: tenant and object id at Entra, issuer and subject elsewhere."""
        if self.tenant_id and self.object_id:
            return f"{self.tenant_id}:{self.object_id}"
        return f"{self.issuer}|{self.subject}"
