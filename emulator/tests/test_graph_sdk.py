"""The Microsoft Graph SDK with azure-identity, unmodified, over TLS: typed answers out of the emulated Graph."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from azure.identity import AuthorizationCodeCredential, ClientSecretCredential
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import ServedEntra
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphServiceClient
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.graph_request_adapter import GraphRequestAdapter, options
from msgraph_core import GraphClientFactory

from emulator.tests.asking import BIRCH, SECRETS
from emulator.tests.test_peers import trusting

pytestmark = [
    pytest.mark.peer,
    pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning"),  # by msgraph-sdk 1.65, of its own
]

REDIRECT = "http://localhost:8000/callback"


@asynccontextmanager
async def graph_of(served: ServedEntra, credential: Any, *scopes: str) -> AsyncIterator[GraphServiceClient]:
    """The SDK's client with its own middleware; only the address and whom to trust are ours."""
    origin = served.service.public_origin
    base, host = f"{origin}/v1.0", urlsplit(origin).hostname or ""
    transport = httpx.AsyncHTTPTransport(verify=ssl.create_default_context(cafile=served.ca_file))
    async with transport:  # the SDK wraps it, and never closes it
        http = httpx.AsyncClient(transport=transport, base_url=base, trust_env=False)
        client = GraphClientFactory.create_with_default_middleware(client=http, options=options)
        adapter = GraphRequestAdapter(
            AzureIdentityAuthenticationProvider(credential, scopes=list(scopes), allowed_hosts=[host]), client
        )
        adapter.base_url = base
        yield GraphServiceClient(request_adapter=adapter)


async def test_a_person_reads_their_profile_and_groups(served_entra: ServedEntra) -> None:
    """A code becomes a Graph token by azure-identity; /me and /me/memberOf come back as the SDK's objects."""
    entra = served_entra.entra
    code = entra.code(redirect_uri=REDIRECT, scopes=("openid", "User.Read", "GroupMember.Read.All"))
    with AuthorizationCodeCredential(
        BIRCH, seeds.WEB_APP, code, REDIRECT, client_secret=SECRETS[seeds.WEB_APP], **trusting(served_entra)
    ) as credential:
        async with graph_of(served_entra, credential, "User.Read") as graph:
            me = await graph.me.get()
            assert me is not None
            assert (me.id, me.user_principal_name) == (entra.user().id, "mia@birch.example")
            groups = await graph.me.member_of.get()
            assert groups is not None
            assert groups.value


async def test_a_program_lists_people_and_is_refused_in_the_sdks_words(served_entra: ServedEntra) -> None:
    """An application's own token: people as typed objects, and for one who is not there the SDK's own error."""
    with ClientSecretCredential(BIRCH, seeds.DAEMON, SECRETS[seeds.DAEMON], **trusting(served_entra)) as credential:
        async with graph_of(served_entra, credential, "https://graph.microsoft.com/.default") as graph:
            people = await graph.users.get()
            with pytest.raises(ODataError) as refused:
                await graph.users.by_user_id("nobody@birch.example").get()
    assert people is not None
    assert "mia@birch.example" in {person.user_principal_name for person in people.value or []}
    assert refused.value.error is not None
    assert refused.value.error.code == "Request_ResourceNotFound"
