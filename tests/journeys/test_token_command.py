"""One command gets a token: by the browser, with a device code or for the application; nobody else reads it (B2C-3)."""

import asyncio
import re
import ssl
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory import seeds_customers as shop
from entrada_emulator.pytest_plugin import ServedEntra

from tests.browser import Browser
from tests.command import begin, run

SCOPE = f"api://{seeds.API}/access_as_user"


def settings(served: ServedEntra, client_id: str = seeds.PUBLIC_CLIENT, **more: str) -> dict[str, str]:
    """Return the environment of an application at the served tenant."""
    return {
        "AZURE_TENANT_ID": seeds.BIRCH.id,
        "AZURE_CLIENT_ID": client_id,
        "ENTRADA_AUTHORITY": served.authority,
        "ENTRADA_GRAPH_URL": served.service.public_origin,
        "ENTRADA_CA_FILE": served.ca_file,
        **more,
    }


@pytest.fixture
async def browser(served_entra: ServedEntra) -> AsyncIterator[Browser]:
    """A browser on the real network, which trusts the tenant's certificate."""
    trusting = ssl.create_default_context(cafile=served_entra.ca_file)
    async with httpx2.AsyncHTTPTransport(verify=trusting) as network:
        yield Browser(network)


async def walk(browser: Browser, *buttons: str) -> None:
    """Sign Mia in, and press what is asked for on the way."""
    await browser.press("mia@birch.example")
    for button in buttons:
        await browser.press(button)


def kept(path: Path) -> str:
    """Return the token of a file that only its owner reads."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    header = path.read_text()
    assert header.startswith("Authorization: Bearer ")
    return header.removeprefix("Authorization: Bearer ").strip()


async def test_the_browser_comes_back_to_this_machine_with_a_code(
    served_entra: ServedEntra, tmp_path: Path, browser: Browser
) -> None:
    """PKCE, state and a free port; the token is in a file of its owner's, and the curl line reads it from there."""
    command = begin("token", "--no-browser", SCOPE, cwd=tmp_path, **settings(served_entra))
    address = await command.line_with("/authorize?")
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert re.fullmatch(r"http://localhost:\d{4,5}", asked["redirect_uri"][0])
    await browser.open(address)
    await walk(browser, "No")
    assert "go back to the command line" in browser.page.text
    done = await command.ended()
    assert done.code == 0, done.said
    token = kept(tmp_path / ".entrada/authorization")
    assert token not in done.said
    assert done.out == "curl -H @.entrada/authorization http://localhost:8000/\n"
    assert "Signed in as mia@birch.example." in done.err
    claims = served_entra.entra.claims_of(token)
    assert (claims["aud"], claims["scp"], claims["azp"]) == (seeds.API, "access_as_user", seeds.PUBLIC_CLIENT)


async def test_customers_get_one_by_their_user_flow(
    served_entra: ServedEntra, tmp_path: Path, browser: Browser
) -> None:
    """With the B2C_* settings, and the address registered for the web platform: its secret goes along."""
    values = {
        "B2C_TENANT_ID": shop.SHOP_DOMAIN,
        "B2C_SIGNIN_POLICY": "B2C_1_susi",
        "B2C_AUTHORITY": f"{served_entra.service.public_origin}/{shop.SHOP_DOMAIN}",
        "AZURE_CLIENT_ID": shop.SHOP_APP,
        "AZURE_CLIENT_SECRET": "emulator-secret-birch-shop",
        "ENTRADA_CA_FILE": served_entra.ca_file,
    }
    arguments = ("--no-browser", "--confidential", "--redirect-uri", "http://localhost/callback")
    command = begin("token", *arguments, f"{shop.SHOP_API_URI}/basket.read", cwd=tmp_path, **values)
    address = await command.line_with("/authorize?")
    await browser.open(address)
    await browser.press("Carla Customer")
    done = await command.ended()
    assert (done.code, done.out) == (0, "curl -H @.entrada/authorization http://localhost:8000/\n"), done.said
    del values["AZURE_CLIENT_SECRET"]
    api = {**values, "AZURE_CLIENT_ID": shop.SHOP_API}
    explained = await run("explain", "--file", ".entrada/authorization", cwd=tmp_path, **api)
    assert (explained.code, "passes   policy_is_expected" in explained.out) == (0, True), explained.said


async def test_the_door_takes_its_own_answer_only(served_entra: ServedEntra, tmp_path: Path) -> None:
    """An answer with another state or twice a code is sent away, and the command waits on (SEC-011, SEC-016)."""
    command = begin("token", "--no-browser", cwd=tmp_path, **settings(served_entra))
    address = await command.line_with("/authorize?")
    asked = dict(parse_qsl(urlsplit(address).query))
    here, state = asked["redirect_uri"], asked["state"]
    async with httpx2.AsyncClient(trust_env=False) as stranger:
        for query in ({"state": "another", "code": "stolen"}, {"code": "stolen"}, {}):
            answer = await stranger.get(f"{here}/?{urlencode(query)}")
            assert (answer.status_code, "stolen" in answer.text) == (400, False)
        assert (await stranger.get(f"{here}/?state={state}&code=one&code=two")).status_code == 400
        assert (await stranger.get(f"{here}/elsewhere?state={state}&code=one")).status_code == 404
        assert (await stranger.post(f"{here}/?state={state}&code=one")).status_code == 404
        refused = await stranger.get(f"{here}/?state={state}&error=access_denied&error_subcode=cancel")
    assert refused.headers["cache-control"] == "no-store"
    done = await command.ended()
    assert done.code == 1
    assert "the person or a policy declined" in done.err
    assert not (tmp_path / ".entrada").exists()


async def test_a_device_code_needs_no_browser_here(served_entra: ServedEntra, tmp_path: Path, browser: Browser) -> None:
    """The code is shown, the person signs in elsewhere, the command goes on by itself; --file says where to."""
    path = tmp_path / "mine" / "token"
    command = begin("token", "--device-code", "--file", str(path), SCOPE, cwd=tmp_path, **settings(served_entra))
    line = await command.line_with("enter the code")
    found = re.search(r"Open (\S+) on any device and enter the code (\w+)", line)
    assert found
    await browser.open(found[1])
    await browser.press("Next", code=found[2])
    await walk(browser, "No", "Continue")
    done = await command.ended()
    assert done.code == 0, done.said
    assert served_entra.entra.claims_of(kept(path))["scp"] == "access_as_user"
    assert f"curl -H @{path} " in done.out


async def test_a_declined_device_code_is_told(served_entra: ServedEntra, tmp_path: Path, browser: Browser) -> None:
    """What the person declined ends the command with the authority's word."""
    command = begin("token", "--device-code", SCOPE, cwd=tmp_path, **settings(served_entra))
    line = await command.line_with("enter the code")
    await browser.open(line.split()[1])
    await browser.press("Next", code=line.split()[-1])
    await walk(browser, "No", "Cancel")
    done = await command.ended()
    assert (done.code, "authorization_declined" in done.err) == (1, True), done.said


async def test_an_application_gets_a_token_of_its_own(served_entra: ServedEntra, tmp_path: Path) -> None:
    """With the credentials of the settings; --show prints the token and nothing else to stdout."""
    secret = "emulator-secret-birch-night-job"
    values = settings(served_entra, seeds.DAEMON, AZURE_CLIENT_SECRET=secret)
    scope = f"api://{seeds.API}/.default"
    done = await run("token", "--client-credentials", "--show", scope, cwd=tmp_path, **values)
    assert done.code == 0, done.said
    assert done.out.strip() == kept(tmp_path / ".entrada/authorization")
    assert served_entra.entra.claims_of(done.out.strip())["roles"] == ["Task.Write"]
    assert secret not in done.said
    again = await run("token", "--client-credentials", scope, cwd=tmp_path, **values)
    assert kept(tmp_path / ".entrada/authorization") not in again.said


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (["--device-code", "--client-credentials"], {}, "choose one"),
        (["--client-credentials"], {}, "set a secret, certificate or assertion"),
        (["--client-credentials"], {"AZURE_CLIENT_SECRET": "wrong-one"}, "AADSTS7000215"),
        (["--redirect-uri", "https://evil.example/"], {}, "must be http on this machine"),
        (["--redirect-uri", "http://localhost:99999"], {}, "must be http on this machine"),
        (["--file", "/proc/none/token", "--client-credentials"], {"AZURE_CLIENT_ID": ""}, "client_id: missing"),
        (["--device-code", "api://nothing/read"], {}, "AADSTS500011"),
    ],
)
async def test_what_is_wrong_is_told_with_its_mend(
    served_entra: ServedEntra, tmp_path: Path, arguments: list[str], environment: dict[str, str], told: str
) -> None:
    """One clear sentence, exit status 1, no traceback, no file."""
    done = await run("token", *arguments, cwd=tmp_path, **{**settings(served_entra), **environment})
    assert (done.code, done.out) == (1, "")
    assert told in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / ".entrada").exists()


async def test_a_browser_is_opened_where_there_is_one(served_entra: ServedEntra, tmp_path: Path) -> None:
    """The person's own browser is given the address (`BROWSER` names it)."""
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {tmp_path}/opened\n')
    script.chmod(0o700)
    command = begin("token", cwd=tmp_path, **settings(served_entra, BROWSER=str(script)))
    address = await command.line_with("/authorize?")
    assert (tmp_path / "opened").read_text() == address
    command.process.terminate()
    await command.ended()


async def test_a_port_that_is_taken_is_told(served_entra: ServedEntra, tmp_path: Path) -> None:
    """At either address that `localhost` may mean: whoever listens there would get the answer."""
    for address in ("127.0.0.1", "::1"):
        other = await asyncio.start_server(lambda _reader, writer: writer.close(), address, 0)
        uri = f"http://localhost:{other.sockets[0].getsockname()[1]}"
        done = await run("token", "--no-browser", "--redirect-uri", uri, cwd=tmp_path, **settings(served_entra))
        other.close()
        await other.wait_closed()
        assert (done.code, "is something else there?" in done.err) == (1, True), done.said
