// The only script of Run here that a page loads before the click. It is a classic script, because
// a module does not start from a local file, and the reader should be told why.

const script = document.currentScript;
const base = new URL(".", script.src);
const button = document.querySelector("button[data-run-here]");
const MARK = "labs.run-here";

function remembered() {
  try {
    const page = sessionStorage.getItem(MARK);
    sessionStorage.removeItem(MARK);
    return page === location.pathname;
  } catch {
    return false;
  }
}

// A service worker can isolate the page (Stop then keeps variables). It takes effect on the next
// load, so the page is loaded once more, and goes on from the click.
async function isolated() {
  if (!ISOLATE || self.crossOriginIsolated || !navigator.serviceWorker) return true;
  if (navigator.serviceWorker.controller) return true;
  try {
    const root = new URL("..", base);
    await navigator.serviceWorker.register(new URL("mini-coi.js", root), { scope: root.pathname });
    await navigator.serviceWorker.ready;
    sessionStorage.setItem(MARK, location.pathname);
  } catch {
    return true;
  }
  location.reload();
  return false;
}

if (button) {
  const status = document.createElement("span");
  status.className = "labs-run-status";
  status.setAttribute("role", "status");
  status.setAttribute("aria-live", "polite");
  button.after(status);
  button.hidden = false;
  const say = (text) => {
    status.textContent = text;
  };
  const start = async () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    if (location.protocol === "file:") {
      say(
        "Python runs only in a page that comes from a server, not from a file. " +
          "Start one with “labs start”, or read the book where it is published.",
      );
      return;
    }
    button.setAttribute("aria-disabled", "true");
    say("Starting Python …");
    if (!(await isolated())) return;
    try {
      const page = await import(new URL(`${RELEASE}/page.js`, base).href);
      await page.start({ button, say, root: new URL("..", base) });
    } catch (error) {
      button.removeAttribute("aria-disabled");
      say(`Python could not be started: ${error.message}`);
    }
  };
  button.addEventListener("click", start);
  if (remembered()) start();
}
