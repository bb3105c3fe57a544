// Shows what a cell prints, displays and raises, in place of the result that the book recorded.

const ANSI = /\x1b\[[0-9;]*[A-Za-z]/g;
const LINES_SHOWN = 24;

export class Output {
  constructor(cell) {
    this.cell = cell;
    this.element = cell.element.querySelector(".cell_output");
    if (!this.element) {
      this.element = document.createElement("div");
      this.element.className = "cell_output";
      cell.element.append(this.element);
    }
    this.recorded = [...this.element.childNodes];
    this.displays = new Map();
    this.pending = [];
    this.state = "idle";
  }

  set state(value) {
    this.element.dataset.runState = value;
  }

  get state() {
    return this.element.dataset.runState;
  }

  begin() {
    this.fresh = true; // the old output stays until there is something new to see
    this.clearing = false;
    this.displays.clear();
  }

  finish() {
    this.flush();
    if (this.fresh) this.clear();
  }

  restore() {
    this.element.replaceChildren(...this.recorded);
    this.fresh = false;
  }

  clear() {
    this.element.replaceChildren();
    this.fresh = false;
    this.clearing = false;
    this.displays.clear();
  }

  receive(message) {
    if (message.type === "stream") {
      this.pending.push(message);
      this.scheduled ??= requestAnimationFrame(() => this.flush());
      return;
    }
    this.flush();
    if (message.type === "clear") {
      if (message.wait) this.clearing = true;
      else this.clear();
    } else if (message.type === "display") {
      this.display(message);
    }
  }

  // A thousand prints become one change of the page.
  flush() {
    if (this.scheduled) cancelAnimationFrame(this.scheduled);
    this.scheduled = undefined;
    const messages = this.pending;
    this.pending = [];
    for (const { name, text } of messages) this.stream(name, text.replace(ANSI, ""));
  }

  append(element) {
    if (this.fresh || this.clearing) this.clear();
    this.element.append(element);
  }

  stream(name, text) {
    let block = this.element.lastElementChild;
    const goes_on = !this.fresh && !this.clearing && block?.dataset.runStream === name;
    if (!goes_on) {
      block = document.createElement("div");
      block.className = `output ${name === "stderr" ? "stderr" : "stream"}`;
      block.dataset.runStream = name;
      block.append(document.createElement("pre"));
      this.append(block);
    }
    const pre = block.firstElementChild;
    const last = pre.lastChild;
    if (last) last.appendData(text);
    else pre.append(text);
    scrollable(pre);
  }

  display({ data, display_id: id, update }) {
    const block = document.createElement("div");
    block.className = "output";
    fill(block, data);
    const before = this.displays.get(id) ?? [];
    if (update) {
      for (const [index, old] of before.entries()) {
        const copy = index ? block.cloneNode(true) : block;
        old.replaceWith(copy);
        before[index] = copy;
      }
    } else {
      this.append(block);
      if (id) this.displays.set(id, [...before, block]);
    }
    for (const part of block.querySelectorAll("*")) reachable(part);
    // The book's own scripts do with it what they do with the rest of the page.
    const draw = (figure, values) => this.cell.session.explore(figure, values);
    block.dispatchEvent(new CustomEvent("labs:output", { bubbles: true, detail: { draw } }));
  }

  error(text, hint) {
    const block = document.createElement("div");
    block.className = "output labs-run-error";
    const pre = document.createElement("pre");
    pre.textContent = text;
    block.append(pre);
    if (hint) {
      const more = document.createElement("p");
      more.textContent = hint;
      block.append(more);
    }
    this.append(block);
    scrollable(pre);
  }
}

// A block that scrolls can be reached and scrolled by keyboard.
function scrollable(pre) {
  if (pre.tabIndex === 0 || pre.textContent.split("\n", LINES_SHOWN + 1).length <= LINES_SHOWN) {
    return;
  }
  pre.tabIndex = 0;
  pre.setAttribute("role", "group");
  pre.setAttribute("aria-label", "Output");
}

// The same for what scrolls sideways, such as a wide table.
function reachable(element) {
  if (element.scrollWidth <= element.clientWidth || element.tabIndex === 0) return;
  if (/auto|scroll/.test(getComputedStyle(element).overflowX)) element.tabIndex = 0;
}

function fill(block, data) {
  const plain = data["text/plain"] ?? "";
  if (data["text/html"] !== undefined) {
    block.classList.add("text_html");
    block.innerHTML = data["text/html"];
    // The book has these rules, for both themes.
    for (const style of block.querySelectorAll("style[data-labs]")) style.remove();
  } else if (data["image/svg+xml"] !== undefined) {
    block.classList.add("image_svg");
    block.innerHTML = data["image/svg+xml"].replace(/^[\s\S]*?(?=<svg)/, "");
    const drawing = block.querySelector("svg");
    if (drawing && !drawing.hasAttribute("role")) {
      drawing.setAttribute("role", "img");
      if (!drawing.querySelector("title")) drawing.setAttribute("aria-label", plain || "Drawing");
    }
  } else if (data["image/png"] !== undefined || data["image/jpeg"] !== undefined) {
    const kind = data["image/png"] !== undefined ? "image/png" : "image/jpeg";
    const picture = document.createElement("img");
    picture.src = `data:${kind};base64,${data[kind]}`;
    picture.alt = plain;
    block.classList.add("image_png");
    block.append(picture);
  } else {
    const pre = document.createElement("pre");
    pre.textContent = plain;
    block.classList.add("text_plain");
    block.append(pre);
    scrollable(pre);
  }
}
