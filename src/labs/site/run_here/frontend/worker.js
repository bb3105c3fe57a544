// Holds Python. Everything it fetches lies beside it, unless the reader agreed to more.

import { argon2d, argon2i, argon2id } from "@noble/hashes/argon2.js";
import { blake2b, blake2s } from "@noble/hashes/blake2.js";
import { md5, ripemd160, sha1 } from "@noble/hashes/legacy.js";
import { pbkdf2 } from "@noble/hashes/pbkdf2.js";
import { scrypt } from "@noble/hashes/scrypt.js";
import { sha224, sha256, sha384, sha512, sha512_224, sha512_256 } from "@noble/hashes/sha2.js";
import { sha3_224, sha3_256, sha3_384, sha3_512 } from "@noble/hashes/sha3.js";

const HASHES = {
  md5, sha1, sha224, sha256, sha384, sha512, sha512_224, sha512_256,
  sha3_224, sha3_256, sha3_384, sha3_512, blake2b, blake2s, ripemd160,
};
const ARGON2 = [argon2d, argon2i, argon2id];
const LARGEST_MEMORY = 2 ** 30 + 2 ** 20;

// Python's bytes arrive as a proxy of a buffer.
const octets = (proxy) => proxy.toJs();

const derivation = {
  has_hash: (name) => Object.hasOwn(HASHES, name),
  pbkdf2: (name, password, salt, c, dkLen) =>
    pbkdf2(HASHES[name], octets(password), octets(salt), { c, dkLen }),
  scrypt: (password, salt, N, r, p, dkLen, memory) =>
    scrypt(octets(password), octets(salt), { N, r, p, dkLen, maxmem: memory + 128 * r * 2 }),
  argon2: (kind, version, password, salt, t, m, p, dkLen) =>
    ARGON2[kind](octets(password), octets(salt), { version, t, m, p, dkLen, maxmem: LARGEST_MEMORY }),
};

let base;
let pyodide;
let python;

function fetchNow(name) {
  const request = new XMLHttpRequest();
  request.open("GET", new URL(name, base), false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200) throw new Error(`${name} is missing on this site`);
  return new Uint8Array(request.response);
}

async function start({ runtime, base: own, packages, requested, progress, interrupt }) {
  base = own;
  const lock = fetch(new URL("pyodide-lock.json", base)).then((answer) => answer.text());
  const { loadPyodide } = await import(new URL("pyodide.mjs", runtime).href);
  pyodide = await loadPyodide({
    indexURL: runtime,
    stdLibURL: new URL("python_stdlib.zip", base).href,
    lockFileContents: lock,
    packageBaseUrl: base,
    packages: ["labs-page", ...packages],
    env: { HOME: "/home/pyodide", MPLBACKEND: "agg" },
  });
  if (interrupt) pyodide.setInterruptBuffer(interrupt);
  python = pyodide.pyimport("labs_page.worker").start(
    (text) => self.postMessage(JSON.parse(text)),
    fetchNow,
    derivation,
    await lock,
    Object.keys(pyodide.loadedPackages),
    requested,
    progress,
  );
  self.postMessage({ type: "ready" });
}

async function bring(name) {
  const failures = [];
  await pyodide.loadPackage(name, {
    messageCallback: () => {},
    errorCallback: (text) => failures.push(text),
  });
  if (!(name in pyodide.loadedPackages)) {
    throw new Error(failures[0] ?? "the download failed.");
  }
  python.arrived(pyodide.toPy(Object.keys(pyodide.loadedPackages)));
}

const requests = {
  run: ({ cell, source }) => python.run(cell, source),
  explore: ({ figure, values }) => python.explore(figure, values),
  load: ({ name }) => bring(name),
};

self.addEventListener("message", async ({ data }) => {
  if (data.type === "start") {
    try {
      await start(data);
    } catch (error) {
      self.postMessage({ type: "broken", reason: error.message });
    }
    return;
  }
  const { number } = data;
  try {
    self.postMessage({ type: "answer", number, value: await requests[data.type](data) });
  } catch (error) {
    self.postMessage({ type: "answer", number, error: error.message });
  }
});
