// One Python for one page: the worker, the queue of cells, stopping and restarting.

import { agreements, keepAgreement, mergeProgress, storedProgress } from "./storage.js";
import { packagesOf } from "./imports.js";

const GRACE_MS = 2000; // how long a stopped cell may take to end before its worker is ended

export class Stopped extends Error {}

export class Session {
  constructor({ here, manifest, say, cells }) {
    this.here = here;
    this.manifest = manifest;
    this.say = say;
    this.cells = cells;
    this.agreed = new Set(agreements());
    this.generation = 0;
    this.queue = Promise.resolve();
    this.waiting = new Map();
    this.number = 0;
    this.running = null;
  }

  get hosted() {
    return this.manifest.requested.host === null;
  }

  boot() {
    this.worker = new Worker(new URL("worker.js", this.here), { type: "module" });
    this.interrupt = self.crossOriginIsolated
      ? new Uint8Array(new SharedArrayBuffer(1))
      : undefined;
    this.ready = new Promise((resolve, reject) => {
      this.started = { resolve, reject };
    });
    this.ready.catch(() => {});
    this.worker.addEventListener("message", ({ data }) => this.receive(data));
    this.worker.addEventListener("error", (event) => {
      this.started.reject(new Error(event.message || "the worker did not start"));
    });
    this.say("Starting Python …");
    this.worker.postMessage({
      type: "start",
      runtime: new URL(this.manifest.runtime, this.here).href,
      base: this.here.href,
      packages: packagesOf(
        this.cells.map((cell) => cell.text),
        this.manifest,
      ),
      requested: Object.keys(this.manifest.requested.megabytes),
      progress: storedProgress(),
      interrupt: this.interrupt,
    });
  }

  receive(message) {
    if (message.type === "ready") {
      this.say("Python is ready.");
      this.started.resolve();
    } else if (message.type === "broken") {
      this.started.reject(new Error(message.reason));
    } else if (message.type === "answer") {
      const { resolve, reject } = this.waiting.get(message.number) ?? {};
      this.waiting.delete(message.number);
      if (message.error) reject?.(new Error(message.error));
      else resolve?.(message.value);
    } else if (message.type === "record") {
      mergeProgress({ [message.id]: { state: message.state, at: message.at } });
    } else {
      this.running?.output.receive(message);
    }
  }

  ask(request) {
    const number = (this.number += 1);
    return new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject });
      this.worker.postMessage({ ...request, number });
    });
  }

  // Cells run one after another; stopping or restarting drops those that still wait.
  run(cell) {
    const generation = this.generation;
    const turn = this.queue.then(async () => {
      if (generation !== this.generation) throw new Stopped();
      await this.ready;
      if (generation !== this.generation) throw new Stopped();
      this.running = cell;
      if (this.interrupt) this.interrupt[0] = 0;
      cell.begins();
      this.say(`${cell.name} is running.`);
      try {
        return JSON.parse(await this.ask({ type: "run", cell: cell.number, source: cell.text }));
      } finally {
        if (this.running === cell) this.running = null;
      }
    });
    this.queue = turn.catch(() => {});
    return turn;
  }

  async explore(figure, values) {
    await this.ready;
    return JSON.parse(await this.ask({ type: "explore", figure, values: JSON.stringify(values) }));
  }

  // What a module brings that is not there yet, with its size.
  request(module) {
    const { modules, depends, megabytes, host } = this.manifest.requested;
    const names = [];
    const waiting = [modules[module]];
    while (waiting.length) {
      const name = waiting.pop();
      if (names.includes(name)) continue;
      names.push(name);
      waiting.push(...depends[name].filter((other) => other in megabytes));
    }
    const size = names.reduce((sum, name) => sum + megabytes[name], 0);
    return { name: modules[module], megabytes: Math.max(1, Math.round(size)), host };
  }

  async agree(name) {
    await this.ready;
    this.say(`Loading ${name} …`);
    await this.ask({ type: "load", name });
    this.agreed.add(name);
    keepAgreement([...this.agreed]);
    this.say(`${name} is loaded.`);
  }

  stop() {
    this.generation += 1;
    const stopped = this.running;
    if (!this.interrupt || !stopped) {
      this.end("Stopped. Variables are lost: run the cells above again.");
      return;
    }
    this.interrupt[0] = 2; // SIGINT
    setTimeout(() => {
      if (this.running === stopped) {
        this.end("Stopped by force. Variables are lost: run the cells above again.");
      }
    }, GRACE_MS);
  }

  end(text) {
    this.generation += 1;
    this.worker.terminate();
    this.running = null;
    for (const { reject } of this.waiting.values()) reject(new Stopped());
    this.waiting.clear();
    this.started.reject(new Stopped());
    this.queue = Promise.resolve();
    for (const cell of this.cells) cell.forgotten();
    this.boot();
    this.say(text);
    this.ready.then(() => this.say(`${text} Python is ready again.`)).catch(() => {});
  }

  restart() {
    this.end("Restarted. Variables are gone; your edits are kept.");
  }
}
