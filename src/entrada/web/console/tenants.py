"""`GET /admin/tenants`: the organisations whose people may come in, or ask to, where there are several."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from entrada.errors import NotFound
from entrada.events import Outcome
from entrada.flows.admin.suspension import TenantSessions
from entrada.flows.admin.tenancy import Decision, KnownTenant, Tenancy
from entrada.flows.signing_in.admission import LET_IN
from entrada.web.console.places import ADMIN
from entrada.web.console.shell import show
from entrada.web.console.way_in import Page, Visit
from entrada.web.context import House
from entrada.web.embedding import PRIVATE
from entrada.web.pages.moments import moment
from entrada.web.routes.login import SEE_OTHER

TENANTS = f"{ADMIN}/tenants"
DONE: Mapping[str, str] = {
    "approved": "Approved. The people of that organisation can sign in.",
    "suspended": "Suspended. Nobody of that organisation signs in any more, and what they had open has ended.",
}
WORDS: Mapping[str | None, str] = {
    None: "Let in by the settings",
    "requested": "Asked to be let in",
    "consented": "Its administrator has consented",
    "approved": "Approved",
    "suspended": "Suspended",
}
LET_IN_BY = {"off": "Nobody is let in by being on-boarded: the settings name who is.",
             "consent": "The consent of its administrator lets an organisation in.",
             "approval": "An organisation is let in once you approve it."}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TenantShown:
    """One line of the page."""

    tenant_id: str
    known_by: str
    """Who brought it in, or why it is here: an organisation's own name is not told to us."""
    standing: str
    mark: Outcome
    """Whether its people may come in: yes, not yet, no."""
    since: str
    may_be_approved: bool
    is_suspended: bool


async def tenants(visit: Visit) -> Response:
    """Show every organisation that we know of."""
    tenancy = tenancy_of(visit.house)
    found = await tenancy.all() if tenancy else []
    return show(
        visit,
        "tenants.html",
        section="Tenants",
        heading="Tenants",
        several=tenancy is not None,
        tenants=[shown(each, visit.house) for each in found],
        rule=LET_IN_BY[visit.house.settings.onboarding],
        own=visit.desk.person.tenant_id,
        path=TENANTS,
        done=DONE.get(visit.request.query_params.get("done", "")),
    )


def shown(tenant: KnownTenant, house: House) -> TenantShown:
    """Return what the page shows of an organisation."""
    settings = house.settings
    named = tenant.tenant_id in map(str.lower, settings.tenants) or settings.any_tenant
    let_in = tenant.status != "suspended" and (named or tenant.status in LET_IN[settings.onboarding])
    nobody = "Named by the settings" if tenant.status is None else "Nobody has on-boarded it"
    return TenantShown(
        tenant_id=tenant.tenant_id,
        known_by=f"Brought in by {tenant.contact}" if tenant.contact else nobody,
        standing=WORDS[tenant.status],
        mark="failure" if tenant.status == "suspended" else "success" if let_in else "denied",
        since=moment(tenant.changed_at) if tenant.changed_at else "",
        may_be_approved=tenant.status in {"requested", "consented", "suspended"},
        is_suspended=tenant.status == "suspended",
    )


def decides(decision: Decision) -> Page:
    """Return the page of a button that decides so."""

    async def page(visit: Visit) -> Response:
        tenancy = tenancy_of(visit.house)
        if tenancy is None:
            raise NotFound("there is one tenant")
        await tenancy.decide(visit.request.path_params["tenant_id"], decision, by=visit.desk.actor)
        return RedirectResponse(f"{TENANTS}?done={decision}", SEE_OTHER, headers=PRIVATE)

    return page


def tenancy_of(house: House) -> Tenancy | None:
    """Return who decides about tenants; None where the authority is for one."""
    admission = house.people.admission
    if admission is None:
        return None
    sessions = TenantSessions(house.people.directory, house.endings.end_all_of, clock=house.clock)
    listed, events, clock = house.settings.tenants, house.events, house.clock
    trail, bearers = house.audit.trail, house.bearers
    return Tenancy(admission.table, trail, sessions, bearers, listed=listed, events=events, clock=clock)
