"""Whether the application answers under the address that people type."""

from collections.abc import Iterable

from entrada.cli.doctor.patient import Patient
from entrada.cli.findings import Finding
from entrada.errors import AuthorityUnavailable
from entrada.provider.egress import Answer, Egress
from entrada.provider.network import NetworkTransport, trusted_certificates

OK, BAD_REQUEST = 200, 400
SECONDS = 5.0
PROXY = "have the proxy pass the Host header on as it is, and name it in ENTRADA_BASE_URL or ENTRADA_HOSTS"
RECEIVER = (
    "check ENTRADA_AUDIT_WEBHOOK_URL, the way there, its certificate and, for an address of the house, private_networks"
)
START = "start the application, and check the name, the proxy before it and its certificate"


async def base_url(patient: Patient) -> Iterable[Finding]:
    """`/health` answers under base_url: the name resolves, TLS is trusted, and the host check lets it through."""
    address = f"{patient.settings.base_url}/health"
    network = NetworkTransport(trust=trusted_certificates(patient.settings.ca_file), private_addresses_allowed=True)
    egress = Egress(transport=network, private_addresses_allowed=True, total_seconds=SECONDS)
    try:
        return [answered(address, await egress.get(address))]
    except AuthorityUnavailable as outage:
        told = f"{address} is not reached from here: {outage}"
        return [Finding("base_url", "fails" if patient.settings.production else "unknown", told, START)]
    finally:
        await egress.aclose()


async def audit_webhook(patient: Patient) -> Iterable[Finding]:
    """The receiver of the audit log is there and may be called; it is sent nothing, and what it answers is its own."""
    if patient.settings.audit_webhook is None:
        return [Finding("audit_webhook", "passes", "the audit log is sent nowhere")]
    try:
        answer = await patient.outside.egress.get(patient.settings.audit_webhook[0])
    except AuthorityUnavailable as outage:
        return [Finding("audit_webhook", "fails", str(outage), RECEIVER)]
    return [Finding("audit_webhook", "passes", f"reached (it answers {answer.status} to a GET)")]


def answered(address: str, answer: Answer) -> Finding:
    """Judge the answer to a look at `/health`."""
    if answer.status == OK and _is_ours(answer):
        return Finding("base_url", "passes", f"{address} answers")
    if answer.status == BAD_REQUEST:
        return Finding("base_url", "fails", f"{address}: the application refuses the host of the request", PROXY)
    told = f"{address}: something else answers there ({answer.status})"
    return Finding("base_url", "fails", told, "set ENTRADA_BASE_URL to the application's own origin")


def _is_ours(answer: Answer) -> bool:
    try:
        return answer.json_object() == {"status": "ok"}
    except AuthorityUnavailable:
        return False
