"""Measurements beside bare FastAPI and the peers, as ratios. No test asserts any of them."""
