// ---- a circuit: what is visible, and the numbers ---------------------------------------------------------------------------------

/** Numbers that JSON lacks come as texts. */
const numberOf = (value) => (typeof value === "string" ? Number(value) : value);

/**
 * One output with all that is inside its gates. Which gates are open decides what is seen and how numbers are calculated: a composed
 * gate that is closed by its own rule, one that is open by the gates inside it. User gates have no rules of their own and are always
 * calculated from inside.
 */
class Circuit {
  /**
   * @param data items, inputs and texts, as Python made them
   * @param words texts about the operators
   * @param rules for each operator its forward function and its slopes, or null
   * @param again the simplified derivatives of the closed and the opened graph, or null
   */
  constructor(data, words, rules, again) {
    Object.assign(this, { data, words, rules, again, items: data.items, output: data.output, scalar: data.scalar });
    this.given = data.inputs.map((input) => numberOf(input.value));
    this.inputs = [...this.given];
    this.open = new Set([...this.items.keys()].filter((id) => this.items[id].open));
    this.upstream = data.upstream ?? 1;
    this.arrange();
  }

  operator(id) {
    return this.words[this.items[id].operator];
  }

  /** Whether a gate can be opened. */
  canOpen(id) {
    return this.items[id].result !== undefined;
  }

  /** All gates that an item is inside of, from the innermost. */
  *homes(id) {
    for (let home = this.items[id].home; home >= 0; home = this.items[home].home) yield home;
  }

  setOpen(id, open) {
    if (open) this.open.add(id);
    else this.open.delete(id);
    this.arrange();
  }

  /** Open or close every gate. */
  setAllOpen(open) {
    this.open = new Set(open ? [...this.items.keys()].filter((id) => this.canOpen(id)) : []);
    this.arrange();
  }

  /** The item that has the value of an item: of a gate that is calculated from inside, the result in it. */
  resolve(id) {
    let item = this.items[id];
    while (item.result !== undefined && (item.own || this.open.has(id))) {
      id = item.result;
      item = this.items[id];
    }
    return id;
  }

  /** The item at which a wire that leads to an input begins, as it is seen. */
  origin(id) {
    for (;;) {
      const item = this.items[id];
      if (item.kind === "port") id = item.in[0];
      else if (item.result !== undefined && this.open.has(id)) id = item.result;
      else return id;
    }
  }

  /** Find out what is visible and in which steps numbers are calculated, for the gates that are open now. */
  arrange() {
    const { items, open } = this;
    this.visible = [];
    this.steps = [];
    for (const [id, item] of items.entries()) {
      const homes = [...this.homes(id)];
      if (homes.every((home) => items[home].own || open.has(home)) && this.resolve(id) === id) this.steps.push(id);
      if (homes.every((home) => open.has(home)) && item.kind !== "port" && !open.has(id)) this.visible.push(id);
    }
    this.wires = [];
    this.places = new Map();
    for (const id of this.visible) {
      const item = items[id];
      if (item.kind !== "gate") continue;
      item.in.forEach((source, place) => {
        if (item.folded.includes(place)) return;
        this.wires.push({ key: `${id}:${place}`, from: this.origin(source), to: id, place });
      });
    }
    // Constants that are written into their gates have no place of their own; nor has what leads to nothing that is seen.
    const used = new Set(this.wires.map((wire) => wire.from));
    this.visible = this.visible.filter((id) => items[id].kind !== "constant" || used.has(id) || id === this.origin(this.output));
    this.visible.forEach((id, index) => this.places.set(id, index));
    this.last = this.origin(this.output);
    this.users = new Map(this.visible.map((id) => [id, []]));
    for (const wire of this.wires) this.users.get(wire.from).push(wire);
    this.findWanted();
    this.calculate();
  }

  /** Which items depend on an input in such a way that a derivative flows. */
  findWanted() {
    const { items } = this;
    this.wanted = new Array(items.length).fill(false);
    const reached = new Array(items.length).fill(false);
    for (const id of this.steps) {
      const item = items[id];
      this.wanted[id] = item.kind === "input" || item.in.some((source, place) => this.flows(id, place) && this.wanted[this.resolve(source)]);
    }
    // What only decides (a condition) hands nothing back; what the output does not need has a gradient, which is zero.
    const needed = new Set([this.resolve(this.output)]);
    reached[this.resolve(this.output)] = true;
    for (const id of [...this.steps].reverse()) {
      items[id].in.forEach((source, place) => {
        const target = this.resolve(source);
        if (needed.has(id)) needed.add(target);
        if (needed.has(id) && reached[id] && this.flows(id, place)) reached[target] = true;
      });
      if (!needed.has(id)) reached[id] = true;
    }
    for (const id of this.steps) this.wanted[id] = this.wanted[id] && (reached[id] || items[id].kind === "input");
    for (const id of items.keys()) this.wanted[id] = this.wanted[this.resolve(id)];
  }

  /** Whether a derivative may flow through an input of an item. */
  flows(id, place) {
    const item = this.items[id];
    return item.operator === undefined || !this.words[item.operator].stops.includes(place);
  }

  /** The open gates that are seen, outer ones first. */
  shownGroups() {
    return [...this.open].filter((id) => [...this.homes(id)].every((home) => this.open.has(home))).sort((a, b) => b - a);
  }

  /** What is written above an open gate. */
  groupTitle(id) {
    const { name } = this.items[id];
    const gate = this.operator(id).name;
    return name ? `${name} = ${gate}` : gate;
  }

  /** Whether the order of a gate's inputs makes no difference. */
  commutes(id) {
    const { operator } = this.items[id];
    return operator === undefined || this.words[operator].commutes;
  }

  // ---- numbers ------------------------------------------------------------------------------------------------------------------

  /** Values and gradients for the inputs as they are now; `flow[id][place]` is what a gate hands on to an input, null for no path. */
  calculate() {
    if (!this.scalar) return;
    const { items } = this;
    const count = items.length;
    this.value = new Array(count).fill(NaN);
    for (const id of this.steps) this.value[id] = this.forward(id);
    for (const id of items.keys()) this.value[id] = this.value[this.resolve(id)];
    const end = this.resolve(this.output);
    [this.gradient, this.flow] = this.backward(end, this.upstream, this.steps, false);
    if (Number.isFinite(this.value[end])) this.lookAgain(end);
    for (const id of items.keys()) {
      this.gradient[id] = this.gradient[this.resolve(id)];
      const item = items[id];
      if (item.own && this.places.has(id)) this.flow[id] = item.ports.map((port) => (this.wanted[port] ? this.gradient[port] : null));
    }
  }

  forward(id) {
    const item = this.items[id];
    if (item.kind === "input") return this.inputs[item.number];
    if (item.kind === "constant") return numberOf(item.value);
    return this.rules[item.operator].forward(...this.arguments(id));
  }

  arguments(id) {
    return this.items[id].in.map((source) => this.value[this.resolve(source)]);
  }

  /** The backward pass over some of the steps, from an item with a gradient; with the conventions of the gates, if that is asked for. */
  backward(end, seed, steps, agreed) {
    const gradient = new Array(this.items.length).fill(0);
    const flow = new Array(this.items.length);
    const reached = new Set([end]);
    gradient[end] = seed;
    for (let index = steps.length - 1; index >= 0; index--) {
      const id = steps[index];
      const item = this.items[id];
      if (item.operator === undefined || !this.wanted[id]) continue;
      flow[id] = item.in.map((source, place) => {
        const target = this.resolve(source);
        if (!reached.has(id) || !this.wanted[target] || !this.flows(id, place)) return null;
        const slope = this.slope(id, place, agreed);
        if (slope === null) return null;
        const part = gradient[id] * slope;
        gradient[target] += part;
        reached.add(target);
        return part;
      });
    }
    return [gradient, flow];
  }

  /** The local derivative of a gate by one of its inputs, null where there is no path. */
  slope(id, place, agreed = false) {
    const item = this.items[id];
    const rule = this.rules[item.operator];
    if (!rule?.slopes[place]) return null;
    const inputs = this.arguments(id);
    const slope = rule.slopes[place](this.value[id], ...inputs);
    if (agreed && rule.conventions && slope !== null && !Number.isFinite(slope) && Number.isFinite(this.value[id])) {
      const convention = rule.conventions(this.value[id], ...inputs)[place];
      return Number.isFinite(convention) ? convention : slope;
    }
    return slope;
  }

  /** What no chain rule gives: where a gradient is not finite, the simplified derivative tells it, or else a convention. */
  lookAgain(end) {
    const { items, gradient, wanted, again } = this;
    const open = () => this.steps.filter((id) => wanted[id] && !Number.isFinite(gradient[id]) && items[id].kind !== "port");
    let lost = open();
    if (!lost.length) return;
    const take = (id, found) => {
      if (found === null || Number.isFinite(found)) gradient[id] = (found ?? 0) * this.upstream;
    };
    if (again && lost.some((id) => Number.isNaN(gradient[id]))) {
      const [closed, opened] = [again.closed(this.inputs), again.opened(this.inputs)];
      for (const id of lost) if (Number.isNaN(gradient[id])) take(id, items[id].closed >= 0 ? closed[items[id].closed] : opened[items[id].opened]);
      lost = open();
    }
    if (lost.length && again?.settled) {
      const owner = new Map(this.steps.filter((id) => items[id].kind === "gate").map((id) => [items[id].closed, id]));
      const slopes = again.settled.places.map(([node, place]) => this.slope(owner.get(node), place, true) ?? 0);
      const closed = again.settled.derivatives([...this.inputs, ...slopes]);
      for (const id of lost) if (items[id].closed >= 0) take(id, closed[items[id].closed]);
      lost = open();
    }
    if (!lost.length) return;
    const [agreed] = this.backward(end, this.upstream, this.steps, true);
    for (const id of lost) if (Number.isFinite(agreed[id])) gradient[id] = agreed[id];
  }

  /** The local derivatives of a gate as numbers; of a user gate by a pass of its own through its inside. */
  slopes(id) {
    const item = this.items[id];
    if (!this.scalar) return item.in.map(() => null);
    if (!item.own) return item.in.map((source, place) => (this.flows(id, place) ? this.slope(id, place, true) : null));
    const inner = this.steps.filter((step) => [...this.homes(step)].includes(id));
    const [gradient] = this.backward(this.resolve(id), 1, inner, true);
    return item.ports.map((port) => (this.wanted[port] ? gradient[port] : null));
  }

  // ---- texts --------------------------------------------------------------------------------------------------------------------

  /** The row of a circuit of arrays that belongs to an item. */
  row(id) {
    const item = this.items[id];
    return item.closed >= 0 ? this.data.numbers.closed[item.closed] : this.data.numbers.opened[item.opened];
  }

  valueText(id, long = false) {
    if (!this.scalar) return this.row(id)[long ? 1 : 0].replaceAll("-", "−");
    return long ? exact(this.value[id]) : short(this.value[id]);
  }

  gradientText(id, long = false) {
    if (!this.scalar) return this.row(id)[long ? 3 : 2].replaceAll("-", "−");
    if (!this.wanted[id]) return "";
    return long ? exact(this.gradient[id]) : short(this.gradient[id]);
  }

  /** What an item is called: its name, or what it calculates. */
  label(id) {
    const item = this.items[id === this.last ? this.output : id];
    return item.name || typeset(item.text);
  }

  /** How the inputs of a gate are called in its formulas: by name or as they are written if that is short, else by a letter. */
  inputLabels(gate) {
    const { parameters } = this.operator(gate);
    const texts = this.items[gate].in.map((source) => {
      const text = this.label(this.origin(source));
      return text.length <= (isAtom(text) ? 14 : 8) && !text.includes("…") ? text : null;
    });
    const taken = this.names(texts);
    return texts.map((text, place) => {
      if (text !== null) return text;
      const letter = freeLetter([parameters[place], "u", "v", "w", "p", "q", "r"], taken);
      taken.add(letter);
      return letter;
    });
  }

  /** All names of the program, and some more texts: what no letter may be. */
  names(more = []) {
    return new Set([...more, ...this.items.map((item) => item.name || item.symbol)]);
  }

  /** A gate on its inputs as they are written, where that is short; else on letters, with what they stand for. */
  formula(gate) {
    const { usage } = this.operator(gate);
    const texts = this.items[gate].in.map((source) => this.label(this.origin(source)));
    const whole = filled(usage, texts);
    if (whole.length <= FORMULA_ROOM && !whole.includes("…")) return { text: whole, meanings: [] };
    const labels = this.inputLabels(gate);
    const meanings = texts.map((text, place) => [labels[place], text]).filter(([label, text]) => label !== text);
    return { text: filled(usage, labels), meanings: meanings.filter(([label], place) => meanings.findIndex(([other]) => other === label) === place) };
  }

  /** How the result of a gate is called in its formulas. */
  resultLabel(gate) {
    const { name } = this.items[gate];
    if (name) return name;
    const written = filled(this.operator(gate).usage, this.inputLabels(gate));
    return written.length <= 24 ? written : freeLetter(["y", "z", "r", "s"], this.names(this.inputLabels(gate)));
  }
}

const FORMULA_ROOM = 60;

/** The first letter that is not taken; else one with a dash. */
const freeLetter = (letters, taken) => letters.find((one) => !taken.has(one)) ?? `${letters[0]}′`;

// ---- numbers and formulas as texts -----------------------------------------------------------------------------------------------

let digits = 4;

/** With a few significant digits, in as few characters as it takes. */
function short(value) {
  if (!Number.isFinite(value)) return String(value).replace("Infinity", "∞").replace("-", "−").replace("NaN", "nan");
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return sign(String(value));
  const text = size >= 1e-4 && size < 1e6 ? String(Number(value.toPrecision(digits))) : value.toExponential(digits - 1);
  return sign(text.replace(/\.?0+e/, "e").replace("e+", "e"));
}

/** All digits. */
function exact(value) {
  if (!Number.isFinite(value)) return short(value);
  return sign(String(value).replace("e+", "e"));
}

const sign = (text) => text.replaceAll("-", "−");

/** A formula of the language as books print it. */
const typeset = (text) => text.replace(/(?<!\*)\*(?!\*)/g, "·").replaceAll("-", "−").replaceAll("<=", "≤").replaceAll(">=", "≥").replaceAll("!=", "≠");

/** A sentence with formulas in it: a hyphen between letters stays one. */
const typesetSentence = (text) => text.replaceAll("*", "·").replace(/(?<!\p{L})-(?!\p{L}{3})|-(?=\d)/gu, "−");

const RESULT = "\ue0ff";
const SLOT = /[\ue000-\ue0ff]/g;

/**
 * A formula with its slots filled in.
 *
 * @param texts for each input its text
 * @param result the text for the gate's own result
 */
function filled(template, texts, result = "y") {
  const printed = typeset(template);
  return printed.replace(SLOT, (slot, at) => {
    const text = slot === RESULT ? result : texts[slot.charCodeAt(0) - 0xe000];
    const before = printed[at - 1] ?? "(";
    const behind = printed[at + 1] ?? ")";
    const enclosed = "(,[ ".includes(before) && "),]".includes(behind) && (before !== " " || printed[at - 2] === ",");
    const leads = at === 0 && behind === " " && /^−?[\d.]+$/.test(text); // −2 + 5
    const tight = "( ".includes(before) && ") ".includes(behind) && !text.startsWith("−") && !hasSpace(text); // a·b + c
    return enclosed || leads || tight || isAtom(text) ? text : `(${text})`;
  });
}

/** Whether a text has a space outside of brackets, as around operators that bind loosely. */
function hasSpace(text) {
  let depth = 0;
  for (const character of text) {
    if ("([".includes(character)) depth++;
    else if (")]".includes(character)) depth--;
    else if (character === " " && depth === 0) return true;
  }
  return false;
}

/** Whether a text needs no brackets: a name, a number without a sign, a call, something in brackets. */
function isAtom(text) {
  let depth = 0;
  for (const [at, character] of [...text].entries()) {
    if ("([".includes(character)) depth++;
    else if (")]".includes(character)) depth--;
    else if (depth === 0 && (!/[\p{L}\p{N}_.…]/u.test(character) || (at && ")]".includes(text[at - 1])))) return false;
  }
  return true;
}

/** A number in brackets if it has a sign, unless it stands first. */
const bracketed = (text, first = false) => (text.startsWith("−") && !first ? `(${text})` : text);
