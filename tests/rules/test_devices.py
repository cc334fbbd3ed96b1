"""What devices are called."""

import pytest

from entrada.web.pages.devices import device

MOZILLA = "Mozilla/5.0"
KHTML = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (f"{MOZILLA} (Windows NT 10.0; Win64; x64) {KHTML} Chrome/141.0.0.0 Safari/537.36", "Chrome on Windows"),
        (f"{MOZILLA} (Windows NT 10.0; Win64; x64) {KHTML} Chrome/141.0 Safari/537.36 Edg/141.0", "Edge on Windows"),
        (f"{MOZILLA} (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
        (f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) {KHTML} Version/26.0 Safari/605.1.15", "Safari on a Mac"),
        (f"{MOZILLA} (iPhone; CPU iPhone OS 18_6 like Mac OS X) {KHTML} Version/26.0 Mobile Safari/604.1",
         "Safari on iPhone"),
        (f"{MOZILLA} (iPhone; CPU iPhone OS 18_6 like Mac OS X) {KHTML} CriOS/141.0 Mobile Safari/604.1",
         "Chrome on iPhone"),
        (f"{MOZILLA} (Linux; Android 10; K) {KHTML} Chrome/141.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        (f"{MOZILLA} (Linux; Android 10; K) {KHTML} SamsungBrowser/29.0 Chrome/136.0 Mobile Safari/537.36",
         "Samsung Internet on Android"),
        (f"{MOZILLA} (X11; CrOS x86_64 14541.0.0) {KHTML} Chrome/141.0.0.0 Safari/537.36", "Chrome on ChromeOS"),
        (f"{MOZILLA} (X11; Linux x86_64) {KHTML} HeadlessChrome/141.0 Safari/537.36",
         "Headless Chrome on Linux"),
        ("curl/8.14.1", "curl"),
        (f"{MOZILLA} (Android 15)", "A browser on Android"),
        ("", "A browser we do not know"),
        (None, "A browser we do not know"),
        ("<script>alert(1)</script>", "A browser we do not know"),
    ],
)  # fmt: skip
def test_people_recognise_their_devices(user_agent: str | None, name: str) -> None:
    """A browser and what it runs on, in our words: nothing of what was sent is repeated (SEC-177)."""
    assert device(user_agent) == name
