// The audit log goes on by itself while somebody looks at it. Without this script, the page is loaded again by hand.
const button = document.querySelector("[data-follow]");
const rows = document.getElementById("rows");
const EVERY = 2000; // milliseconds between two looks
const LONGEST = 15 * 60 * 1000; // then it stops: nobody stays signed in by a page that was left open
const MOST = 500; // rows kept on the page

if (button && rows) {
  const status = button.parentElement.querySelector("[role=status]");
  let timer, began;

  const say = (text) => { status.textContent = text; };

  const stop = (text) => {
    clearTimeout(timer);
    button.setAttribute("aria-pressed", "false");
    button.textContent = "Follow live";
    say(text);
  };

  const add = (html) => {
    const found = new DOMParser().parseFromString(`<table><tbody>${html}</tbody></table>`, "text/html");
    const fresh = [...found.querySelectorAll("tr")];
    fresh.forEach((row) => row.classList.add("new"));
    rows.prepend(...fresh);
    if (fresh.length) {
      document.getElementById("entries")?.removeAttribute("hidden");
      document.getElementById("nothing")?.remove();
    }
    [...rows.children].slice(MOST).forEach((row) => row.remove());
    return fresh.length;
  };

  const look = async () => {
    if (Date.now() - began > LONGEST) return stop("Stopped after a quarter of an hour.");
    if (!document.hidden) {
      try {
        const separator = button.dataset.follow.includes("?") ? "&" : "?";
        const answer = await fetch(`${button.dataset.follow}${separator}seen=${button.dataset.seen}`, { headers: { accept: "text/html" } });
        if (!answer.ok || answer.redirected) return stop("The log cannot be followed any more. Load the page again.");
        button.dataset.seen = answer.headers.get("x-newest");
        const count = add(await answer.text());
        const more = answer.headers.has("x-left-out") ? "; there were more than are shown" : "";
        if (count) say(`${count} new ${count === 1 ? "entry" : "entries"}${more}`);
      } catch {
        say("No answer; trying again.");
      }
    }
    timer = setTimeout(look, EVERY);
  };

  button.addEventListener("click", () => {
    if (button.getAttribute("aria-pressed") === "true") return stop("");
    button.setAttribute("aria-pressed", "true");
    button.textContent = "Following";
    say("New entries appear on top.");
    began = Date.now();
    look();
  });
  button.parentElement.hidden = false;
}
