// Goes on to the application once the page and its sign-out frames have loaded, after three seconds at most.
const link = document.querySelector("a[data-leave]");

function leave() {
  location.replace(link.href);
}

if (link) {
  addEventListener("load", leave, { once: true });
  setTimeout(leave, 3000);
}
