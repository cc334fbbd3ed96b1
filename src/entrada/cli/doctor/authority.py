"""What only the authority can say: its documents and clock, and what it thinks of our registration."""

from collections.abc import Iterable
from datetime import timedelta
from email.utils import parsedate_to_datetime

from entrada.cli.doctor.here import uris_to_register
from entrada.cli.doctor.patient import Patient
from entrada.cli.doctor.probe import REFUSALS, Probed, probe
from entrada.cli.findings import Finding
from entrada.errors import AuthorityUnavailable
from entrada.flows.signing_in.signin import scopes_of
from entrada.provider.meanings import meaning_of
from entrada.provider.metadata import Metadata

REACH = "check the tenant and the cloud in the settings, the way out (firewall, ENTRADA_CA_FILE), and its status page"
PERMISSIONS = "Entra admin center › App registrations › the application › API permissions"
DATE_IS_ROUNDED = timedelta(seconds=1)  # the header has whole seconds
WARN_OF = timedelta(seconds=10)  # a machine that keeps time by NTP is within milliseconds
NEEDS_IT = "needs the authority"


async def authority(patient: Patient) -> Iterable[Finding]:
    """Metadata and keys can be had and are this authority's, the clocks agree, and it knows our registration."""
    try:
        metadata = await patient.outside.discovery.metadata()
    except AuthorityUnavailable as outage:
        rest = ("keys", "clock", "redirect_uri", "scopes")
        return [
            Finding("discovery", "fails", str(outage), REACH),
            *(Finding(each, "unknown", NEEDS_IT) for each in rest),
        ]
    found = [Finding("discovery", "passes", metadata.issuer), await _keys(patient), await _clock(patient)]
    return [*found, *await _registration(patient, metadata)]


async def _keys(patient: Patient) -> Finding:
    try:
        keys = await patient.outside.discovery.keys()
    except AuthorityUnavailable as outage:
        return Finding("keys", "fails", str(outage), REACH)
    return Finding("keys", "passes", f"{len(keys.keys)} usable")


async def _clock(patient: Patient) -> Finding:
    """Hold this machine's clock against the date of an answer, by the middle of the time that it took."""
    before = patient.now
    try:
        answer = await patient.outside.egress.get(patient.outside.discovery.authority.metadata_url)
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
    except AuthorityUnavailable as outage:
        return Finding("clock", "unknown", str(outage))
    except ValueError:
        return Finding("clock", "unknown", "the authority's answer has no date")
    after = patient.now
    return clocks_agree(theirs - (before + (after - before) / 2), leeway=patient.settings.leeway_seconds)


def clocks_agree(ahead: timedelta, *, leeway: int) -> Finding:
    """Judge how far the authority's clock is ahead of ours: tokens are refused beyond the leeway."""
    apart = max(abs(ahead) - DATE_IS_ROUNDED, timedelta())
    told = f"{apart.total_seconds():.0f} s {'behind' if ahead > timedelta() else 'ahead of'} the authority's"
    mend = "set this machine's clock right, and keep it so with NTP; ENTRADA_LEEWAY_SECONDS forgives up to five minutes"
    if apart > timedelta(seconds=leeway):
        return Finding("clock", "fails", f"{told}, and {leeway} s are forgiven: every sign-in is refused", mend)
    if apart > WARN_OF:
        return Finding("clock", "warns", told, mend)
    return Finding("clock", "passes", "agrees with the authority's" if not apart else told)


async def _registration(patient: Patient, metadata: Metadata) -> list[Finding]:
    """Ask for a sign-in of nobody to each redirect URI; the first answer says what it thinks of the scopes, too."""
    found, scopes = [], Finding("scopes", "unknown", "no sign-in could be asked for")
    for number, (name, uri) in enumerate(uris_to_register(patient.settings)):
        try:
            probed = await probe(patient.outside.egress, metadata, patient.settings, redirect_uri=uri)
        except AuthorityUnavailable as outage:
            found.append(Finding(name, "unknown", str(outage)))
            continue
        found.append(registered(name, uri, probed))
        if number == 0:
            scopes = scopes_taken(probed, " ".join(scopes_of(patient.settings)))
    return [*found, scopes]


def registered(name: str, uri: str, probed: Probed) -> Finding:
    """Judge whether the authority knows the redirect URI."""
    if probed.outcome == "came back":
        return Finding(name, "passes", f"{uri} is registered: a request came back to it")
    if probed.number:
        return Finding(name, "fails", f"{uri}: {_said(probed)}", mend_of(probed, name))
    if probed.outcome == "page" and probed.status in REFUSALS:
        told = f"{uri}: the authority answers {probed.status} and sends nobody back"
        return Finding(name, "fails", told, "register client_id and redirect_uri there, byte for byte")
    return Finding(name, "unknown", f"{uri}: the authority's answer ({probed.status}) does not tell")


def scopes_taken(probed: Probed, scopes: str) -> Finding:
    """Judge whether a request for these scopes is in order, as far as it can be told without a person."""
    if probed.request_is_good:
        return Finding("scopes", "passes", f"{scopes}: a request for them is in order")
    if probed.outcome == "came back" and probed.error:
        return Finding("scopes", "fails", f"{scopes}: {_said(probed)}", mend_of(probed, "scopes"))
    return Finding("scopes", "unknown", f"{scopes}: not before the redirect URI is right")


def _said(probed: Probed) -> str:
    """Return the authority's code and our words for it; nothing of its own text."""
    words = meaning_of(probed.error, aadsts=probed.number).operator
    return ": ".join(each for each in (probed.number or "", words) if each)


def mend_of(probed: Probed, setting: str) -> str:
    """Return where to mend a refusal: what the catalogue knows of its code."""
    return meaning_of(probed.error, aadsts=probed.number).where or f"check {setting} and the registration"


async def consent(patient: Patient) -> Iterable[Finding]:
    """What people, or an administrator for them, have agreed to shows when somebody signs in, and not before."""
    scopes = " ".join(patient.settings.sign_in_scopes)
    if not scopes or patient.settings.issuer:
        return [Finding("consent", "passes", "nothing is asked for that an administrator would have to grant")]
    where = f"{PERMISSIONS} shows what is granted; `Grant admin consent` there asks nobody any more"
    return [Finding("consent", "unknown", f"{scopes}: known only when somebody signs in", where)]
