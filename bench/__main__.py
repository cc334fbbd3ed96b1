"""`python -m bench [parts] [asgi] [http] [stores] [storm] [audit]`: print these tables; all when none is named."""

import sys

from bench import audit, in_process, over_http, parts, stores, storm

SECTIONS = {
    "parts": parts.measure,
    "asgi": in_process.measure,
    "http": over_http.measure,
    "stores": stores.measure,
    "storm": storm.measure,
    "audit": audit.measure,
}

if __name__ == "__main__":
    chosen = sys.argv[1:] or list(SECTIONS)
    if unknown := set(chosen) - set(SECTIONS):
        sys.exit(f"no such section: {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    for section in chosen:
        print(f"==> {section}", file=sys.stderr)
        SECTIONS[section]()
