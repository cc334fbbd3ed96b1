"""What tokens are made from: a person at an application, and the resource that an access token is for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from entrada_emulator.directory.model import Application, ClientAcr, Tenant, User

EndpointVersion = Literal[1, 2]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A person at an application: what their tokens are made from."""

    user: User
    tenant: Tenant
    application: Application
    client_acr: ClientAcr
    scopes: tuple[str, ...]
    """OpenID scopes granted."""
    sid: str
    auth_time: datetime
    amr: tuple[str, ...]
    acrs: tuple[str, ...] = ()
    nonce: str | None = field(default=None, repr=False)
    max_age: int | None = None
    requested_claims: Mapping[str, Any] = field(default_factory=dict)
    """The parsed `claims` parameter."""
    version: EndpointVersion = 2
    """Of the endpoint that was asked; it decides the shape of the ID token, the resource that of the access token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """The resource an access token is for."""

    resource: Application
    identifier: str
    """As the client named it."""
    scp: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    @property
    def is_v1(self) -> bool:
        """Whether the resource takes version 1 tokens."""
        return self.resource.access_token_version == 1

    @property
    def aud(self) -> str:
        """Version 2 names the client id; version 1 repeats the client's own word, unless `aud:use_guid` asks not to."""
        by_guid = not self.is_v1 or "aud:use_guid" in self.resource.optional_access_claims
        return self.resource.client_id if by_guid else self.identifier
