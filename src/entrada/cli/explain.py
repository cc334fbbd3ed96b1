"""`entrada explain`: which named check a token fails and what mends it, or what the authority's error code means."""

import asyncio
import json
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from entrada.cli.explanation import Explanation
from entrada.cli.explanation import explain as explain_token
from entrada.cli.findings import Finding, Kind
from entrada.cli.mends import shown
from entrada.clock import system_clock
from entrada.errors import AuthorityUnavailable, SettingsRefused
from entrada.provider.aadsts import number_in
from entrada.provider.meanings import MEANINGS
from entrada.settings import Settings
from entrada.web.building.ways_out import lay_ways_out

REFUSED, CANNOT_TELL = 1, 2
LONGEST = 256 * 1024  # characters read; no token that is looked into has more than 64 KiB
BEFORE = re.compile(r"^(authorization:\s*)?(bearer\s+)?", re.IGNORECASE)
DIGITS = re.compile(r"[0-9]{4,9}")
PREFIX = re.compile("aadsts", re.IGNORECASE)
SHOWN = ("iss", "aud", "tid", "ver", "azp", "appid", "client_id", "idtyp", "scp", "scope", "roles", "iat", "nbf", "exp")
LOOK_UP = "https://login.microsoftonline.com/error?code="

What = Annotated[str | None, typer.Argument(help="A token, `-` for stdin, or a code such as AADSTS50011.")]
File = Annotated[Path | None, typer.Option("--file", help="A file that holds the token, as `entrada token` writes it.")]
Verify = Annotated[
    bool | None,
    typer.Option("--verify/--offline", help="Whether to ask the authority; by default if there are settings."),
]
KindOption = Annotated[str | None, typer.Option("--kind", help="access or id, where the guess is wrong.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, with all claims.")]


def explain(
    what: What = None, file: File = None, verify: Verify = None, kind: KindOption = None, as_json: Json = False
) -> None:
    """Say what is wrong with a token: exit status 0 when nothing is, 1 when it is refused, 2 when none can tell."""
    text = _given(what, file)
    if code := _code_in(text):
        _tell_code(code, as_json=as_json)
        return
    if kind not in {None, "access", "id"}:
        raise SettingsRefused(["--kind: must be access or id"])
    settings = _settings(verify)
    asking = settings is not None and verify is not False
    chosen: Kind | None = "access" if kind == "access" else "id" if kind == "id" else None
    try:
        explained = asyncio.run(_explained(text, settings, asking=asking, kind=chosen))
    except AuthorityUnavailable as outage:
        typer.echo(f"The authority does not answer, so nobody can tell: {outage}. Try --offline.", err=True)
        raise typer.Exit(CANNOT_TELL) from None
    typer.echo(json.dumps(_as_document(explained), indent=2) if as_json else _as_table(explained))
    raise typer.Exit(REFUSED if explained.verdict == "refused" else 0)


async def _explained(text: str, settings: Settings | None, *, asking: bool, kind: Kind | None) -> Explanation:
    now = system_clock()
    if settings is None or not asking:
        return await explain_token(text, settings, None, kind=kind, now=now)
    outside = lay_ways_out(settings, transport=None, client_assertion=None, clock=system_clock)
    try:
        return await explain_token(text, settings, outside, kind=kind, now=now)
    finally:
        for discovery in outside.discoveries:
            await discovery.aclose()
        await outside.egress.aclose()
        await outside.to_apis.aclose()


def _given(what: str | None, file: Path | None) -> str:
    """Return what is to be explained, without the words of a header around it."""
    if (what is None) == (file is None):
        raise SettingsRefused(["explain: give one token, a code, - for stdin, or --file"])
    try:
        with file.open(encoding="utf-8", errors="replace") if file else sys.stdin as stream:
            text = stream.read(LONGEST) if file or what == "-" else what or ""
    except OSError as error:
        raise SettingsRefused([f"--file: {file}: {error.strerror}"]) from None
    return BEFORE.sub("", text.strip().strip("\"'"), count=1).strip()


def _code_in(text: str) -> str | None:
    """Return the authority's code when this is one, alone or within the authority's own words; a token has neither."""
    if DIGITS.fullmatch(text):
        return f"AADSTS{text}"
    if text in MEANINGS:
        return text
    text = PREFIX.sub("AADSTS", text)
    return number_in(text) if text.count(".") != 2 or " " in text else None  # noqa: PLR2004 - a token has three parts


def _tell_code(code: str, *, as_json: bool) -> None:
    meaning = MEANINGS.get(code)
    look_up = f"{LOOK_UP}{code.removeprefix('AADSTS')}" if code.startswith("AADSTS") else None
    told = {
        "code": code,
        "cause": meaning.cause if meaning else None,
        "person": meaning.mend if meaning else None,
        "operator": meaning.operator if meaning else None,
        "page": meaning.page or None if meaning else None,
        "setting": meaning.setting or None if meaning else None,
        "look_up": look_up,
    }
    if as_json:
        typer.echo(json.dumps(told, indent=2))
    elif meaning:
        typer.echo(f"{code}: {meaning.operator}")
        typer.echo(f"  people read: {meaning.cause} {meaning.mend}")
        if meaning.page:
            portal = "Azure portal" if code.startswith("AADB2C") else "Microsoft Entra admin center"
            typer.echo(f"  where: {portal} › {meaning.page}")
        if meaning.setting:
            typer.echo(f"  setting: ENTRADA_{meaning.setting.upper()}")
    else:
        typer.echo(f"{code}: not one that we know")
    if look_up and not as_json:
        typer.echo(f"  Microsoft on it: {look_up}")
    raise typer.Exit(0 if meaning else CANNOT_TELL)


def _settings(verify: bool | None) -> Settings | None:
    """Return the application's settings; None where there are none that can be used and nothing has to be verified."""
    try:
        return Settings.load()
    except SettingsRefused as refused:
        if verify:
            raise
        if verify is None:
            typer.echo(f"Without the authority, for the settings are not complete:\n{refused}", err=True)
        return None


def _as_table(explained: Explanation) -> str:
    names = {"access": "access token", "id": "ID token", None: "no token that can be read"}
    lines = [names[explained.kind if explained.claims else None]]
    lines += [f"  {name:<10} {shown(name, explained.claims[name])}" for name in SHOWN if name in explained.claims]
    lines.append("")
    for finding in explained.findings:
        lines += _as_lines(finding)
    return "\n".join([*lines, "", _as_sentence(explained)])


def _as_lines(finding: Finding) -> list[str]:
    word = "FAILS" if finding.result == "fails" else finding.result
    line = f"  {word:<8} {finding.check:<24} {finding.reason}".rstrip()
    return [line, f"  {'':<8} {'mend:':>24} {finding.mend}"] if finding.mend and finding.result == "fails" else [line]


def _as_sentence(explained: Explanation) -> str:
    failing = [each.check for each in explained.findings if each.result == "fails"]
    if failing:
        return f"Refused: {', '.join(failing)}."
    if explained.verdict == "accepted":
        return "Accepted: the authority's key signed it and it passes every check that can be made here."
    return "Nothing is wrong with its form and times; whether it is genuine has not been verified."


def _as_document(explained: Explanation) -> dict[str, Any]:
    return {
        "kind": explained.kind,
        "verdict": explained.verdict,
        "checks": [asdict(finding) for finding in explained.findings],
        "claims": explained.claims,
    }
