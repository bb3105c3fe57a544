// Sliders in a fresh output: real range inputs that have Python draw each position.

let count = 0;

export function enliven(block, session) {
  for (const element of block.querySelectorAll("[data-labs-explore]")) live(element, session);
}

function live(element, session) {
  const { figure, sliders } = JSON.parse(element.dataset.labsExplore);
  element.dataset.live = "";
  const controls = document.createElement("div");
  controls.className = "labs-run-sliders";
  const inputs = sliders.map((slider) => {
    const id = `labs-live-${(count += 1)}`;
    const label = document.createElement("label");
    label.htmlFor = id;
    label.textContent = slider.label;
    const input = document.createElement("input");
    Object.assign(input, { type: "range", id, min: 0, max: slider.values.length - 1, step: 1 });
    input.value = slider.start;
    const shown = document.createElement("output");
    shown.htmlFor = id;
    controls.append(label, input, shown);
    const tell = () => {
      shown.textContent = slider.shown[input.value];
      input.setAttribute("aria-valuetext", slider.shown[input.value]);
    };
    tell();
    input.addEventListener("input", () => {
      tell();
      draw();
    });
    return [slider, input];
  });
  element.querySelector(".labs-positions")?.replaceWith(controls);
  if (!controls.isConnected) element.prepend(controls);

  // While one position is drawn, only the last of the next ones is remembered.
  let drawing = false;
  let again = false;
  async function draw() {
    if (drawing) {
      again = true;
      return;
    }
    drawing = true;
    do {
      again = false;
      const values = Object.fromEntries(inputs.map(([s, input]) => [s.name, s.values[input.value]]));
      try {
        const { html } = await session.explore(figure, values);
        const old = element.querySelector(".labs-picture");
        const made = document.createElement("template");
        made.innerHTML = html;
        old.replaceWith(made.content);
      } catch {
        session.say("The picture could not be drawn: run the cell again.");
      }
    } while (again);
    drawing = false;
  }
}
