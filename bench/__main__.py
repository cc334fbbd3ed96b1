"""`python -m bench [parts] [asgi] [http] [stores] [storm] [audit] [proxy]`: print these tables, or all of them."""

import sys
from importlib import import_module

SECTIONS = {
    "parts": "parts",
    "asgi": "in_process",
    "http": "over_http",
    "stores": "stores",
    "storm": "storm",
    "audit": "audit",
    "proxy": "passing_on",
}

if __name__ == "__main__":
    chosen = sys.argv[1:] or list(SECTIONS)
    if unknown := set(chosen) - set(SECTIONS):
        sys.exit(f"no such section: {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    for section in chosen:
        print(f"==> {section}", file=sys.stderr)
        import_module(f"bench.{SECTIONS[section]}").measure()  # no section needs what only another one compares with
