// What a page gains when scripts run; nothing here is needed to read it.
import { record } from "./store.js";

const root = document.documentElement;
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

function stored(key, fallback) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? fallback;
  } catch {
    return fallback;
  }
}

function keep(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A browser that stores nothing still shows the page.
  }
}

// Theme: as the device, light, dark.
const THEMES = { auto: "as your device", light: "light", dark: "dark" };
const button = document.querySelector("button.theme");
function showTheme() {
  const name = THEMES[root.dataset.theme ?? "auto"];
  button.setAttribute("aria-label", `Colors: ${name}`);
  button.title = `Colors: ${name}`;
}
button.hidden = false;
showTheme();
button.addEventListener("click", () => {
  const names = Object.keys(THEMES);
  const next = names[(names.indexOf(root.dataset.theme ?? "auto") + 1) % names.length];
  if (next === "auto") delete root.dataset.theme;
  else root.dataset.theme = next;
  keep("labs.theme", next);
  showTheme();
});

// Regions that scroll sideways can be reached by keyboard. Observed, so that no layout is forced.
const scrolling = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const wide = target.scrollWidth > target.clientWidth;
    if (wide && !target.hasAttribute("tabindex")) {
      target.tabIndex = 0;
      target.dataset.wide = "";
    } else if (!wide && "wide" in target.dataset) {
      target.removeAttribute("tabindex");
      delete target.dataset.wide;
    }
  }
});
for (const box of all("pre, .math, .labs-picture, .labs-table, .table-wrap")) scrolling.observe(box);

// Copy a block of code.
for (const block of all("div.highlight")) {
  if (!navigator.clipboard || !block.querySelector("pre")) continue;
  const copy = document.createElement("button");
  copy.type = "button";
  copy.className = "copy";
  copy.textContent = "Copy";
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("pre").textContent);
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = "Copy"), 1500);
  });
  block.append(copy);
}

// Definitions of terms.
let open = null;
let leaving = 0;
let tapped = false;
let wasOpen = false;

function place(note, link) {
  const box = link.getClientRects()[0] ?? link.getBoundingClientRect();
  const width = note.offsetWidth;
  const left = Math.max(8, Math.min(box.left, innerWidth - width - 8));
  const below = box.bottom + 6 + note.offsetHeight < innerHeight;
  note.style.left = `${left}px`;
  note.style.top = `${below ? box.bottom + 6 : Math.max(8, box.top - note.offsetHeight - 6)}px`;
}

function show(link, note) {
  clearTimeout(leaving);
  if (open === note) return;
  hide();
  note.showPopover();
  place(note, link);
  open = note;
}

function hide() {
  clearTimeout(leaving);
  if (open?.matches(":popover-open")) open.hidePopover();
  open = null;
}

function leave() {
  clearTimeout(leaving);
  leaving = setTimeout(hide, 250);
}

for (const link of all("a.term")) {
  const note = document.getElementById(`def-${link.hash.slice(1)}`);
  if (!note?.showPopover) continue;
  link.setAttribute("aria-describedby", note.id);
  note.addEventListener("toggle", (event) => {
    if (event.newState === "closed" && open === note) open = null;
  });
  note.addEventListener("pointerenter", () => clearTimeout(leaving));
  note.addEventListener("pointerleave", leave);
  link.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show(link, note));
  link.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && leave());
  link.addEventListener("focus", () => link.matches(":focus-visible") && show(link, note));
  link.addEventListener("blur", leave);
  link.addEventListener("pointerdown", (event) => {
    tapped = event.pointerType !== "mouse";
    wasOpen = open === note;
  });
  link.addEventListener("click", (event) => {
    if (tapped && !wasOpen) {
      event.preventDefault();
      show(link, note);
    }
    tapped = false;
  });
}
addEventListener("scroll", () => open && hide(), { passive: true });

// Questions: answers stay in this browser and count toward progress.
const answers = stored("labs.answers", {});
function restore(quiz) {
  const chosen = answers[quiz.dataset.quiz];
  const input = all("input[type=radio]", quiz).find((one) => one.value === chosen);
  if (input) input.checked = true;
}
all("fieldset[data-quiz]").forEach(restore);
document.addEventListener("change", (event) => {
  const quiz = event.target.closest?.("fieldset[data-quiz]");
  if (!quiz || event.target.type !== "radio") return;
  answers[quiz.dataset.quiz] = event.target.value;
  keep("labs.answers", JSON.stringify(answers));
  const done = "right" in event.target.dataset || quiz.dataset.kind === "prediction";
  record(quiz.dataset.quiz, done ? "solved" : "tried");
});

// Sliders: those of the book move what was drawn when it was built; those that Python shows while
// the reader is here have Python draw.
function move(root, draw) {
  if (!root.querySelector("[data-labs-explore]")) return;
  import("./sliders.js").then(({ start }) => start(root, draw));
}
move(document);
addEventListener("labs:output", ({ target, detail }) => move(target, detail.draw));
if (document.querySelector(".labs-progress")) import("./progress.js");
