"""Example B: one page that signs in twice, by cookie through its backend and by bearer token on its own."""
