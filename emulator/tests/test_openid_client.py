"""openid-client for Node, unmodified, over TLS: a certified relying party that checks all that it can."""

import json
import os
import subprocess

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import ServedEntra

from emulator.tests.asking import BIRCH, SECRETS
from emulator.tests.node import JAVASCRIPT, node_path
from emulator.tests.person import Person
from emulator.tests.sign_in import arrival_of

pytestmark = pytest.mark.peer

REDIRECT = "http://localhost:8000/callback"
SCOPE = "openid profile email offline_access User.Read"
PATIENCE = 120  # seconds


async def test_it_discovers_signs_in_verifies_and_renews(served_entra: ServedEntra) -> None:
    """Discovery, PKCE, pages, an ID token verified by the published keys, userinfo, renewal, the way to sign out."""
    service, entra = served_entra.service, served_entra.entra
    issuer = f"{service.public_origin}/{BIRCH}/v2.0"
    asked = {"issuer": issuer, "id": seeds.WEB_APP, "secret": SECRETS[seeds.WEB_APP]}
    with _started(served_entra) as process:
        told = _answer(process, json.dumps(asked | {"redirect": REDIRECT, "scope": SCOPE}))
        person = Person({service.pages_origin: service.app})
        await person.open(told["url"])
        await person.press("Sign in as Mia Member")
        await person.press("No")
        await person.press("Accept")
        outcome = _answer(process, arrival_of(person).url)
        assert process.wait(PATIENCE) == 0
    mia = entra.user()
    claims = outcome["claims"]
    assert (claims["iss"], claims["aud"], claims["oid"]) == (issuer, seeds.WEB_APP, mia.id)
    assert outcome["person"]["sub"] == claims["sub"] == outcome["renewed"]
    assert outcome["fresh"]
    assert outcome["end"].startswith(f"{service.pages_origin}/{BIRCH}/oauth2/v2.0/logout?")


def _started(served: ServedEntra) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [node_path(), "openid_client.mjs"],
        cwd=JAVASCRIPT,
        env=os.environ | {"NODE_EXTRA_CA_CERTS": served.ca_file},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _answer(process: "subprocess.Popen[str]", line: str) -> dict[str, object]:
    """Return what the program says to this line."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return dict(json.loads(process.stdout.readline() or '{"url": "the program ended"}'))
