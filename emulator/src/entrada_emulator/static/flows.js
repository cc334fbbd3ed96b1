// Draws the page anew when something has happened; what is open stays open, and nothing moves while text is selected.
const page = document.querySelector("[data-changes]");
const EVERY = 1000;

async function look() {
  try {
    if (!document.hidden && getSelection().isCollapsed) {
      const answer = await fetch(page.dataset.news, { cache: "no-store" });
      if (answer.ok && String((await answer.json()).changes) !== page.dataset.changes) await renew();
    }
  } catch {
    // The emulator may be restarting.
  }
  setTimeout(look, EVERY);
}

async function renew() {
  const answer = await fetch(location.href, { cache: "no-store" });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-changes]");
  if (!answer.ok || !fresh) return;
  for (const old of page.querySelectorAll("details[id]")) {
    const same = fresh.querySelector(`#${CSS.escape(old.id)}`);
    if (same) same.open = old.open;
  }
  const focused = page.contains(document.activeElement) ? document.activeElement.closest("details[id], a[href]") : null;
  page.replaceChildren(...fresh.childNodes);
  page.dataset.changes = fresh.dataset.changes;
  if (focused?.id) page.querySelector(`#${CSS.escape(focused.id)} > summary`)?.focus({ preventScroll: true });
  else if (focused) page.querySelector(`a[href="${CSS.escape(focused.getAttribute("href"))}"]`)?.focus({ preventScroll: true });
}

if (page) setTimeout(look, EVERY);
