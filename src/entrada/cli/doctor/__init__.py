"""`entrada doctor`: looks at everything that a sign-in needs, and says of each what is wrong and what mends it.

Nothing is changed and nobody is signed in; no secret is printed.
"""

import asyncio
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Literal

import typer
from rich.console import Console

from entrada.cli.doctor.authority import authority, consent
from entrada.cli.doctor.credential import accepted
from entrada.cli.doctor.here import cookies, credential_expiry, disk, key_files, limits, profile, redirect_uris
from entrada.cli.doctor.kept import store, users
from entrada.cli.doctor.patient import Check, Patient
from entrada.cli.doctor.reach import audit_webhook, base_url
from entrada.cli.doctor.report import document, show
from entrada.cli.findings import Finding
from entrada.clock import system_clock
from entrada.errors import SettingsRefused
from entrada.logs import NAME
from entrada.settings import Settings
from entrada.settings.doubts import doubts_of
from entrada.web.building.ways_out import WaysOut, lay_ways_out

HERE: tuple[Check, ...] = (profile, cookies, limits, redirect_uris, key_files, credential_expiry, disk)
ELSEWHERE: tuple[Check, ...] = (authority, accepted, consent, base_url, audit_webhook, store, users)
FAILS, CANNOT_RUN = 1, 2

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Offline = Annotated[
    bool, typer.Option("--offline", help="Ask nobody: neither authority, nor stores, nor the application.")
]


def doctor(offline: Offline = False, as_json: Json = False) -> None:
    """Look for what keeps people from signing in: exit status 0 when nothing fails, 1 when something does."""
    try:
        with _quiet():
            findings = asyncio.run(examined(offline=offline))
    except Exception as defect:
        typer.echo(f"The doctor cannot run: {type(defect).__name__}. This is a defect; please report it.", err=True)
        raise typer.Exit(CANNOT_RUN) from defect
    if as_json:
        typer.echo(json.dumps(document(findings), indent=2, ensure_ascii=False))
    else:
        show(findings, Console(highlight=False))
    raise typer.Exit(FAILS if any(each.result == "fails" for each in findings) else 0)


async def examined(*, offline: bool) -> list[Finding]:
    """Return what each check finds; the settings first, for all else rests on them."""
    try:
        settings = Settings.load()
        outside = lay_ways_out(settings, transport=None, client_assertion=None, clock=system_clock)
    except SettingsRefused as refused:
        return [*map(_fault, refused.faults), Finding("all else", "unknown", "needs settings that are right")]
    patient = Patient(settings, outside, clock=system_clock)
    try:
        return [*_settings(settings), *await _each(HERE, patient), *await _asked(patient, offline)]
    finally:
        await _let_go(outside)


async def _asked(patient: Patient, offline: bool) -> list[Finding]:
    if offline:
        return [Finding(check.__name__, "unknown", "needs others: leave out --offline") for check in ELSEWHERE]
    return await _each(ELSEWHERE, patient)


async def _each(checks: Sequence[Check], patient: Patient) -> list[Finding]:
    return [finding for check in checks for finding in await check(patient)]


def _settings(settings: Settings) -> list[Finding]:
    """Return what is in doubt of settings that are complete."""
    doubts = [_told(doubt, "warns") for doubt in doubts_of(settings)]
    return doubts or [Finding("settings", "passes", "complete")]


def _fault(fault: str) -> Finding:
    return _told(fault, "fails")


def _told(told: str, result: Literal["warns", "fails"]) -> Finding:
    """Return one fault or doubt of the settings, which says itself how to mend it."""
    reason, _, mend = told.partition("; ")
    return Finding("settings", result, reason, mend or "as it says")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep our own log still: what there is to say is said once, in the table."""
    logger = logging.getLogger(NAME)
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


async def _let_go(outside: WaysOut) -> None:
    for discovery in outside.discoveries:
        await discovery.aclose()
    await outside.egress.aclose()
    await outside.to_apis.aclose()
