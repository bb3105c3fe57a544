// Compiles Python to bytecode with the very interpreter that will run it in the page.
// node compile.mjs <folder of Pyodide> <zip of sources> <zip of bytecode> <where the page has them>

import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [runtime, given, made, place] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${runtime}/pyodide.mjs`).href);
// Without a fixed seed, sets among the constants would be written in another order each time.
const pyodide = await loadPyodide({ env: { PYTHONHASHSEED: "0" } });
pyodide.FS.writeFile("/given.zip", new Uint8Array(readFileSync(given)));
pyodide.globals.set("place", place);
pyodide.runPython(`
import py_compile, zipfile
from pathlib import Path

with zipfile.ZipFile("/given.zip") as given, zipfile.ZipFile("/made.zip", "w") as made:
    given.extractall("/given")
    for name in given.namelist():
        try:
            py_compile.compile(
                f"/given/{name}", "/module.pyc", f"{place}/{name}",
                doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        except py_compile.PyCompileError:
            continue  # a module for other versions of Python, which its package never imports here
        made.writestr(name, Path("/module.pyc").read_bytes())
`);
writeFileSync(made, pyodide.FS.readFile("/made.zip"));
