"""What to call a device by its user agent, so that people recognise it: a hint for the eye, and for nothing else.

Browsers say little and much of it untrue: all say Mozilla, most say Chrome and Safari too. So the tables are in order,
and the first word that is found counts.
"""

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex Browser"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Headless Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
    ("curl/", "curl"),
    ("python-", "A Python program"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "a Mac"),
    ("Linux", "Linux"),
)
UNKNOWN = "A browser we do not know"


def device(user_agent: str | None) -> str:
    """Return the browser and what it runs on, such as `Firefox on Windows`; a sentence of ours when it says neither."""
    said = user_agent or ""
    browser = _first(BROWSERS, said)
    system = _first(SYSTEMS, said)
    if browser and system:
        return f"{browser} on {system}"
    return browser or (f"A browser on {system}" if system else UNKNOWN)


def handheld(user_agent: str | None) -> bool:
    """Say whether it is a phone or a tablet, by the same words."""
    return _first(SYSTEMS, user_agent or "") in {"iPhone", "iPad", "Android"}


def _first(table: tuple[tuple[str, str], ...], said: str) -> str | None:
    return next((name for word, name in table if word in said), None)
