// Sliders in the page: real range inputs that move a picture.
//
// `start(root, draw)` takes the document, or an element that came later, and gives every
// `.labs-explore` in it its inputs. Without `draw`, the pictures are those drawn when the book was
// built: they come from the file named in `data-frames`, fetched when the reader comes near. With
// it, where Python runs, `draw(figure, values)` promises the picture of each position, as
// `{ svg, alt, caption }`. Without either, the first picture and the text with its position stay.

const REST_MS = 500; // so that a screen reader hears the picture once, not at every step
const NEAR = "600px 0px"; // far enough that frames are there before the slider is in view

const RULES = `
.labs-sliders { display: grid; gap: .3rem 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); margin: .75rem 0 .25rem; }
.labs-slider { display: grid; grid-template-columns: 1fr auto; column-gap: 1rem; align-items: baseline; line-height: 1.4; }
.labs-slider output { font-variant-numeric: tabular-nums; font-weight: 600; }
.labs-slider input { grid-column: 1 / -1; width: 100%; height: 2.5rem; margin: 0; cursor: pointer; accent-color: var(--labs-1, #00708f); touch-action: pan-y; }
.labs-said:not(.labs-trouble) { position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.labs-trouble { margin: .25rem 0; }
@media screen { .labs-moving > .labs-positions { display: none; } }
@media print { .labs-sliders, .labs-said { display: none; } }
`;

const files = new Map(); // address → promise of frames, shared by sliders that are the same
const started = new WeakSet();
let styled = false;
let number = 0;

export function start(root, draw) {
  const found = [...root.querySelectorAll("[data-labs-explore]")];
  if (root.matches?.("[data-labs-explore]")) found.unshift(root);
  for (const element of found) {
    if (started.has(element) || !element.querySelector(".labs-picture svg")) continue;
    if (!draw && !element.dataset.frames) continue;
    started.add(element);
    new Sliders(element, draw);
  }
}

function style() {
  if (styled) return;
  // A constructed sheet needs no exception in a Content-Security-Policy.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(RULES);
  document.adoptedStyleSheets.push(sheet);
  styled = true;
}

function whenNear(element, act) {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      act();
    },
    { rootMargin: NEAR },
  );
  observer.observe(element);
}

const whenIdle = window.requestIdleCallback ?? ((act) => setTimeout(act, 50));

function load(address) {
  if (!files.has(address)) {
    const loading = fetch(address).then((answer) => {
      if (!answer.ok) throw new Error(`${answer.status} for ${address}`);
      return answer.json();
    });
    // The next attempt asks again.
    loading.catch(() => files.delete(address));
    files.set(address, loading);
  }
  return files.get(address);
}

function parsed(svg) {
  const template = document.createElement("template");
  template.innerHTML = svg;
  const drawing = template.content.querySelector("svg");
  if (!drawing) throw new TypeError("a picture must be an SVG");
  drawing.setAttribute("role", "img");
  return drawing;
}

function create(name, properties = {}, attributes = {}) {
  const made = Object.assign(document.createElement(name), properties);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  return made;
}

class Sliders {
  constructor(element, draw) {
    const spec = JSON.parse(element.dataset.labsExplore);
    if (!spec.sliders.length) return;
    style();
    this.figure = spec.figure;
    this.sliders = spec.sliders;
    this.draw = draw;
    this.address = !draw && new URL(element.dataset.frames, document.baseURI).href;
    this.picture = element.querySelector(".labs-picture");
    this.positions = element.querySelector(".labs-positions");
    this.drawings = []; // by frame, parsed when first shown
    this.frames = null;
    this.shown = this.wanted = this.frame();
    this.said = create("p", { className: "labs-said" }, { role: "status" });
    const group = create("div", { className: "labs-sliders" }, { role: "group", "aria-label": "Move to change the picture" });
    group.append(...this.sliders.map((slider) => this.control(slider)));
    this.picture.before(group);
    this.picture.after(this.said);
    element.classList.add("labs-moving");
    if (!this.address) return;
    const fetchFrames = () => this.fetch();
    whenNear(element, fetchFrames);
    for (const type of ["focusin", "pointerdown"]) group.addEventListener(type, fetchFrames, { once: true });
  }

  control(slider) {
    slider.position = slider.start;
    const id = `labs-slider-${++number}`;
    const input = create(
      "input",
      { type: "range", id, min: 0, max: slider.values.length - 1, step: 1, autocomplete: "off" },
      { "aria-valuetext": slider.shown[slider.start] },
    );
    input.value = slider.start;
    // The input speaks its value itself, so the output must not be announced too.
    const output = create("output", { htmlFor: id, textContent: slider.shown[slider.start] }, { "aria-live": "off" });
    input.addEventListener("input", () => {
      slider.position = Number(input.value);
      output.textContent = slider.shown[slider.position];
      input.setAttribute("aria-valuetext", slider.shown[slider.position]);
      this.move();
    });
    const row = create("div", { className: "labs-slider" });
    row.append(create("label", { htmlFor: id, textContent: slider.label }), output, input);
    return row;
  }

  // The position among all frames; the last slider varies fastest.
  frame() {
    return this.sliders.reduce((sum, { values, position, start }) => sum * values.length + (position ?? start), 0);
  }

  values() {
    return Object.fromEntries(this.sliders.map(({ name, values, position }) => [name, values[position]]));
  }

  move() {
    this.wanted = this.frame();
    if (this.positions) {
      this.positions.textContent = this.sliders.map(({ label, shown, position }) => `${label}: ${shown[position]}`).join(", ");
    }
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rest(), REST_MS);
    if (this.draw) this.drawLive();
    else if (this.frames) this.showFrame();
    else this.fetch();
  }

  async fetch() {
    if (this.frames || this.fetching) return;
    this.fetching = true;
    try {
      this.frames = await load(this.address);
      if (this.wanted !== this.shown) this.showFrame();
    } catch {
      if (this.wanted !== this.shown) this.trouble();
    } finally {
      this.fetching = false;
    }
  }

  showFrame() {
    const { alts, captions } = this.frames;
    this.show(this.parsedFrame(this.wanted), alts[this.wanted], captions?.[this.wanted], this.wanted);
    whenIdle(() => this.neighbors().forEach((frame) => this.parsedFrame(frame)));
  }

  parsedFrame(frame) {
    if (!this.drawings[frame]) {
      const { table, frames } = this.frames;
      const runs = frames[frame];
      let svg = "";
      for (let i = 0; i < runs.length; i += 2) svg += table.slice(runs[i], runs[i] + runs[i + 1]).join("");
      this.drawings[frame] = parsed(svg);
    }
    return this.drawings[frame];
  }

  // The frames one step away, where an arrow key or a slow hand goes next.
  neighbors() {
    const found = [];
    let stride = 1;
    for (const { values, position } of this.sliders.toReversed()) {
      if (position > 0) found.push(this.wanted - stride);
      if (position < values.length - 1) found.push(this.wanted + stride);
      stride *= values.length;
    }
    return found;
  }

  show(drawing, alt, caption, frame) {
    drawing.setAttribute("aria-label", alt);
    this.picture.querySelector("svg").replaceWith(drawing);
    const line = this.picture.querySelector("figcaption");
    if (line && caption !== undefined) line.innerHTML = caption;
    this.shown = frame;
    this.alt = alt;
    if (this.said.classList.contains("labs-trouble")) {
      this.said.classList.remove("labs-trouble");
      this.said.textContent = "";
    }
  }

  // One drawing at a time: the positions passed meanwhile are skipped.
  async drawLive() {
    if (this.drawing) return;
    this.drawing = true;
    try {
      let frame;
      do {
        frame = this.wanted;
        const { svg, alt, caption } = await this.draw(this.figure, this.values());
        if (frame === this.wanted) this.show(parsed(svg), alt, caption, frame);
      } while (frame !== this.wanted);
      if (!this.resting) this.say();
    } catch {
      this.trouble();
    } finally {
      this.drawing = false;
    }
  }

  rest() {
    this.resting = 0;
    if (this.shown === this.wanted) this.say();
  }

  say() {
    if (this.alt && this.said.textContent !== this.alt) this.said.textContent = this.alt;
  }

  trouble() {
    this.said.classList.add("labs-trouble");
    this.said.textContent = "The picture for this position could not be shown. Move the slider to try again.";
  }
}
