"""EMU-13: what an application with Entrada does is drawn by the emulator, step by step, with nothing secret in it."""

from entrada_emulator.directory import seeds

from emulator.tests.flow_pages import flow, listed
from tests.front_door import BASE, SECRET, SESSION, FrontDoor


async def test_a_session_from_sign_in_to_sign_out(door: FrontDoor) -> None:
    """Sign-in with PKCE, Graph with its token, sign-out: each is there, tied together, and every check passed."""
    browser = await door.signed_in()
    session = browser.jar.of("portal.birch.example")[SESSION]
    await browser.fetch(f"{BASE}/graph")
    await browser.open(f"{BASE}/private")
    await browser.press("Sign out")
    with door.entra.http_client() as http:
        out, signed_in = listed(http)
        assert (out.kind, signed_in.kind) == ("Sign-out", "Sign-in · code + PKCE")
        assert signed_in.who == f"{door.entra.application(seeds.WEB_APP).display_name} · mia@birch.example"
        drawn = flow(http, signed_in.number)
        assert drawn.titles[:2] == ["Sends the browser to Entra", "Authorization request"]
        assert drawn.titles[-1] == "Graph answers"
        assert "Redeems the code" in drawn.titles
        request, redeems = drawn.step("Authorization request"), drawn.step("Redeems the code")
        assert "Its SHA-256 has the mark " + request.mark("code_challenge") in redeems.row("code_verifier")
        assert "✗" not in drawn.text
        assert "What did not come" not in drawn.text
        assert "Follows from Sign-in · code + PKCE" in flow(http, out.number).text
        assert not [secret for secret in (SECRET, session) if secret in drawn.html]
