"""The verifier believes the ID tokens of authorities that it was not written beside, and none of their spoilt ones."""

from dataclasses import dataclass

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.faults import TOKEN_FAULTS, Fault
from entrada_emulator.pytest_plugin import Entra

from entrada.errors import AuthorityUnavailable, TokenRefused
from entrada.provider.authority import Authority
from entrada.provider.clients.token_client import sent_nonce
from entrada.provider.discovery import Discovery
from entrada.provider.tokens.id_token import IdTokenVerifier
from entrada.provider.tokens.identity import user_from
from entrada.provider.tokens.validate import Claims
from tests.contracts.token_peers import MsalAtEmulator, OidcAtDjango, Peer
from tests.providers.django_provider import DjangoProvider


@dataclass
class Visit:
    """A sign-in at an authority up to its ID token, and our verifier of it."""

    peer: Peer

    def __post_init__(self) -> None:
        settings = self.peer.settings(client_id=self.peer.client_id)
        authority = Authority.from_settings(settings)
        self.client = self.peer.client()
        self.discovery = Discovery(authority, self.peer.egress, self.peer.clock, production=False)
        self.verifier = IdTokenVerifier(
            self.discovery, client_id=self.peer.client_id, authority=authority, clock=self.peer.clock
        )

    async def claims(self) -> Claims:
        """Sign in and verify."""
        grant = await self.peer.grant()
        redeemed = await self.client.redeem(grant)
        self.tokens = redeemed.tokens
        return await self.verifier.verify(
            redeemed.id_token, nonce=sent_nonce(grant.nonce), access_token=redeemed.access_token
        )

    async def renewed(self, of: Claims) -> Claims:
        """Renew and verify."""
        acquired = await self.client.acquire(self.tokens, self.peer.scopes, force=True)
        assert acquired.id_token is not None
        return await self.verifier.verify_renewed(acquired.id_token, of=of, access_token=acquired.access_token)


async def test_the_emulators_token_is_believed_and_names_the_person(entra: Entra):
    """The emulator's ID token, as Entra's, passes every check, and its renewed one is the same person's."""
    visit = Visit(MsalAtEmulator(entra))
    claims = await visit.claims()
    assert user_from(claims).key == f"{seeds.BIRCH.id}:{entra.user().id}"
    assert (await visit.renewed(claims)).object_id == entra.user().id


@pytest.mark.parametrize("kind", TOKEN_FAULTS)
async def test_each_spoilt_token_of_the_emulator_is_refused(entra: Entra, kind):
    """SEC-033 to SEC-041: one wrong thing (nonce, issuer, audience, time, signature, algorithm, kid) refuses it."""
    visit = Visit(MsalAtEmulator(entra))
    entra.state.faults.add(Fault(endpoint="token", kind=kind))
    with pytest.raises(TokenRefused):
        await visit.claims()
    assert await visit.claims()


async def test_rel_007_a_rotation_at_the_emulator_is_not_noticed(entra: Entra):
    """REL-007: before, just after and an hour after a rotation of its keys, sign-ins go on."""
    visit = Visit(MsalAtEmulator(entra))
    for _ in range(3):
        assert await visit.claims()
        entra.state.keys.rotate()
    assert await visit.claims()


@pytest.mark.peer
async def test_a_provider_that_nobody_here_wrote_is_believed(django_provider: DjangoProvider):
    """django-oauth-toolkit's ID token passes every check, at_hash among them, and so does its renewed one."""
    visit = Visit(OidcAtDjango(django_provider))
    claims = await visit.claims()
    assert "at_hash" in claims.values
    person = user_from(claims)
    assert (person.tenant_id, person.key) == (None, f"{django_provider.issuer}|{person.subject}")
    assert (await visit.renewed(claims)).subject == person.subject


async def test_sec_190_production_does_not_believe_the_emulator(entra: Entra):
    """SEC-190: in production the emulator's documents are refused although everything in them is right."""

    visit = Visit(MsalAtEmulator(entra))
    authority = Authority.from_settings(visit.peer.settings(client_id=visit.peer.client_id))
    strict = Discovery(authority, visit.peer.egress, visit.peer.clock, production=True)
    with pytest.raises(AuthorityUnavailable, match="emulator"):
        await strict.metadata()
