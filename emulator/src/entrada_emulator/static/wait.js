// Asks every two seconds whether the phone has answered, then loads the page anew, which shows the next step.
const waiting = document.querySelector("form[data-wait]");

async function look() {
  try {
    const answer = await fetch(waiting.dataset.wait, { cache: "no-store" });
    if (!answer.ok || (await answer.json()).answered) {
      location.reload();
      return;
    }
  } catch {
    // The emulator may be restarting; the button still works.
  }
  setTimeout(look, 2000);
}

setTimeout(look, 2000);
