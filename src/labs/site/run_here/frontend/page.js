// Makes the code cells of a page editable and runs them in a worker.

import { Cell } from "./cell.js";
import { Session } from "./session.js";

export async function start({ button, say, root }) {
  const here = new URL(".", import.meta.url);
  await styled(new URL("run.css", here));
  const manifest = await (await fetch(new URL("manifest.json", here))).json();
  const page = location.pathname.slice(root.pathname.length) || "index.html";

  const hint = document.createElement("p");
  hint.id = "labs-run-hint";
  hint.className = "labs-run-hint";
  hint.textContent =
    "Shift+Enter runs a cell. Tab indents; to leave an editor, press Escape, then Tab.";
  const restart = document.createElement("button");
  restart.type = "button";
  restart.className = "labs-run-button";
  restart.textContent = "Restart";
  button.after(restart);
  restart.parentElement.append(hint);

  const cells = [];
  const session = new Session({ here, manifest, say, cells });
  for (const element of document.querySelectorAll(".cell")) {
    const source = element.querySelector(".cell_input pre");
    if (source) cells.push(new Cell({ element, source, session, page, number: cells.length + 1 }));
  }
  restart.addEventListener("click", () => session.restart());
  session.boot();
  // One result without a further click shows that Python is there; it is mostly the imports.
  const first = cells.find((cell) => !cell.tags.includes("needs-desktop"));
  if (first) await first.run();
}

function styled(address) {
  return new Promise((done) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = address;
    link.onload = link.onerror = done;
    document.head.append(link);
  });
}
