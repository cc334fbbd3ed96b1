"""The pages that people see: templates of ours, each of which an application may replace by one of its own.

A file of the same name in the application's directory replaces ours. Any page may begin with
`{% extends "entrada/base.html" %}`, which always means ours; `docs/pages.md` lists its blocks and classes.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from entrada.web.pages.assets import assets
from entrada.web.pages.compiled import COMPILED
from entrada.web.pages.content_policy import ContentPolicy

OURS = Path(__file__).parent / "templates"
OWN_PAGES = frozenset(
    {
        "error.html",
        "signed_out.html",
        "sign_in.html",
        "sessions.html",
        "debug.html",
        "resume.html",
        "swagger_signed_in.html",
        "onboarding.html",
        "onboarded.html",
    }
)
CONSOLE = "console/"

AtAuthority = Literal["ended", "still_signed_in", "unknown"]
Interruption = Literal["loop", "cookies"]
Outcome = Literal["in", "waiting", "out"]


@dataclass(frozen=True, slots=True)
class Way:
    """A way on from a page: what its button says and where it leads. The first of several stands out."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class SessionShown:
    """One session as its person sees it; `handle` is good for ending it, and for nothing else."""

    handle: str
    current: bool
    new: bool
    """Whether the person had not signed in from this device before."""
    device: str
    """A hint by the user agent, such as `Firefox on Windows`."""
    handheld: bool
    """Whether it is a phone or a tablet, by the same hint."""
    address: str | None
    """Where it was begun."""
    created: str
    last_seen: str
    """How long ago, in words; `last_seen_at` is the same as ISO 8601."""
    last_seen_at: str


def loader(directories: Sequence[Path] = ()) -> BaseLoader:
    """Return a template loader: the application's directories first, then ours, and ours alone as `entrada/…`."""
    ours = FileSystemLoader(OURS)
    return ChoiceLoader([*map(FileSystemLoader, directories), ours, PrefixLoader({"entrada": ours})])


class Pages:
    """Renders pages with everything escaped, each response with a nonce and a content policy of its own.

    Only with `for_operators` do error pages say what is to be mended: strangers must not read it (SEC-177).
    """

    def __init__(
        self,
        templates: Sequence[Path] = (),
        *,
        policy: ContentPolicy | None = None,
        authority_name: str = "Microsoft",
        for_operators: bool = False,
    ) -> None:
        self.authority_name = authority_name
        self._for_operators = for_operators
        self._policy = policy or ContentPolicy()
        self._environment = Environment(
            loader=loader(templates),
            bytecode_cache=COMPILED,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "stylesheet": assets()["entrada.css"].url,
            "icon": assets()["icon.svg"].url,
            "authority_name": authority_name,
        }

    def render(
        self,
        name: str,
        /,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        content_policy: Callable[[ContentPolicy, str], str] | None = None,
        **context: Any,
    ) -> Response:
        """Answer with a template; a name it uses and was not given is an error, never a blank.

        `content_policy` makes the page's policy of its nonce, where it is not that of its kind.
        """
        nonce = secrets.token_urlsafe(16)
        html = self._environment.get_template(name).render({**context, "csp_nonce": nonce})
        usual = ContentPolicy.ours if name in OWN_PAGES or name.startswith(CONSOLE) else ContentPolicy.with_nonce
        policy = (content_policy or usual)(self._policy, nonce)
        fixed = {"content-security-policy": policy, "cache-control": "no-store", "referrer-policy": "no-referrer"}
        return HTMLResponse(html, status, {**fixed, **(headers or {})})

    def error(
        self,
        *,
        status: int,
        title: str,
        happened: str,
        advice: str,
        correlation_id: str,
        ways: Sequence[Way] = (),
        code: str | None = None,
        meaning: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Say what happened, what to do, and the number to quote.

        `code` is one that can be looked up (AADSTS50011), `meaning` our own words on it for whoever runs the
        application, shown in development only; neither may be text that came with the request (SEC-177).
        """
        return self.render(
            "error.html",
            status=status,
            headers=headers,
            title=title,
            happened=happened,
            advice=advice,
            ways=ways,
            correlation_id=correlation_id,
            code=code,
            meaning=meaning if self._for_operators else None,
        )

    def signed_out(
        self,
        *,
        here: bool,
        at_authority: AtAuthority,
        sign_in: str,
        leave_authority: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Say truthfully what has ended: `here`, whether our session did; `at_authority`, what is known of theirs.

        `leave_authority` is where a person still signed in there can end it.
        """
        return self.render(
            "signed_out.html",
            headers=headers,
            here=here,
            at_authority=at_authority,
            sign_in=sign_in,
            leave_authority=leave_authority,
        )

    def sign_in(
        self,
        *,
        sign_in: str,
        interrupted: Interruption | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Offer to sign in, with one button; `interrupted` says why a person was stopped on the way."""
        return self.render("sign_in.html", status=status, headers=headers, sign_in=sign_in, interrupted=interrupted)

    def onboarding(self, *, begin: str, approved_later: bool, home: str) -> Response:
        """Say to an administrator how their organisation is let in; `begin` leads to the authority's consent."""
        return self.render("onboarding.html", begin=begin, approved_later=approved_later, home=home)

    def onboarded(
        self, outcome: Outcome, *, tenant_id: str, home: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Say what came of it, as things are now: the organisation is in, waits for approval, or is out."""
        return self.render("onboarded.html", headers=headers, outcome=outcome, tenant_id=tenant_id, home=home)

    def resume(self, *, address: str, number: str, csrf_token: str, name: str, home: str) -> Response:
        """Send a form on hold again, to `address`, which its `number` stands for.

        The referrer goes to our own origin, so that a browser without Sec-Fetch-Site says where the form comes from.
        """
        return self.render(
            "resume.html",
            headers={"referrer-policy": "same-origin"},
            address=address,
            number=number,
            csrf_token=csrf_token,
            name=name,
            home=home,
        )

    def sessions(
        self, shown: Sequence[SessionShown], *, name: str, path: str, sign_out: str, home: str, csrf_token: str
    ) -> Response:
        """Show where a person is signed in, with a button to end each, and all others; `path` is where they post to.

        The referrer goes to our own origin, so that a browser without Sec-Fetch-Site says where its forms come from.
        """
        return self.render(
            "sessions.html",
            headers={"referrer-policy": "same-origin"},
            shown=shown,
            name=name,
            path=path,
            sign_out=sign_out,
            home=home,
            csrf_token=csrf_token,
        )
