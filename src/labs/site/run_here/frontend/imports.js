// Finds which packages a page surely needs, so that they load while Python starts. An import that
// is missed here (inside a string, typed later) still works: Python asks for it when it comes.

const IMPORT = /^\s*(?:from\s+([\w.]+)\s+import\s+\(?([\w\s,]+)|import\s+([\w.,\s]+?)(?=$|[;#\n]))/gm;

function* modulesOf(source) {
  for (const [, from, names, plain] of source.matchAll(IMPORT)) {
    if (from) {
      yield from;
      for (const part of names.split(",")) {
        const name = part.trim().split(/\s/)[0];
        if (name) yield `${from}.${name}`;
      }
    } else {
      for (const part of plain.split(",")) yield part.trim().split(/\s/)[0];
    }
  }
}

export function packagesOf(sources, manifest) {
  const found = new Set();
  for (const source of sources) {
    for (const module of modulesOf(source)) {
      let name = module;
      while (name) {
        if (manifest.modules[name]) found.add(manifest.modules[name]);
        for (const needed of manifest.imports[name] ?? []) found.add(needed);
        name = name.slice(0, Math.max(0, name.lastIndexOf(".")));
      }
    }
  }
  return [...found];
}
