"""The parts of one application, built from its settings, opened and closed."""
