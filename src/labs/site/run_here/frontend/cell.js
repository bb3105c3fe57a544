// One code cell: its editor, its buttons, its output and what it has to say.

import { editor } from "./editor.js";
import { Output } from "./output.js";
import { Stopped } from "./session.js";
import { edit, keepEdit, stamp } from "./storage.js";

const SAVE_AFTER_MS = 300;

export class Cell {
  constructor({ element, source, page, number }) {
    this.element = element;
    this.page = page;
    this.number = String(number);
    this.name = `Cell ${number}`;
    this.key = element.dataset.cell ?? String(number - 1);
    this.tags = (element.dataset.tags ?? "").split(/\s+/);
    this.input = source.closest(".cell_input");
    this.book = source.textContent.replace(/\n$/, "");
    this.bookStamp = stamp(this.book);
    this.kept = edit(page, this.key);
    this.ran = false;
    this.output = new Output(this);
  }

  // Put the editor and the buttons in place of the printed code.
  attach(session) {
    this.session = session;
    const { input, kept } = this;
    this.editor = editor({
      parent: input.parentElement,
      before: input,
      text: kept?.source ?? this.book,
      label: `Code of cell ${this.number}`,
      onRun: () => this.run(),
      onChange: () => this.changed(),
    });
    input.classList.add("labs-run-replaced");

    this.tools = document.createElement("div");
    this.tools.className = "labs-run-tools";
    this.tools.setAttribute("role", "group");
    this.tools.setAttribute("aria-label", this.name);
    this.add("Run", () => this.run());
    this.add("Run all above", () => this.runAllAbove());
    this.stopButton = this.add("Stop", () => this.session.stop());
    this.stopButton.hidden = true;
    this.add("Reset", () => this.reset());
    this.note = document.createElement("div");
    this.note.className = "labs-run-note";
    input.after(this.tools, this.note);

    if (kept && kept.book !== this.bookStamp) {
      this.tell(
        "The book has changed this cell since you edited it. Your edit is shown; " +
          "Reset returns to the book’s text.",
      );
    } else if (kept) {
      this.tell("This is your edit. Reset returns to the book’s text.");
    }
  }

  get text() {
    return this.editor?.text ?? this.kept?.source ?? this.book;
  }

  add(text, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "labs-run-button";
    button.textContent = text;
    button.addEventListener("click", act);
    this.tools.append(button);
    return button;
  }

  tell(...parts) {
    this.note.replaceChildren(...parts);
  }

  changed() {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.save(), SAVE_AFTER_MS);
  }

  save() {
    clearTimeout(this.saving);
    const edited = this.text !== this.book;
    keepEdit(this.page, this.key, edited ? this.text : null, this.bookStamp);
  }

  reset() {
    this.editor.text = this.book;
    this.save();
    if (this.output.state !== "running") {
      this.output.restore();
      this.output.state = "idle";
    }
    delete this.output.element.dataset.runNote;
    this.tell();
    this.session.say(`${this.name} shows the book’s text again.`);
  }

  // The worker has ended, and with it what this cell had computed.
  forgotten() {
    this.ran = false;
    this.stopButton.hidden = true;
    if (this.output.state !== "failed") this.output.state = "idle";
  }

  begins() {
    this.began = true;
    this.output.begin();
    this.stopButton.hidden = false;
  }

  // Returns whether cells below may go on.
  async run() {
    this.save();
    this.tell();
    delete this.output.element.dataset.runNote;
    if (this.tags.includes("needs-desktop")) {
      this.absent("This cell needs more than a browser offers.");
      return true;
    }
    this.output.state = "running";
    this.began = false;
    let result;
    try {
      result = await this.session.run(this);
    } catch (error) {
      this.stopButton.hidden = true;
      if (error instanceof Stopped && !this.began) {
        this.output.state = "idle"; // it still waited for its turn
        return false;
      }
      if (!this.began) this.output.begin();
      this.output.flush();
      this.output.error(error instanceof Stopped ? "Stopped." : error.message);
      this.output.state = "failed";
      if (!(error instanceof Stopped)) this.session.say("Python did not start.");
      return false;
    }
    this.stopButton.hidden = true;
    return this.settle(result);
  }

  settle(result) {
    const { outcome } = result;
    if (outcome === "done") {
      this.output.finish();
      this.output.state = "done";
      this.ran = true;
      this.session.say(`${this.name} is done.`);
      return true;
    }
    if (outcome === "absent") {
      this.absent(`A browser has no ${result.reason.replaceAll("`", "")}.`);
      return true;
    }
    if (outcome === "agreement") return this.askFor(result.module);
    this.output.flush();
    this.output.error(result.error, this.hintFor(result.kind));
    this.output.state = "failed";
    this.session.say(`${this.name} failed: ${result.kind}.`);
    return this.tags.includes("raises-exception");
  }

  hintFor(kind) {
    const above = this.session.cells.slice(0, this.session.cells.indexOf(this));
    const some = above.some((cell) => !cell.ran);
    return kind === "NameError" && some
      ? "Some cells above have not run yet. “Run all above” runs them."
      : "";
  }

  absent(reason) {
    this.output.flush();
    this.output.restore();
    this.output.state = "failed";
    this.output.element.dataset.runNote = "needs-desktop";
    this.tell(`${reason} Open the lab in JupyterLab to run it. Below is the recorded result.`);
    this.session.say(`${this.name} cannot run in a browser.`);
  }

  // Nothing is asked of another host before the reader says yes.
  askFor(module) {
    const { name, megabytes, host } = this.session.request(module);
    if (this.session.hosted || this.session.agreed.has(name)) return this.fetchAndRun(name);
    this.output.flush();
    this.output.restore();
    this.output.state = "failed";
    this.output.element.dataset.runNote = "needs-consent";
    const text = document.createElement("p");
    text.textContent =
      `This cell uses ${name}, which is not part of this site. It can be downloaded from ` +
      `${host} (about ${megabytes} MB, once); that host then sees your address and this ` +
      `site’s. Each file is checked against a fixed hash before it is used.`;
    const yes = document.createElement("button");
    const no = document.createElement("button");
    for (const [button, label] of [
      [yes, `Download ${name} and run`],
      [no, "Keep the recorded result"],
    ]) {
      button.type = "button";
      button.className = "labs-run-button";
      button.textContent = label;
    }
    yes.addEventListener("click", () => this.fetchAndRun(name));
    no.addEventListener("click", () => {
      this.tell();
      this.session.say(`${this.name} keeps the recorded result.`);
    });
    this.tell(text, yes, no);
    this.session.say(`${this.name} asks whether to download ${name}.`);
    return true;
  }

  async fetchAndRun(name) {
    this.tell();
    this.output.state = "running";
    try {
      await this.session.agree(name);
    } catch (error) {
      this.output.state = "failed";
      this.tell(`${name} could not be loaded: ${error.message} Below is the recorded result.`);
      this.session.say(`${name} could not be loaded.`);
      return true;
    }
    return this.run();
  }

  async runAllAbove() {
    const { cells } = this.session;
    for (const cell of cells.slice(0, cells.indexOf(this))) {
      if (cell.tags.includes("solution")) continue; // the reader's own answer comes first
      if (!(await cell.run())) return;
    }
  }
}
