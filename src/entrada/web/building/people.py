"""What is known of people, their devices and their tenants, built from the settings; nothing is asked yet."""

from collections.abc import Iterator
from dataclasses import dataclass

from entrada.background import Chore
from entrada.clock import Clock
from entrada.events import Events
from entrada.flows.admin.followed import EVERY as FOLLOW_EVERY
from entrada.flows.admin.followed import Marks, Owners, PeopleChanges
from entrada.flows.admin.suspension import LOOK_EVERY, Suspensions, TenantSessions
from entrada.flows.bearer import Bearers
from entrada.flows.signing_in.admission import Admission
from entrada.flows.signing_in.profiles import Profiles
from entrada.flows.signing_in.provisioning import Provision, Provisioning
from entrada.flows.signing_out.endings import Endings
from entrada.keyring import KeyRing
from entrada.provider.tenants import Tenants
from entrada.settings import Settings
from entrada.users.database import Database
from entrada.users.devices import Devices
from entrada.users.directory import Directory
from entrada.users.photos import Photos
from entrada.users.tenants import TenantTable
from entrada.web.building.ways_out import WaysOut
from entrada.well_known import MANY_TENANTS


@dataclass(frozen=True, slots=True)
class People:
    """The parts that know people."""

    database: Database
    directory: Directory
    photos: Photos
    devices: Devices
    provisioning: Provisioning
    profiles: Profiles

    @property
    def admission(self) -> Admission | None:
        """Who decides about tenants; None where the authority is for one."""
        return self.provisioning.admission

    def chores(
        self, endings: Endings, bearers: Bearers, *, owners: Owners | None, marks: Marks | None, clock: Clock
    ) -> Iterator[Chore]:
        """Give what goes on beside the requests: what other workers change of people and tenants is followed."""
        changes = PeopleChanges(self.database, bearers, endings, clock=clock, owners=owners, marks=marks)
        yield Chore("people", FOLLOW_EVERY, changes.once)
        if self.admission is not None:
            sessions = TenantSessions(self.directory, endings.end_all_of, clock=clock)
            yield Chore("tenants", LOOK_EVERY, Suspensions(self.admission, self.directory, sessions, bearers).once)


def people_of(
    settings: Settings,
    database: Database,
    ring: KeyRing,
    provision: Provision | None,
    outside: WaysOut,
    *,
    events: Events,
) -> People:
    """Return the parts; who admits tenants is one of them where the authority is for many."""
    directory = Directory(database)
    many = (settings.tenant_id or "").lower() in MANY_TENANTS
    admission = Admission(TenantTable(database), Tenants.from_settings(settings), settings.onboarding, events)
    provisioning = Provisioning(directory, provision, admission=admission if many else None)
    photos = Photos(database)
    profiles = Profiles(directory, photos, outside.client, outside.profiles, clock=outside.clock)
    return People(database, directory, photos, Devices(database, ring), provisioning, profiles)
