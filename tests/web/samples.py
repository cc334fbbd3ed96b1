"""Each page in each of its states, as the flows would ask for it."""

from collections.abc import Mapping

from starlette.responses import Response

from entrada.web.pages.pages import Pages, SessionShown, Way

CORRELATION_ID = "3f0b6f0e-53a6-4f4c-9a52-0c6f3a1f5f10"

TENANT = "b1111111-1111-4111-8111-111111111111"

SHOWN = [
    SessionShown(
        handle=handle,
        current=current,
        new=handle == "b",
        device=device,
        handheld="iPhone" in device,
        address=address,
        created=created,
        last_seen=last_seen,
        last_seen_at="2026-11-21T10:00:00+00:00",
    )
    for handle, current, device, address, created, last_seen in (
        ("a", True, "Firefox on Windows", "192.0.2.7", "21 November 2026, 09:41 UTC", "within the last minute"),
        ("b", False, "Safari on iPhone", "2001:db8:85a3::8a2e:370:7334", "19 November 2026, 18:02 UTC", "2 hours ago"),
        ("c", False, "A browser we do not know", None, "14 November 2026, 07:30 UTC", "6 days ago"),
    )
]
TO_SESSIONS = {
    "name": "Ada Lovelace",
    "path": "/api/auth/sessions",
    "sign_out": "/api/auth/logout",
    "home": "/",
    "csrf_token": "a-token",
}


def every_page(pages: Pages) -> Mapping[str, Response]:
    """Return one response for every page and state, by a name for it."""
    return {
        "error": pages.error(
            status=400,
            title="The sign-in took too long",
            happened="More than ten minutes passed between leaving for Microsoft and coming back.",
            advice="Nothing is lost. Please sign in once more.",
            ways=[Way("Sign in again", "/api/auth/login"), Way("Go to the start page", "/")],
            correlation_id=CORRELATION_ID,
        ),
        "error_with_code": pages.error(
            status=502,
            title="This application is not registered for this address",
            happened="Microsoft did not accept the address that people come back to after signing in.",
            advice="You cannot mend this yourself. Whoever looks after the application can, in a minute or two.",
            ways=[Way("Try again", "/api/auth/login")],
            correlation_id=CORRELATION_ID,
            code="AADSTS50011",
            meaning="The redirect URI of the request is not among those of the app registration. Add it there under "
            "Authentication, character for character.",
        ),
        "error_without_way": pages.error(
            status=503,
            title="Not available just now",
            happened="Something that this application needs does not answer.",
            advice="Please try again in a moment.",
            correlation_id=CORRELATION_ID,
        ),
        "signed_out": pages.signed_out(here=True, at_authority="ended", sign_in="/api/auth/login"),
        "signed_out_here_only": pages.signed_out(
            here=True,
            at_authority="still_signed_in",
            sign_in="/api/auth/login",
            leave_authority="https://login.microsoftonline.com/common/oauth2/v2.0/logout",
        ),
        "signed_out_unknown": pages.signed_out(here=False, at_authority="unknown", sign_in="/api/auth/login"),
        "sign_in": pages.sign_in(sign_in="/api/auth/login"),
        "sign_in_after_loop": pages.sign_in(sign_in="/api/auth/login", interrupted="loop"),
        "debug": pages.render(
            "debug.html",
            sign_out="/api/auth/logout",
            csrf_token="t",
            sections={
                "This browser": {"signed in": "yes, as Mia Member", "since": "2026-11-21 10:00:00 UTC"},
                "Authority": {"issuer": "https://login.microsoftonline.com/e7712ada-0001-4000-8000-000000000001/v2.0"},
            },
        ),
        "onboarding": pages.onboarding(begin="/api/auth/onboarding/begin", approved_later=True, home="/"),
        "onboarded_in": pages.onboarded("in", tenant_id=TENANT, home="/"),
        "onboarded_waiting": pages.onboarded("waiting", tenant_id=TENANT, home="/"),
        "onboarded_out": pages.onboarded("out", tenant_id=TENANT, home="/"),
        "sessions": pages.sessions(SHOWN, **TO_SESSIONS),
        "sessions_only_this": pages.sessions(SHOWN[:1], **TO_SESSIONS),
        "sign_in_without_cookies": pages.sign_in(sign_in="/api/auth/login", interrupted="cookies"),
    }
