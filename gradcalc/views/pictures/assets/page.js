// ---- the page: header, passes, inputs, card --------------------------------------------------------------------------------------

const PLAY = "M4 2.5v11l9-5.5z";
const PAUSE = "M4 3h3v10H4zM9 3h3v10H9z";
const STEP = 1250; // milliseconds for a step of the player
const SLIDER_STEPS = 200;
const SOON = 120; // circuits of up to so many items are there at once
const THEMES = ["auto", "light", "dark"];
const THEME_SIGNS = { auto: "◐", light: "☀", dark: "☾" };

const find = (id) => document.getElementById(id);

/** An HTML element with attributes and children (texts or elements). */
function html(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    else if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

const span = (kind, ...children) => html("span", { class: kind }, ...children);

class Page {
  constructor() {
    const data = JSON.parse(find("data").textContent);
    digits = data.digits;
    const style = getComputedStyle(document.documentElement);
    fonts.number = style.getPropertyValue("--numbers");
    fonts.name = style.getPropertyValue("--names");
    this.circuits = data.circuits.map((one, number) => new Circuit(one, data.operators, OPERATORS, AGAIN[number]));
    this.picture = new Picture(find("picture"), {
      look: (id) => this.look(id),
      pick: (id) => this.pick(id),
      toggle: (id) => this.toggle(id),
    });
    this.wire();
    this.setTheme("auto");
    this.choose(0);
  }

  // ---- what is shown ------------------------------------------------------------------------------------------------------------

  /** Show one of the outputs. */
  choose(number) {
    this.pause();
    this.circuit = this.circuits[number];
    this.player = new Player(this.circuit);
    this.picked = null;
    this.looked = null;
    find("title").textContent = find("title").title = typeset(this.circuit.data.title);
    const openable = this.circuit.items.some((item, id) => this.circuit.canOpen(id));
    find("open-all").hidden = !openable;
    find("timeline").max = this.player.steps.length;
    this.drawInputs();
    const show = () => {
      this.picture.show(this.player);
      this.refresh();
      find("stage").removeAttribute("aria-busy");
    };
    if (this.circuit.visible.length <= SOON) return show();
    // A large one takes a moment: say so first.
    find("stage").setAttribute("aria-busy", "true");
    this.picture.clear();
    setTimeout(show, 50);
  }

  /** Bring everything up to date with the step and the numbers. */
  refresh() {
    const { circuit, player } = this;
    this.picture.update();
    const timeline = find("timeline");
    timeline.max = player.steps.length;
    timeline.value = player.at;
    timeline.style.setProperty("--turn", player.turn / Math.max(1, player.steps.length));
    timeline.style.setProperty("--at", player.at / Math.max(1, player.steps.length));
    timeline.setAttribute("aria-valuetext", `step ${player.at} of ${player.steps.length}`);
    document.querySelector(".ends").style.setProperty("--turn", player.turn / Math.max(1, player.steps.length));
    find("back").disabled = find("first").disabled = player.at === 0;
    find("next").disabled = player.ended;
    find("last").disabled = player.resting;
    find("result").textContent = player.showsValue(circuit.last) ? ` = ${circuit.valueText(circuit.last)}` : "";
    find("open-all").textContent = circuit.open.size ? "close all" : "open all";
    this.drawCaption();
    this.updateInputs();
    this.drawCard();
  }

  drawCaption() {
    const { pass, number, count, pieces } = this.player.caption();
    const lead = number === undefined ? "" : span(`pass ${pass}`, `${pass} ${number}/${count}`);
    // Who came to the end step by step is told the last step, too.
    const { ended, resting } = this.player;
    const sentence = resting ? this.closing() : ended ? [...pieces, ["", " Both passes are done."]] : pieces;
    find("caption").replaceChildren(...(lead && !resting ? [lead, " "] : []), ...sentence.map(([kind, text]) => span(kind, text)));
  }

  /** What is said when both passes are done. */
  closing() {
    const { circuit } = this;
    if (!circuit.wanted[circuit.last]) return [["", "The output depends on no input: there is nothing to hand back."]];
    const words = circuit.scalar
      ? "Both passes are done: play them gate by gate, move an input, or point at a gate."
      : "Both passes are done: play them gate by gate, or point at a gate. The circuit holds arrays, so its numbers are those that gradcalc has calculated: sliders are for circuits of numbers.";
    return [["", words]];
  }

  // ---- inputs -------------------------------------------------------------------------------------------------------------------

  drawInputs() {
    const { circuit } = this;
    this.rows = [];
    const rows = circuit.data.inputs.map((input, number) => this.inputRow(input, number));
    const changed = html("button", { class: "small", id: "reset", title: "Back to the values given", click: () => this.reset() }, "reset");
    const unset = circuit.data.inputs.filter((input) => input.unset).map((input) => input.name);
    const note = unset.length ? `${unset.join(", ")} had no value: 1 to begin with.` : "";
    find("inputs").replaceChildren(
      html("h2", { id: "inputs-title" }, "Inputs", circuit.scalar && rows.length ? changed : ""),
      rows.length ? html("div", { class: "rows" }, ...rows) : html("p", { class: "note" }, "The circuit has no inputs."),
      note ? html("p", { class: "note" }, note) : "",
    );
  }

  inputRow(input, number) {
    const { circuit } = this;
    const id = circuit.items.findIndex((item) => item.kind === "input" && item.number === number);
    const name = html("label", { class: "name", for: `box${number}`, title: input.name }, input.name);
    const gradient = span("gradient", "");
    const row = { number, id, gradient };
    this.rows.push(row);
    if (!circuit.scalar) return html("div", { class: "row array" }, span("name", input.name), span("value", circuit.valueText(id)), gradient);
    const range = (row.range = sliderRange(circuit.given[number], input));
    row.slider = html("input", {
      type: "range", ...range, "aria-label": `${input.name}, slider`,
      input: () => this.setInput(row, Number(row.slider.value), row.slider),
      change: () => this.settle(),
    });
    row.box = html("input", {
      id: `box${number}`, type: "number", step: "any", inputmode: "decimal", "aria-label": `${input.name}, number`,
      input: () => row.box.value !== "" && this.setInput(row, Number(row.box.value), row.box),
      change: () => this.settle(),
    });
    return html("div", { class: "row" }, name, row.slider, row.box, gradient);
  }

  setInput(row, value, source) {
    this.circuit.inputs[row.number] = value;
    this.circuit.calculate();
    this.refresh();
    for (const field of [row.slider, row.box]) if (field !== source) writeField(field, value);
  }

  /** After a change: make room for numbers that have become longer. */
  settle() {
    const { circuit, picture } = this;
    this.updateInputs();
    const tight = circuit.visible.some((id) => {
      const had = picture.layout.nodes.get(id).lead;
      return measure(circuit, id, picture.layout.upright).lead > had + 2;
    });
    if (tight) this.arrange();
  }

  reset() {
    this.circuit.inputs = [...this.circuit.given];
    for (const { slider, range } of this.rows) if (slider) Object.assign(slider, range);
    this.circuit.calculate();
    this.refresh();
    this.settle();
  }

  updateInputs() {
    const { circuit, player } = this;
    for (const { number, id, slider, box, gradient } of this.rows) {
      gradient.textContent = player.showsGradient(id) ? circuit.gradientText(id) : "";
      gradient.title = player.showsGradient(id) ? circuit.gradientText(id, true) : "";
      if (!slider) continue;
      const value = circuit.inputs[number];
      for (const field of [slider, box]) if (field !== document.activeElement) writeField(field, value);
    }
    const reset = find("reset");
    if (reset) reset.hidden = circuit.inputs.every((value, number) => Object.is(value, circuit.given[number]));
  }

  // ---- the card of a gate -------------------------------------------------------------------------------------------------------

  look(id) {
    if (this.looked === id) return;
    this.looked = id;
    this.drawCard();
  }

  pick(id) {
    this.picked = this.picked === id ? null : id;
    this.drawCard();
  }

  /** The item whose card is shown: what the reader points at, has picked, what the step is about, or the output. */
  get subject() {
    const { circuit, player } = this;
    const shown = (id) => id !== null && id !== undefined && (this.picture.layout.nodes.has(id) || this.picture.layout.groups.has(id));
    const candidates = [this.looked, this.picked, player.resting ? null : player.current?.gate, circuit.last];
    return candidates.find(shown);
  }

  drawCard() {
    const { circuit, player } = this;
    const id = this.subject;
    this.picture.mark(this.looked === null && this.picked === null ? null : id);
    const item = circuit.items[id];
    const open = circuit.open.has(id);
    const inside = open ? circuit.origin(id) : id;
    const known = player.showsValue(inside);
    const back = player.showsGradient(inside);
    const numbers = html(
      "dl",
      { class: "numbers" },
      html("dt", {}, "value"), html("dd", { class: "value" }, known ? circuit.valueText(id, true) : "not yet"),
      circuit.wanted[id] ? html("dt", {}, "gradient") : "",
      circuit.wanted[id] ? html("dd", { class: "gradient" }, back ? circuit.gradientText(id, true) : "not yet") : "",
    );
    const shape = circuit.scalar || !circuit.row(id)[4].length ? "" : span("note", ` ${circuit.row(id)[4].join("×")}`);
    if (item.kind !== "gate") {
      const title = html("h2", {}, span("name", circuit.label(id)), span("note", ` ${item.kind}`), shape);
      find("card").replaceChildren(title, numbers, ...this.sums(id, back));
      return;
    }
    const words = circuit.operator(id);
    const written = filled(words.usage, circuit.inputLabels(id));
    const result = circuit.resultLabel(id);
    const title = html("h2", {}, span(item.name ? "name" : "symbol", item.name || item.symbol), span("note", ` ${words.title}`), shape);
    const button = circuit.canOpen(id)
      ? html("button", { class: "small", "aria-expanded": String(open), click: () => this.toggle(id) }, open ? "close" : "open")
      : "";
    title.append(button);
    const definition = words.definition ? html("p", { class: "note" }, "made of ", span("formula", typeset(words.definition))) : "";
    find("card").replaceChildren(
      title,
      html("p", { class: "formula" }, item.name || result !== written ? `${item.name || result} = ${written}` : written),
      numbers,
      words.sentence ? html("p", { class: "sentence" }, typesetSentence(words.sentence)) : "",
      this.partsTable(id, known, back),
      definition,
      ...this.sums(inside, back),
    );
  }

  /** One row for each input of a gate: its value, the local derivative as formula and number, and what goes back to it. */
  partsTable(id, known, back) {
    const { circuit, player } = this;
    const item = circuit.items[id];
    const words = circuit.operator(id);
    const labels = circuit.inputLabels(id);
    const result = circuit.resultLabel(id);
    const slopes = circuit.slopes(id);
    const done = back && (circuit.open.has(id) || player.done(BACKWARD, id));
    // Gates of arrays that mix elements have no local derivatives: the sentence says what they hand on.
    const told = circuit.scalar || words.local.some((local) => local !== null);
    const head = html("tr", {}, html("th", {}, "input"), html("th", {}, "value"), told ? html("th", {}, "local derivative") : "", circuit.scalar ? html("th", {}, "hands back") : "");
    const rows = item.in.slice(0, 12).map((source, place) => {
      const origin = circuit.origin(source);
      const label = labels[place];
      const whole = circuit.label(origin);
      const local = words.local[place] === null ? "" : filled(words.local[place], labels, result);
      const slope = slopes[place];
      const number = known && slope !== null && circuit.scalar ? short(slope) : "";
      const derivative = html("td", { class: "local" }, ...this.derivative(local, number, circuit.scalar && slope === null && known && circuit.wanted[origin]));
      const flow = circuit.flow?.[id]?.[place];
      const part = circuit.open.has(id) ? (slope === null || !Number.isFinite(slope) ? null : slope * circuit.gradient[id]) : flow;
      return html(
        "tr",
        {},
        html("th", { scope: "row", title: whole }, span(/^[\d.]/.test(label) ? "formula" : "name", label), label === whole ? "" : span("note", ` = ${whole.length > 30 ? whole.slice(0, 29) + "…" : whole}`)),
        html("td", { class: "value" }, player.showsValue(origin) ? circuit.valueText(origin) : ""),
        told ? derivative : "",
        circuit.scalar ? html("td", { class: "gradient" }, !done || !circuit.wanted[origin] ? "" : part === null || part === undefined ? "nothing" : short(part)) : "",
      );
    });
    const more = item.in.length > 12 ? html("caption", {}, `and ${item.in.length - 12} more inputs`) : "";
    return html("table", {}, more, html("thead", {}, head), html("tbody", {}, ...rows));
  }

  derivative(local, number, absent) {
    if (absent) return [span("note", "no path")];
    if (!local) return [number];
    if (local === number || typeset(local) === number) return [number];
    return number ? [span("formula", local), span("note", " = "), number] : [span("formula", local)];
  }

  /** Where the wire of an item parts: which gradients add up to its own. */
  sums(id, back) {
    const { circuit } = this;
    const wires = circuit.users.get(id) ?? [];
    if (!circuit.scalar || !back || wires.length < 2) return [];
    const flows = wires.map((wire) => circuit.flow[wire.to]?.[wire.place]).filter((flow) => flow !== null && flow !== undefined);
    if (flows.length < 2 || flows.length > 12) return [];
    const sum = flows.map((flow, index) => (index && flow >= 0 ? ` + ${short(flow)}` : index ? ` − ${short(-flow)}` : short(flow))).join("");
    return [html("p", { class: "sentence" }, "Its wire parts, and the gradients add up: ", span("gradient", `${sum} = ${circuit.gradientText(id)}`))];
  }

  // ---- opening and closing ------------------------------------------------------------------------------------------------------

  toggle(id) {
    const { circuit, picture } = this;
    if (!circuit.canOpen(id)) return;
    const inPicture = this.inPicture;
    const opening = !circuit.open.has(id);
    circuit.setOpen(id, opening);
    if (this.picked !== null && this.picked !== id) this.picked = null;
    this.looked = null;
    this.arrange();
    if (inPicture) picture.focus(opening ? circuit.origin(id) : id);
  }

  toggleAll() {
    const { circuit, picture, inPicture } = this;
    const focused = picture.focused;
    circuit.setAllOpen(circuit.open.size === 0);
    this.looked = this.picked = null;
    this.arrange();
    if (inPicture) picture.focus(this.seen(focused));
  }

  /** Whether the keyboard is in the picture. */
  get inPicture() {
    return document.activeElement?.closest("#picture") != null && document.activeElement !== document.body;
  }

  /** What stands for an item now that gates were opened or closed: itself, what it was opened into, or what it went into. */
  seen(id) {
    const { circuit } = this;
    return [id, circuit.origin(id), ...circuit.homes(id)].find((one) => circuit.places.has(one)) ?? circuit.last;
  }

  /** New places, after gates were opened or closed, or numbers became longer. */
  arrange() {
    const { picture, player, circuit } = this;
    const fitted = picture.fitted;
    player.plan();
    if (!circuit.places.has(picture.focused)) picture.focused = circuit.last;
    picture.layOut();
    if (fitted) picture.fit(true, true);
    this.refresh();
  }

  // ---- playing ------------------------------------------------------------------------------------------------------------------

  /** Go to a step; `stepped` as in the player. */
  go(at, stepped = false) {
    this.pause();
    this.player.go(at, stepped);
    this.looked = null;
    this.afterStep(false);
  }

  afterStep(running) {
    this.refresh();
    const gate = this.player.current?.gate;
    if (gate !== undefined && !this.player.resting) this.picture.reveal(gate);
    if (running) this.picture.pulse(0.6 * this.pace);
  }

  get pace() {
    return STEP * Number(find("speed").value);
  }

  play() {
    if (this.player.ended) this.player.go(0);
    this.looked = this.picked = null;
    this.playing = true;
    this.showPlaying();
    this.refresh();
    this.timer = setTimeout(() => this.advance(), this.pace / 2);
  }

  advance() {
    this.player.go(this.player.at + 1, true);
    const ended = this.player.ended;
    this.afterStep(true);
    if (ended) this.pause();
    else this.timer = setTimeout(() => this.advance(), this.pace);
  }

  pause() {
    clearTimeout(this.timer);
    this.playing = false;
    this.showPlaying();
  }

  showPlaying() {
    const button = find("play");
    button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    button.querySelector("path").setAttribute("d", this.playing ? PAUSE : PLAY);
  }

  step(by) {
    this.pause();
    this.player.go(this.player.at + by, true);
    this.looked = null;
    this.afterStep(by > 0);
  }

  // ---- buttons and keys ---------------------------------------------------------------------------------------------------------

  wire() {
    const press = (id, action) => find(id).addEventListener("click", action);
    press("play", () => (this.playing ? this.pause() : this.play()));
    press("next", () => this.step(1));
    press("back", () => this.step(-1));
    press("first", () => this.go(0));
    press("last", () => this.go(Infinity));
    press("zoom-in", () => this.picture.zoom(1.25));
    press("zoom-out", () => this.picture.zoom(0.8));
    press("zoom-fit", () => this.picture.fit());
    press("open-all", () => this.toggleAll());
    press("theme", () => this.setTheme(THEMES[(THEMES.indexOf(this.theme) + 1) % THEMES.length]));
    press("keys-button", () => find("keys").showModal());
    find("timeline").addEventListener("input", () => this.go(Number(find("timeline").value), true));
    const outputs = find("outputs");
    outputs.hidden = this.circuits.length < 2;
    outputs.append(...this.circuits.map((circuit, number) => html("option", { value: number }, typeset(circuit.data.title))));
    outputs.addEventListener("change", () => this.choose(Number(outputs.value)));
    document.addEventListener("keydown", (event) => this.key(event));
    let width = 0;
    new ResizeObserver(([{ contentRect }]) => {
      if (width && Math.abs(contentRect.width - width) > 1 && this.picture.layout) {
        this.picture.layOut(false);
        this.picture.fit(false, true);
      }
      width = contentRect.width;
    }).observe(find("picture"));
  }

  key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || find("keys").open) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest("input[type=number], select")) return;
    const steering = target.closest("input[type=range]") !== null;
    if (steering && /^(Arrow|Home|End|Page)/.test(event.key)) return;
    if (target.closest("button") && (event.key === " " || event.key === "Enter")) return;
    const action = {
      " ": () => (this.playing ? this.pause() : this.play()),
      ArrowRight: () => this.step(1),
      ArrowLeft: () => this.step(-1),
      Home: () => this.go(0),
      End: () => this.go(Infinity),
      o: () => this.toggle(this.subject),
      a: () => this.toggleAll(),
      "+": () => this.picture.zoom(1.25),
      "-": () => this.picture.zoom(0.8),
      0: () => this.picture.fit(),
      t: () => find("theme").click(),
      "?": () => find("keys").showModal(),
      Escape: () => {
        this.looked = this.picked = null;
        this.drawCard();
      },
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  setTheme(theme) {
    this.theme = theme;
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    const button = find("theme");
    button.textContent = THEME_SIGNS[theme];
    button.setAttribute("aria-label", `Colours: ${theme}`);
  }
}

/** The ends of a slider: those that were given, or a round number on either side of zero, well beyond the value. */
function sliderRange(value, { low, high, step }) {
  if (low !== undefined) return { min: low, max: high, step: step ?? (high - low) / SLIDER_STEPS };
  const size = Number.isFinite(value) && value !== 0 ? Math.min(Math.abs(value), 1e300) : 2;
  const power = 10 ** Math.floor(Math.log10(2 * size));
  const end = [1, 2, 3, 5, 10].map((factor) => factor * power).find((one) => one >= 2 * size) ?? 10 * power;
  return { min: -end, max: end, step: end / (SLIDER_STEPS / 2) };
}

/** Write a value into a slider, whose ends may have to give way, or a box. */
function writeField(field, value) {
  if (field.type === "number") field.value = Number.isFinite(value) ? String(value) : "";
  else if (Number.isFinite(value)) {
    if (value > Number(field.max)) field.max = value;
    if (value < Number(field.min)) field.min = value;
    field.value = value;
  }
}

window.gradcalc = new Page();
