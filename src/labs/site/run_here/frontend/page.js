// Makes the code cells of a page editable and runs them in a worker.

import manifest from "labs-manifest";
import { Cell } from "./cell.js";
import { Session } from "./session.js";

export async function start({ button, say, root }) {
  const here = new URL(".", import.meta.url);
  const page = location.pathname.slice(root.pathname.length) || "index.html";
  const cells = [...document.querySelectorAll(".cell")]
    .map((element) => ({ element, source: element.querySelector(".cell_input pre") }))
    .filter(({ source }) => source)
    .map(({ element, source }, index) => new Cell({ element, source, page, number: index + 1 }));
  // Python takes longest to start; the editors are made meanwhile.
  const session = new Session({ here, manifest, say, cells });
  session.boot();
  await styled(new URL("run.css", here));

  const hint = document.createElement("p");
  hint.id = "labs-run-hint";
  hint.className = "labs-run-hint";
  hint.textContent =
    "Shift+Enter runs a cell. Tab indents; to leave an editor, press Escape, then Tab.";
  const restart = document.createElement("button");
  restart.type = "button";
  restart.className = "labs-run-button";
  restart.textContent = "Restart";
  restart.addEventListener("click", () => session.restart());
  button.after(restart);
  restart.parentElement.append(hint);
  for (const cell of cells) cell.attach(session);

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
