// The progress page: shows, exports, imports and clears what this browser remembers.
import { clear, merge, parse, read, text, write } from "./store.js";

const WORDS = { hinted: "looked at hints", tried: "tried", solved: "done" };
const list = document.querySelector(".labs-progress");
const places = [...list.querySelectorAll("[data-progress]")];

const bar = document.createElement("div");
bar.className = "actions";
const status = document.createElement("p");
status.setAttribute("role", "status");
status.className = "progress-status";
list.before(bar, status);

function show() {
  const done = read();
  for (const place of places) {
    const entry = done[place.dataset.progress];
    place.dataset.state = entry?.state ?? "none";
    place.textContent = WORDS[entry?.state] ?? "not started";
  }
  const solved = places.filter((place) => place.dataset.state === "solved").length;
  status.textContent = `${solved} of ${places.length} done in this browser.`;
}

function add(label, action) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = label;
  button.addEventListener("click", action);
  bar.append(button);
  return button;
}

add("Export", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text(read())], { type: "application/json" }));
  link.download = "trust-tested-progress.json";
  link.click();
  URL.revokeObjectURL(link.href);
});

const file = document.createElement("input");
file.type = "file";
file.accept = ".json,application/json";
file.hidden = true;
file.setAttribute("aria-label", "Progress file");
file.addEventListener("change", async () => {
  const [chosen] = file.files;
  file.value = "";
  if (!chosen) return;
  try {
    const fresh = parse(await chosen.text());
    if (!write(merge(read(), fresh))) throw new Error("This browser does not store anything.");
    show();
    status.textContent += ` ${Object.keys(fresh).length} entries were read from the file.`;
  } catch (error) {
    status.textContent = `${error.message} Nothing was changed.`;
  }
});
add("Import", () => file.click());
bar.append(file);

add("Forget everything", () => {
  if (confirm("Forget all progress and answers in this browser?")) clear();
});

addEventListener("labs:progress", show);
addEventListener("storage", show);
show();
