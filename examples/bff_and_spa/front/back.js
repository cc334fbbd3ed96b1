// What runs in MSAL's window when it comes back: it hands the answer to the page that waits for it, and closes.

import { broadcastResponseToMainFrame } from "@azure/msal-browser/redirect-bridge";

broadcastResponseToMainFrame().catch(() => {
  document.querySelector("p").textContent = "Nobody waits for this window. You can close it.";
});
