// What both halves share, and the half that goes through the backend. It needs no library and is served as it is.

const STEP = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 140; // milliseconds

/** Light up the steps of the diagram with these numbers, one after the other. */
export async function happened(...numbers) {
  for (const number of numbers) {
    const step = document.getElementById(`step-${number}`);
    step.classList.remove("lit");
    void step.offsetWidth; // so that a step that was lit before lights up again
    step.classList.add("lit");
    if (STEP) await new Promise((resolve) => setTimeout(resolve, STEP));
  }
}

/** Put out the steps from one number to another: they are about to happen anew. */
export function forget(first, last) {
  for (let number = first; number <= last; number++) {
    document.getElementById(`step-${number}`).classList.remove("lit");
  }
}

/** Give the parts of one half: `part("answer")` is its element marked so. */
export const half = (id) => (name) => document.querySelector(`#${id} [data-part="${name}"]`);

/** Say something about a half to the person, and to a screen reader. */
export function say(part, text) {
  part("answer").textContent = text;
}

/** Put what the resource API answered into words. */
export const inWords = ({ orders, for: name }) => `Orders of ${name}: ${orders.join(", ")}.`;

const bff = half("bff");

async function askThroughBackend() {
  forget(12, 20);
  happened(12);
  const answer = await fetch("/protected/orders", { headers: { Accept: "application/json" } });
  if (answer.status === 401) return say(bff, "The session has ended. Sign in again.");
  if (!answer.ok) return say(bff, "The backend has no answer from the API. Ask again in a moment.");
  const { token, answer: orders } = await answer.json();
  const renewed = token === "identity_provider";
  await happened(13, ...(renewed ? [17, 18, 19] : []), 14, 15, renewed ? 20 : 16);
  const source = renewed ? "was renewed for this" : "came from the session";
  say(bff, `${inWords(orders)} The token ${source}; this page never saw it.`);
}

if (bff("ask")) {
  happened(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
  bff("ask").addEventListener("click", () => askThroughBackend().catch((fault) => say(bff, `${fault}`)));
}
