"""Pure ASGI layers."""
