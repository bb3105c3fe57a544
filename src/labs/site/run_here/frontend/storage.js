// What the browser keeps for the reader: edits of cells, and progress. Nothing leaves it.

const EDITS = "labs.edits";
const PROGRESS = "labs.progress";
const AGREED = "labs.agreed";
const RANK = ["hinted", "tried", "solved"];

function read(key) {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return ""; // storage is switched off: nothing is kept, everything else works
  }
}

function write(key, text) {
  try {
    localStorage.setItem(key, text);
  } catch {
    // Switched off or full.
  }
}

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

// FNV-1a: enough to notice that a text is another one.
export function stamp(text) {
  let hash = 0x811c9dc5;
  for (const unit of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ unit, 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, "0");
}

export function edit(page, cell) {
  const kept = parsed(read(EDITS))?.[`${page}#${cell}`];
  return typeof kept?.source === "string" ? kept : null;
}

export function keepEdit(page, cell, source, book) {
  const all = parsed(read(EDITS)) ?? {};
  const key = `${page}#${cell}`;
  if (source === null) delete all[key];
  else all[key] = { source, book };
  write(EDITS, JSON.stringify(all));
}

// What the reader agreed to download holds for this visit, on every page of the book.
export function agreements() {
  try {
    const kept = parsed(sessionStorage.getItem(AGREED) ?? "");
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

export function keepAgreement(names) {
  try {
    sessionStorage.setItem(AGREED, JSON.stringify(names));
  } catch {
    // The reader is asked again on the next page.
  }
}

export function storedProgress() {
  return read(PROGRESS);
}

// What is solved never becomes less, whatever comes in, also from another tab in between.
export function mergeProgress(done) {
  const stored = parsed(read(PROGRESS));
  const kept = stored?.version === 1 && stored.done ? stored : { version: 1, done: {} };
  for (const [id, entry] of Object.entries(done)) {
    const before = RANK.indexOf(kept.done[id]?.state);
    if (RANK.indexOf(entry.state) > before) kept.done[id] = entry;
  }
  write(PROGRESS, JSON.stringify(kept));
  dispatchEvent(new CustomEvent("labs:progress", { detail: kept }));
}
