"""Everything that people meet: one list of routes for the application to mount."""

from entrada_emulator.endpoints import adminconsent, authorize, devicelogin, login, logout, phone, start
from entrada_emulator.pages import static_files

routes = [
    *start.routes,
    *phone.routes,
    static_files(),
    *devicelogin.routes,
    *authorize.routes,
    *login.routes,
    *logout.routes,
    *adminconsent.routes,
]
