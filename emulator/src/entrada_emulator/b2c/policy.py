"""A policy in a path: tenant and user flow, and every address that belongs to them."""

from dataclasses import dataclass

from entrada_emulator.directory.model import Tenant, UserFlow
from entrada_emulator.directory.world import World
from entrada_emulator.wire.origins import Origins


class UnknownPolicy(Exception):
    """No B2C tenant or no user flow has this name: the endpoint does not exist."""


@dataclass(frozen=True, slots=True)
class PolicyPath:
    """The first two segments of a path, resolved."""

    tenant: Tenant
    flow: UserFlow

    @property
    def name(self) -> str:
        """What codes and refresh tokens are bound to."""
        return f"{self.tenant.id}/{self.flow.name.lower()}"

    @property
    def path(self) -> str:
        """The path of its endpoints, with the policy in lower case as the metadata has it."""
        return f"/{self.tenant.default_domain}/{self.flow.name.lower()}"

    def issuer(self, origins: Origins) -> str:
        """With the tenant's id and a trailing slash; with the policy only where the tenant is set so."""
        base = origins.b2c(self.tenant)
        if self.tenant.policy_in_issuer:
            return f"{base}/tfp/{self.tenant.id}/{self.flow.name.lower()}/v2.0/"
        return f"{base}/{self.tenant.id}/v2.0/"


def policy_path(world: World, tenant_segment: str, policy: str) -> PolicyPath:
    """What the two segments mean; raises `UnknownPolicy`."""
    tenant = world.tenant(tenant_segment)
    if tenant is None or tenant.kind != "b2c":
        raise UnknownPolicy
    flow = next((one for one in tenant.user_flows if one.name.lower() == policy.lower()), None)
    if flow is None:
        raise UnknownPolicy
    return PolicyPath(tenant, flow)
