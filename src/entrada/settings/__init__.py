"""Every knob: what there is, what may be wrong with it, and how it is read."""

from entrada.settings.reading import Settings

__all__ = ["Settings"]
