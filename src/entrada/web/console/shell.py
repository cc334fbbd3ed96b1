"""What surrounds each page of the console: where one can go, and who one is."""

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from entrada.web.console.places import ACCOUNT, ADMIN
from entrada.web.console.way_in import Visit
from entrada.web.pages.assets import assets

SECTIONS = (
    ("Overview", ADMIN),
    ("People", f"{ADMIN}/users"),
    ("Audit log", f"{ADMIN}/audit"),
    ("Tenants", f"{ADMIN}/tenants"),
    ("System", f"{ADMIN}/system"),
)
OPERATORS = frozenset({"Tenants", "System"})
LONGEST_ASKED = 200  # characters
SAME_ORIGIN = {"referrer-policy": "same-origin"}  # a browser without Sec-Fetch-Site says where its forms come from


@dataclass(frozen=True, slots=True)
class Section:
    """One way in the bar."""

    label: str
    href: str
    current: bool


def show(visit: Visit, template: str, /, *, section: str, heading: str, **values: Any) -> Response:
    """Answer with a page of the console; `section` is the label of the one that it belongs to."""
    house = visit.house
    return house.pages.render(
        f"console/{template}",
        headers=SAME_ORIGIN,
        sections=[
            Section(label, href, label == section)
            for label, href in SECTIONS
            if label not in OPERATORS or visit.sees_everybody
        ],
        heading=heading,
        here=ADMIN,
        account=ACCOUNT,
        who=visit.session.user.name or visit.session.user.username or "My account",
        sign_out=house.path("logout"),
        csrf_token=visit.context.csrf_token,
        console_stylesheet=assets()["console.css"].url,
        **values,
    )


def asked(visit: Visit, name: str, *, most: int = LONGEST_ASKED) -> str:
    """Return what the address says of this, without what is no text; empty when it says nothing."""
    said = visit.request.query_params.get(name, "")[:most]
    return "".join(each for each in said if each.isprintable()).strip()


def initials(name: str) -> str:
    """Return the first letters of the first and the last word of a name; a dot of ours where there are none."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[0], *words[1:][-1:])).upper() if words else "·"
