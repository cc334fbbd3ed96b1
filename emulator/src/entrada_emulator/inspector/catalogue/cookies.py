"""What each cookie of the emulator is for."""

from entrada_emulator.signing_in.visit import BROWSER, CUSTOMER_SSO, SSO

COOKIES = {
    SSO: "Single sign-on: stands for the people who are signed in at this browser. Entra has it, applications do not.",
    CUSTOMER_SSO: "The same for customers of a B2C tenant, kept apart from employees.",
    BROWSER: "Binds each sign-in attempt to the browser that began it, so that nobody can finish another's.",
}
ATTRIBUTES = {
    "httponly": "no script can read it",
    "secure": "travels on https only",
    "samesite=lax": "other sites bring it along only when they lead here by a link or redirect",
    "path=/": "for every page of the host",
}
FOREIGN = "Not one of Entra's; the browser sends it because it is for this host."
"""On localhost every port gets every cookie, so an application's may come along."""
