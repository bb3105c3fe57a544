// The reader's progress, in this browser only; the same format as an exported file.

const PROGRESS = "labs.progress";
const RANK = { hinted: 0, tried: 1, solved: 2 };

export function read() {
  try {
    return parse(localStorage.getItem(PROGRESS) ?? '{"version":1,"done":{}}');
  } catch {
    return {};
  }
}

// Entries by id; throws with a sentence for the reader when the text is no progress.
export function parse(text) {
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    throw new Error("This is no progress file: it is not JSON.");
  }
  if (data?.version !== 1) throw new Error("This progress file has an unknown version.");
  const done = data.done;
  if (typeof done !== "object" || done === null || Array.isArray(done)) {
    throw new Error("This is no progress file: it has no entries.");
  }
  for (const [id, entry] of Object.entries(done)) {
    const valid = Object.hasOwn(RANK, entry?.state) && !Number.isNaN(Date.parse(entry.at));
    if (!valid) throw new Error(`The entry ${id.slice(0, 60)} in this file cannot be read.`);
  }
  return done;
}

// What is further along stays: solved never goes back to tried.
export function merge(old, fresh) {
  const merged = { ...old };
  for (const [id, entry] of Object.entries(fresh)) {
    if (!Object.hasOwn(merged, id) || RANK[entry.state] > RANK[merged[id].state]) {
      merged[id] = { state: entry.state, at: entry.at };
    }
  }
  return merged;
}

export function text(done) {
  return JSON.stringify({ version: 1, done }, null, 2) + "\n";
}

export function write(done) {
  try {
    localStorage.setItem(PROGRESS, text(done));
  } catch {
    return false;
  }
  dispatchEvent(new CustomEvent("labs:progress"));
  return true;
}

export function record(id, state) {
  const at = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  return write(merge(read(), { [id]: { state, at } }));
}

export function clear() {
  try {
    localStorage.removeItem(PROGRESS);
    localStorage.removeItem("labs.answers");
  } catch {
    return false;
  }
  dispatchEvent(new CustomEvent("labs:progress"));
  return true;
}
