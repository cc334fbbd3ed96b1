"""The emulator's pages: own templates, own style, and headers that let nothing foreign in."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

HERE = Path(__file__).parent
STATIC = "/emulator/static"
SECONDS_SHOWN_FINELY = 10
LOOPBACK = ("http://localhost:*", "https://localhost:*", "http://127.0.0.1:*", "https://127.0.0.1:*")


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with the last answer, in words; `field` is the id of the input it is about."""

    text: str
    field: str | None = None
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What one page may do beyond showing itself; its Content-Security-Policy refuses everything else."""

    leads_to: tuple[str, ...] = ()
    """URIs that its forms may end at, through redirects."""
    frames: tuple[str, ...] = ()
    """URIs that it shows in frames."""
    scripts: bool = False
    frameable: bool = False
    """Whether an application may show it in a hidden frame: only the page that hands an answer on."""

    def header(self) -> str:
        """The value of the Content-Security-Policy header."""
        rules = {
            "default-src": ["'none'"],
            "style-src": ["'self'"],
            "img-src": ["'self'"],
            "base-uri": ["'none'"],
            "form-action": ["'self'", *_sources(self.leads_to)],
            "script-src": ["'self'"] if self.scripts else [],
            "connect-src": ["'self'"] if self.scripts else [],
            "frame-src": _sources(self.frames),
            "frame-ancestors": [] if self.frameable else ["'none'"],
        }
        return "; ".join(f"{name} {' '.join(sources)}" for name, sources in rules.items() if sources)


def render(template: str, *, policy: Policy = Policy(), status: int = 200, **context: Any) -> HTMLResponse:
    """One page, never stored by a cache and never framed unless the policy says so."""
    headers = {
        "content-security-policy": policy.header(),
        "cache-control": "no-store",
        "pragma": "no-cache",
        "referrer-policy": "strict-origin",
        "x-content-type-options": "nosniff",
    }
    if not policy.frameable:
        headers["x-frame-options"] = "DENY"
    return HTMLResponse(_environment().get_template(template).render(context), status, headers)


def said(heading: str, text: str, *, status: int, onward: tuple[str, str] | None = None) -> HTMLResponse:
    """A page that says why there is no other; `onward` is an address of ours and what the link to it says."""
    return render("said.html", status=status, heading=heading, text=text, onward=onward)


def form_post(target: str, fields: Mapping[str, str]) -> HTMLResponse:
    """The page that posts an answer to the redirect URI: by itself, or by its button where scripts are off."""
    policy = Policy(leads_to=(target,), scripts=True, frameable=True)
    return render("form_post.html", policy=policy, target=target, fields=list(fields.items()))


def qr_code(text: str) -> Markup:
    """The text as an inline SVG picture with the quiet zone that cameras need."""
    return Markup(  # noqa: S704 - segno draws modules only; the text itself is not in the markup
        segno.make(text, micro=False).svg_inline(
            scale=1, border=4, light="#fff", dark="#000", omitsize=True, title="QR code for an authenticator app"
        )
    )


def static_files() -> Mount:
    """Serves the style, the scripts and the icon."""
    return Mount(STATIC, StaticFiles(directory=HERE / "static"), name="static")


def _sources(uris: tuple[str, ...]) -> list[str]:
    found = {source: None for uri in uris for source in _sources_of(uri)}
    return list(found)


def _sources_of(uri: str) -> tuple[str, ...]:
    """The CSP sources that let a form end at this URI.

    Chromium applies `form-action` to every redirect that follows, the application's own included. An application on
    localhost often hands on to its frontend on another port, so every loopback port is let through for it.
    """
    parts = urlsplit(uri)
    if parts.scheme not in {"http", "https"}:
        return (f"{parts.scheme}:",)
    if parts.hostname in {"localhost", "127.0.0.1"}:
        return LOOPBACK
    return (f"{parts.scheme}://{parts.netloc}",)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["static"] = _static_url
    environment.filters["initials"] = _initials
    environment.filters["grouped"] = _grouped
    environment.filters["ticked"] = _ticked
    environment.filters["span"] = _span
    return environment


@cache
def _static_url(name: str) -> str:
    digest = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]
    return f"{STATIC}/{name}?v={digest}"


def _initials(name: str) -> str:
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def _grouped(secret: str) -> str:
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def _ticked(text: str) -> Markup:
    """Text with what stands between backticks as code."""
    parts = [f"<code>{escape(part)}</code>" if at % 2 else escape(part) for at, part in enumerate(text.split("`"))]
    return Markup("".join(parts))  # noqa: S704 - every part is escaped


def _span(seconds: float) -> str:
    """A time after the beginning, as precise as it means something."""
    if seconds < SECONDS_SHOWN_FINELY:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
