// ---- the passes, step by step ----------------------------------------------------------------------------------------------------

const FORWARD = "forward";
const SEED = "seed";
const BACKWARD = "backward";

/** The steps of both passes over the gates that are visible, and where the reader is: behind `at` of them. */
class Player {
  constructor(circuit) {
    this.circuit = circuit;
    this.at = 0;
    this.stepped = false;
    this.plan();
    this.at = this.steps.length;
  }

  /** Make the steps anew, after gates were opened or closed; stay at the same gate, or at the end. */
  plan() {
    const { circuit } = this;
    const before = this.steps;
    const ended = before === undefined || this.at === before.length;
    const current = before?.[this.at - 1];
    const gates = circuit.visible.filter((id) => circuit.items[id].kind === "gate");
    const back = gates.filter((id) => circuit.wanted[id]).reverse();
    this.steps = [
      ...gates.map((gate) => ({ pass: FORWARD, gate })),
      ...(circuit.wanted[circuit.last] ? [{ pass: SEED, gate: circuit.last }, ...back.map((gate) => ({ pass: BACKWARD, gate }))] : []),
    ];
    this.turn = this.steps.filter((step) => step.pass === FORWARD).length;
    this.order = new Map(this.steps.map((step, index) => [`${step.pass} ${step.gate}`, index]));
    if (ended) this.at = this.steps.length;
    else if (current === undefined) this.at = 0;
    else this.at = this.near(current) + 1;
  }

  /** The step that stands for one of an earlier plan: that of the same gate, of what it was opened into, or of what it went into. */
  near({ pass, gate }) {
    const candidates = [gate, this.circuit.origin(gate), ...this.circuit.homes(gate)];
    const found = candidates.map((id) => this.order.get(`${pass} ${id}`)).find((index) => index !== undefined);
    return found ?? (pass === FORWARD ? 0 : this.turn) - 1;
  }

  get ended() {
    return this.at === this.steps.length;
  }

  /** Whether both passes are done and it is not the last step that the reader looks at. */
  get resting() {
    return this.ended && !this.stepped;
  }

  /** The step that was made last, or undefined. */
  get current() {
    return this.steps[this.at - 1];
  }

  /** Go to a step; `stepped` says whether the reader is on the way through the steps, or jumps. */
  go(at, stepped = false) {
    this.stepped = stepped;
    this.at = Math.max(0, Math.min(this.steps.length, at));
  }

  done(pass, gate) {
    const index = this.order.get(`${pass} ${gate}`);
    return index !== undefined && index < this.at;
  }

  /** Whether the value of an item is known at this step. */
  showsValue(id) {
    return this.circuit.items[id].kind !== "gate" || this.done(FORWARD, id);
  }

  /** Whether something has come back to an item at this step. */
  showsGradient(id) {
    const { circuit } = this;
    if (!circuit.wanted[id] || this.at <= this.turn) return false;
    if (id === circuit.last) return true;
    const users = circuit.users.get(id).filter((wire) => circuit.wanted[wire.to]);
    return users.every((wire) => this.done(BACKWARD, wire.to));
  }

  // ---- what happens, in words ---------------------------------------------------------------------------------------------------

  /** The present step: which pass, its number, and a sentence as pieces `[class, text]`. */
  caption() {
    const { circuit, current } = this;
    const label = (id) => circuit.label(id);
    if (current === undefined) {
      return { pass: "", pieces: [["", "The inputs have their values. Go forward: gate by gate the others follow."]] };
    }
    const { pass, gate } = current;
    if (pass === SEED) {
      return {
        pass: "turn",
        pieces: [["", circuit.upstream === 1 ? "Now backward. The derivative of " : "Now backward. From above comes to "], ["name", label(gate)], ["", circuit.upstream === 1 ? " by itself is " : " the gradient "], ["gradient", circuit.gradientText(gate)], ["", "."]],
      };
    }
    const number = pass === FORWARD ? this.at : this.at - this.turn - 1;
    const count = pass === FORWARD ? this.turn : this.steps.length - this.turn - 1;
    const pieces = pass === FORWARD ? this.forwardWords(gate) : this.backwardWords(gate);
    return { pass, number, count, pieces };
  }

  forwardWords(gate) {
    const { circuit } = this;
    const item = circuit.items[gate];
    const { usage } = circuit.operator(gate);
    const pieces = [];
    const { text: written, meanings } = circuit.formula(gate);
    if (item.name) pieces.push(["name", item.name], ["", " = "]);
    if (written.length <= FORMULA_ROOM) pieces.push(["formula", written], ["", " = "]);
    if (circuit.scalar && item.in.length <= 4) {
      const numbers = filled(usage, item.in.map((source) => circuit.valueText(circuit.origin(source))));
      if (numbers !== written) pieces.push(["formula", numbers], ["", " = "]);
    }
    pieces.push(["value", circuit.valueText(gate)]);
    if (written.length > FORMULA_ROOM || meanings.length > 4) return pieces;
    meanings.forEach(([letter, text], index) => {
      const short = text.length > FORMULA_ROOM ? `${text.slice(0, FORMULA_ROOM - 1)}…` : text;
      pieces.push(["", index ? ", " : ", with "], ["formula", `${letter} = ${short}`]);
    });
    return pieces;
  }

  backwardWords(gate) {
    const { circuit } = this;
    const item = circuit.items[gate];
    const wires = circuit.wires.filter((wire) => wire.to === gate);
    const pieces = [["", "To "], ["name", circuit.label(gate)], ["", " comes "], ["gradient", circuit.gradientText(gate)]];
    if (!circuit.scalar) return [...pieces, ["", `. ${typesetSentence(circuit.operator(gate).sentence)}`]];
    const slopes = circuit.slopes(gate);
    const parts = wires.filter((wire) => circuit.wanted[wire.from]);
    pieces.push(["", parts.length ? "; on goes " : "; nothing goes on"]);
    parts.slice(0, 4).forEach((wire, index) => {
      const flow = circuit.flow[gate][wire.place];
      if (index) pieces.push(["", ", "]);
      if (flow === null) pieces.push(["", "nothing"]);
      else pieces.push(["formula", `${bracketed(circuit.gradientText(gate), true)} · ${bracketed(short(slopes[wire.place]))} = `], ["gradient", short(flow)]);
      pieces.push(["", " to "], ["name", circuit.label(wire.from)]);
    });
    if (parts.length > 4) pieces.push(["", ` and so on, to ${parts.length} inputs`]);
    return [...pieces, ["", "."]];
  }
}
