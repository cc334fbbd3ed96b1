"""The client that reaches an emulator in process; MSAL takes it as `http_client`."""

from collections.abc import Mapping
from typing import Any

import httpx2
from starlette.testclient import TestClient


class HttpClient(TestClient):
    """A test client that takes forms as `requests` does: MSAL's certificate assertion is bytes, not text."""

    def post(self, url: Any, *, data: Any = None, **options: Any) -> httpx2.Response:
        """Posts; bytes among the form's values are ASCII text."""
        if isinstance(data, Mapping):
            data = {name: value.decode("ascii") if isinstance(value, bytes) else value for name, value in data.items()}
        return super().post(url, data=data, **options)
