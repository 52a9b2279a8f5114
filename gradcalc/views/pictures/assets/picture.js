// ---- the picture: places, drawing, and a way around in it ------------------------------------------------------------------------

const SVG = "http://www.w3.org/2000/svg";
const RADIUS = 18;
const NUMBER_SIZE = 12;
const SYMBOL_SIZE = 15;
const NAME_SIZE = 17;
const LABEL_SIZE = 13;
const PADDING = 7; // between a gate and the numbers at its wire, and behind them
const NUMBER_ROOM = 46; // a wire has at least so much room for numbers, which change
const UPRIGHT_LEAD = 34; // how long a wire that goes down is, with its numbers at its sides
const ENTRY_GAP = 13; // between wires that enter a box
const SIDES = 0.55; // how far around a circle, as an angle, wires enter it
const GAP = 30;
const MOST_GAP = 110; // between columns, the more the more steeply wires run there
const GROUP_PADDING = 11;
const GROUP_TITLE = 17;
const MOST_ALIGNED = 14; // up to so many inputs all stand in the first column
const LONG_WIRES = 700; // columns that wires pass, all in all, before the longest are left out of the layout
const MANY = 300; // of more items the layout is the fast one of dagre's
const MOVED = 260; // with more wires than this nothing moves
const DURATION = 380;
const SAMPLES = 20;
const CONTROLS = 40; // the height that is left to the buttons below
const LANE = 16;
const SMALL = 0.55;
const READABLE = 0.8; // a circuit that would have to be drawn at less than the first is shown in part at first, at the second

const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

function element(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const canvas = document.createElement("canvas").getContext("2d");
const fonts = { number: "", name: "" };

/** How wide a text is. */
function textWidth(text, size, font = "number") {
  canvas.font = `${font === "name" ? "italic " : ""}${size}px ${fonts[font]}`;
  return canvas.measureText(text).width;
}

/** The size of an item: of its symbol, of its own wire, and the room it needs on either side of that wire. */
function measure(circuit, id, upright) {
  const item = circuit.items[id];
  const leaf = item.kind !== "gate";
  const entries = leaf ? 0 : item.in.length - item.folded.length;
  const written = leaf && item.kind === "input" ? textWidth(item.symbol, NAME_SIZE, "name") + 4 : textWidth(item.symbol, SYMBOL_SIZE);
  const crowded = (entries + 0.6) * ENTRY_GAP;
  const long = leaf ? written + 6 : written <= 2 * RADIUS - 8 ? 2 * RADIUS : written + 20;
  const width = upright ? Math.max(long, leaf ? 0 : crowded) : long;
  const height = leaf ? NAME_SIZE * 1.3 : upright ? 2 * RADIUS : Math.max(2 * RADIUS, crowded);
  const round = !leaf && width === 2 * RADIUS && height === 2 * RADIUS && !circuit.canOpen(id);
  const value = item.kind === "constant" ? 0 : Math.max(textWidth(circuit.valueText(id), NUMBER_SIZE), circuit.scalar ? NUMBER_ROOM : 0);
  const gradient = circuit.wanted[id] ? Math.max(textWidth(circuit.gradientText(id), NUMBER_SIZE), circuit.scalar ? NUMBER_ROOM : 0) : 0;
  const name = !leaf && item.name && id !== circuit.last ? textWidth(item.name, LABEL_SIZE, "name") : 0;
  const size = { id, leaf, round, width, height, label: name };
  if (upright) {
    size.lead = item.kind === "constant" ? 14 : UPRIGHT_LEAD;
    size.before = Math.max(width / 2, value + PADDING);
    size.behind = Math.max(width / 2 + (name ? name + 6 : 0), gradient + PADDING);
    size.along = height;
  } else {
    const numbers = Math.max(value, gradient);
    size.lead = numbers ? numbers + 2 * PADDING : 2 * PADDING;
    // As much above as below, so that the wires of a chain are straight.
    size.before = size.behind = Math.max(height / 2 + 1, NUMBER_SIZE + 7) + (!leaf && item.name ? LABEL_SIZE : 0);
    size.along = width;
  }
  return size;
}

/** How many columns each wire passes, if every gate stands as near to its inputs as it can. */
function spans(circuit) {
  const rank = new Map();
  for (const id of circuit.visible) rank.set(id, 0);
  for (const wire of circuit.wires) rank.set(wire.to, Math.max(rank.get(wire.to), rank.get(wire.from) + 1));
  const near = new Map();
  for (const { from, to } of circuit.wires) near.set(from, Math.min(near.get(from) ?? Infinity, rank.get(to) - 1));
  for (const id of circuit.visible) if (circuit.items[id].kind !== "gate") rank.set(id, near.get(id) ?? 0);
  return new Map(circuit.wires.map((wire) => [wire.key, rank.get(wire.to) - rank.get(wire.from)]));
}

/** The wires that decide about the layout: all, or in large circuits those that are not too long, and one of each item at least. */
function leading(circuit) {
  const span = spans(circuit);
  const sorted = [...circuit.wires].sort((a, b) => span.get(a.key) - span.get(b.key));
  let room = LONG_WIRES;
  const met = new Set();
  return sorted.filter((wire) => {
    room -= span.get(wire.key);
    const needed = !met.has(wire.from) || !met.has(wire.to);
    met.add(wire.from).add(wire.to);
    return needed || room > 0;
  });
}

/** dagre's answer: for each item its column (as a coordinate) and height, and the same for the wires that pass columns. */
function ranked(circuit, sizes, upright) {
  const graph = new dagre.graphlib.Graph({ multigraph: true, compound: true });
  const groups = circuit.open.size > 0;
  graph.setGraph({ rankdir: upright ? "TB" : "LR", nodesep: groups ? 26 : 13, edgesep: 12, ranksep: GAP, ranker: circuit.visible.length > MANY ? "tight-tree" : "network-simplex" });
  for (const id of circuit.visible) {
    const size = sizes.get(id);
    const main = size.along + size.lead;
    const cross = size.before + size.behind;
    graph.setNode(String(id), upright ? { width: cross, height: main } : { width: main, height: cross });
  }
  for (const id of circuit.shownGroups()) graph.setNode(`group${id}`, {});
  const home = (id) => circuit.items[id].home;
  for (const id of circuit.visible) if (home(id) >= 0) graph.setParent(String(id), `group${home(id)}`);
  for (const id of circuit.shownGroups()) if (home(id) >= 0) graph.setParent(`group${id}`, `group${home(id)}`);
  for (const wire of leading(circuit)) graph.setEdge(String(wire.from), String(wire.to), { weight: wire.place === 0 ? 2 : 1 }, wire.key);
  const inputs = circuit.visible.filter((id) => circuit.items[id].kind === "input");
  if (inputs.length <= MOST_ALIGNED && !upright) {
    graph.setNode("start", { width: 1, height: 1 });
    for (const id of inputs) graph.setEdge("start", String(id), { weight: 60 }, `start${id}`);
  }
  dagre.layout(graph);
  const turned = ({ x, y }) => (upright ? { main: y, cross: x } : { main: x, cross: y });
  const places = new Map(circuit.visible.map((id) => [id, turned(graph.node(String(id)))]));
  const passing = new Map();
  for (const edge of graph.edges()) if (edge.v !== "start") passing.set(edge.name, graph.edge(edge).points.slice(1, -1).map(turned));
  return { places, passing };
}

/** The same places, turned upside down if that brings what comes first in the formula to the top. */
function righted(circuit, { places, passing }) {
  const order = circuit.visible.filter((id) => circuit.items[id].kind === "input").map((id) => places.get(id).cross);
  let downwards = 0;
  order.forEach((cross, index) => order.slice(0, index).forEach((other) => (downwards += Math.sign(cross - other))));
  if (downwards < 0) {
    for (const place of places.values()) place.cross = -place.cross;
    for (const points of passing.values()) for (const point of points) point.cross = -point.cross;
  }
  return { places, passing };
}

/**
 * Places for everything that is visible.
 *
 * Columns and heights are dagre's; within a column symbols are put below each other and wires end together, as in the other pictures of
 * gradcalc. With `upright` columns are rows, and wires go down.
 */
function layOut(circuit, upright) {
  const sizes = new Map(circuit.visible.map((id) => [id, measure(circuit, id, upright)]));
  const { places, passing } = righted(circuit, ranked(circuit, sizes, upright));
  const columns = columnsOf(places);
  for (const column of columns) {
    const members = column.ids.map((id) => sizes.get(id));
    column.before = Math.max(...members.map((size) => (size.leaf ? size.along : size.along / 2)));
    column.behind = Math.max(...members.map((size) => (size.leaf ? 0 : size.along / 2) + size.lead));
  }
  const columnAt = new Map(columns.flatMap((column) => column.ids.map((id) => [id, column])));
  const lane = lanes(circuit, places, sizes, passing);
  const hops = new Map(circuit.wires.map((wire) => [wire.key, hopsOf(wire, passing, columns, columnAt, lane)]));
  spread(circuit, columns, places, hops, columnAt);

  const point = (main, cross) => (upright ? { x: cross, y: main } : { x: main, y: cross });
  const nodes = new Map();
  for (const [id, size] of sizes) {
    const column = columnAt.get(id);
    const cross = places.get(id).cross + (size.before - size.behind) / 2;
    const main = column.start + column.before;
    const centre = size.leaf ? main - size.along / 2 : main;
    // The output's wire ends outside the gates that it is inside of.
    const tail = id === circuit.last ? [...circuit.homes(id)].length * (GROUP_PADDING + 6) : 0;
    nodes.set(id, {
      ...size,
      cross,
      tip: point(column.end + tail, cross),
      at: point(centre, cross),
      exit: point(size.leaf ? main : main + size.along / 2, cross),
      end: point(column.end, cross),
      main: [column.start, column.end],
    });
  }
  const wires = new Map();
  for (const id of circuit.visible) {
    for (const [key, points] of wiresInto(circuit, id, nodes, hops, columns, point, upright)) wires.set(key, points);
  }
  const groups = boxes(circuit, nodes, hops, upright);
  return framed({ nodes, wires, groups, upright });
}

function columnsOf(places) {
  const columns = [];
  for (const [id, { main }] of [...places].sort((a, b) => a[1].main - b[1].main)) {
    const last = columns.at(-1);
    if (last && main - last.main < 1) last.ids.push(id);
    else columns.push({ main, ids: [id] });
  }
  return columns;
}

/** For wires that had no part in the layout: above all else a height for each item at which some begin. */
function lanes(circuit, places, sizes, passing) {
  const top = Math.min(...circuit.visible.map((id) => places.get(id).cross - sizes.get(id).before));
  const made = new Map();
  for (const wire of circuit.wires) {
    if (!passing.has(wire.key) && !made.has(wire.from)) made.set(wire.from, top - LANE * (made.size + 1));
  }
  return made;
}

/** The heights of a wire in the columns that it passes, as `[index of the column, height, index of the last such column]`. */
function hopsOf(wire, passing, columns, columnAt, lane) {
  const from = columns.indexOf(columnAt.get(wire.from));
  const to = columns.indexOf(columnAt.get(wire.to));
  const points = passing.get(wire.key);
  if (points === undefined) return to - from > 1 ? [[from + 1, lane.get(wire.from), to - 1]] : [];
  const found = [];
  for (let index = from + 1; index < to; index++) {
    const near = points.find((one) => Math.abs(one.main - columns[index].main) < 1);
    if (near) found.push([index, near.cross, index]);
  }
  return found;
}

/** Inside how many open gates the innermost of some items is. */
const depth = (circuit, ids) => Math.max(...ids.map((id) => [...circuit.homes(id)].length));

/** Where columns begin and end: the farther from each other, the more steeply wires run between them. */
function spread(circuit, columns, places, hops, columnAt) {
  const steepest = new Array(columns.length).fill(0);
  for (const wire of circuit.wires) {
    let height = places.get(wire.from).cross;
    for (const [index, cross] of [...hops.get(wire.key), [columns.indexOf(columnAt.get(wire.to)), places.get(wire.to).cross]]) {
      if (index >= 0) steepest[index] = Math.max(steepest[index], Math.abs(cross - height));
      height = cross;
    }
  }
  let end = 0;
  columns.forEach((column, index) => {
    column.start = index ? end + Math.min(MOST_GAP, GAP + 0.16 * steepest[index] + Math.abs(depth(circuit, columns[index - 1].ids) - depth(circuit, column.ids)) * GROUP_PADDING) : 0;
    end = column.end = column.start + column.before + column.behind;
  });
}

/** The wires that lead to an item: points in pairs; a curve leads from one pair to the next, a straight line across a pair. */
function* wiresInto(circuit, id, nodes, hops, columns, point, upright) {
  const node = nodes.get(id);
  const into = circuit.wires.filter((wire) => wire.to === id);
  const lastCross = (wire) => hops.get(wire.key).at(-1)?.[1] ?? nodes.get(wire.from).cross;
  const order = [...into].sort((a, b) => lastCross(a) - lastCross(b) || a.place - b.place);
  const marked = !circuit.commutes(id) && order.some((wire, slot) => wire !== into[slot]);
  for (const [slot, wire] of order.entries()) {
    const from = nodes.get(wire.from);
    const points = [from.end];
    for (const [first, cross, last] of hops.get(wire.key)) points.push(point(columns[first].start, cross), point(columns[last].end, cross));
    points.push(entry(node, slot, order.length, upright));
    yield [wire.key, { points, mark: marked ? String(wire.place + 1) : "" }];
  }
}

/** Where a wire enters an item. */
function entry(node, slot, count, upright) {
  const { x, y } = node.at;
  const side = count === 1 ? 0 : (2 * slot) / (count - 1) - 1;
  if (node.round) {
    const angle = SIDES * side;
    return upright
      ? { x: x + RADIUS * Math.sin(angle), y: y - RADIUS * Math.cos(angle) }
      : { x: x - RADIUS * Math.cos(angle), y: y + RADIUS * Math.sin(angle) };
  }
  const room = upright ? node.width : node.height;
  const away = (Math.min(ENTRY_GAP, (room - 8) / count) * side * (count - 1)) / 2;
  return upright ? { x: x + away, y: y - node.height / 2 } : { x: x - node.width / 2, y: y + away };
}

/** The boxes of open gates, around what is inside. */
function boxes(circuit, nodes, hops, upright) {
  const found = new Map();
  for (const id of circuit.shownGroups().reverse()) {
    const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
    const take = (left, top, right, bottom) => {
      box.left = Math.min(box.left, left);
      box.top = Math.min(box.top, top);
      box.right = Math.max(box.right, right);
      box.bottom = Math.max(box.bottom, bottom);
    };
    for (const node of nodes.values()) {
      if (circuit.items[node.id].home !== id) continue;
      const [start, end] = node.main;
      if (upright) take(node.cross - node.before, start, node.cross + node.behind, end);
      else take(start, node.cross - node.before, end, node.cross + node.behind);
    }
    for (const [inner, other] of found) if (circuit.items[inner].home === id) take(other.left, other.top, other.right, other.bottom);
    const title = textWidth(circuit.groupTitle(id), LABEL_SIZE, "name") + 44;
    const left = box.left - GROUP_PADDING;
    const right = Math.max(box.right + GROUP_PADDING - (upright ? 0 : 4), left + title);
    found.set(id, { left, top: box.top - GROUP_PADDING - GROUP_TITLE, right, bottom: box.bottom + GROUP_PADDING - 2 });
  }
  return found;
}

/** The layout with its extent. */
function framed(layout) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  const take = (x1, y1, x2, y2) => {
    left = Math.min(left, x1);
    top = Math.min(top, y1);
    right = Math.max(right, x2);
    bottom = Math.max(bottom, y2);
  };
  for (const node of layout.nodes.values()) {
    const [start, end] = node.main;
    if (layout.upright) take(node.cross - node.before, start, node.cross + node.behind, end);
    else take(start, node.cross - node.before, end, node.cross + node.behind);
  }
  for (const { points } of layout.wires.values()) for (const { x, y } of points) take(x, y, x, y);
  for (const box of layout.groups.values()) take(box.left, box.top, box.right, box.bottom);
  return { ...layout, frame: { left, top, width: right - left, height: bottom - top } };
}

/** A wire as the `d` of a path. */
function pathOf(points, upright) {
  const round = (value) => Math.round(value * 10) / 10;
  const text = ({ x, y }) => `${round(x)} ${round(y)}`;
  let path = `M${text(points[0])}`;
  for (let index = 0; index + 1 < points.length; index += 2) {
    const [from, to] = [points[index], points[index + 1]];
    if (index) path += `L${text(from)}`;
    const middle = upright ? (from.y + to.y) / 2 : (from.x + to.x) / 2;
    const [first, second] = upright
      ? [{ x: from.x, y: middle }, { x: to.x, y: middle }]
      : [{ x: middle, y: from.y }, { x: middle, y: to.y }];
    path += `C${text(first)} ${text(second)} ${text(to)}`;
  }
  return path;
}

/** Draws a circuit, and keeps the drawing true to the player's step. */
class Picture {
  /**
   * @param svg the element to draw in
   * @param actions what to do when the reader `looks` at an item (or null), `picks` one, or wants to `toggle` a gate
   */
  constructor(svg, actions) {
    this.svg = svg;
    this.actions = actions;
    this.world = element("g", { class: "world" });
    this.layers = {};
    for (const name of ["groups", "wires", "pulses", "nodes"]) this.world.append((this.layers[name] = element("g", { class: name })));
    svg.append(this.world);
    this.view = { scale: 1, x: 0, y: 0 };
    this.nodes = new Map();
    this.wires = new Map();
    this.groups = new Map();
    this.pulses = new Set();
    this.listen();
  }

  /** Show another circuit. */
  show(player) {
    this.player = player;
    this.circuit = player.circuit;
    this.clear();
    this.focused = this.circuit.last;
    this.layOut(false);
    this.fit(false, true);
  }

  clear() {
    for (const layer of Object.values(this.layers)) layer.replaceChildren();
    for (const kept of [this.nodes, this.wires, this.groups]) kept.clear();
    this.layout = undefined;
  }

  /** Whether wires go down instead of to the right: where the picture is more than twice as large for it. */
  chooseDirection() {
    const { width, height } = this.svg.getBoundingClientRect();
    if (width >= height || this.circuit.visible.length > 150) return layOut(this.circuit, false);
    const [flat, upright] = [layOut(this.circuit, false), layOut(this.circuit, true)];
    const scale = ({ frame }) => Math.min(width / frame.width, height / frame.height, 1);
    return scale(upright) > 1.15 * scale(flat) ? upright : flat;
  }

  // ---- drawing ------------------------------------------------------------------------------------------------------------------

  /** Find places anew and move everything there. */
  layOut(moving = true) {
    const before = this.layout;
    this.layout = this.chooseDirection();
    this.svg.classList.toggle("upright", this.layout.upright);
    const still = !moving || calm.matches || this.layout.wires.size > MOVED;
    const moves = [...this.placeGroups(before), ...this.placeWires(before), ...this.placeNodes(before)];
    this.update();
    this.animate(moves, still ? 0 : DURATION);
  }

  /** Run movements `(share) => …` from 0 to 1. */
  animate(moves, duration) {
    cancelAnimationFrame(this.frame);
    const finish = () => {
      for (const move of moves) move(1);
      this.moving = false;
    };
    if (!duration) return finish();
    this.moving = true;
    const begin = performance.now();
    const tick = (now) => {
      const share = Math.min(1, Math.max(0, (now - begin) / duration));
      if (share === 1) return finish();
      const eased = share < 0.5 ? 4 * share ** 3 : 1 - (2 - 2 * share) ** 3 / 2;
      for (const move of moves) move(eased);
      this.frame = requestAnimationFrame(tick);
    };
    for (const move of moves) move(0);
    this.frame = requestAnimationFrame(tick);
  }

  *placeNodes(before) {
    const { circuit, layout, nodes } = this;
    for (const [id, drawn] of [...nodes]) {
      if (layout.nodes.has(id)) continue;
      nodes.delete(id);
      const from = before?.nodes.get(id)?.at ?? { x: 0, y: 0 };
      const goal = this.refuge(id) ?? from;
      yield (share) => {
        if (share === 1) drawn.remove();
        drawn.setAttribute("transform", `translate(${mix(from.x, goal.x, share)} ${mix(from.y, goal.y, share)})`);
        drawn.style.opacity = 1 - share;
      };
    }
    for (const id of circuit.visible) {
      const old = nodes.get(id);
      const drawn = this.drawNode(id);
      const goal = layout.nodes.get(id).at;
      const from = (old && before?.nodes.get(id)?.at) ?? (before && this.shelter(id, before)) ?? goal;
      const fresh = !old && before;
      if (old) old.replaceWith(drawn);
      else this.layers.nodes.append(drawn);
      nodes.set(id, drawn);
      yield (share) => {
        drawn.setAttribute("transform", `translate(${mix(from.x, goal.x, share)} ${mix(from.y, goal.y, share)})`);
        drawn.style.opacity = fresh && share < 1 ? share : "";
      };
    }
  }

  /** Where an item goes that is no longer visible: into the gate that was closed around it, or where that gate was opened. */
  refuge(id) {
    const { circuit, layout } = this;
    const home = [...circuit.homes(id)].find((one) => layout.nodes.has(one));
    if (home !== undefined) return layout.nodes.get(home).at;
    const box = layout.groups.get(id);
    return box && { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
  }

  /** Where an item comes from that was not visible before. */
  shelter(id, before) {
    const { circuit } = this;
    const home = [...circuit.homes(id)].find((one) => before.nodes.has(one));
    if (home !== undefined) return before.nodes.get(home).at;
    const box = before.groups.get(id);
    return box && { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
  }

  *placeWires(before) {
    const { circuit, layout, wires } = this;
    const { upright } = layout;
    const old = [...this.layers.wires.children];
    // Wires from one item hide what is behind them, but not each other.
    const trunks = new Map(circuit.wires.map(({ from }) => [from, { unders: element("g"), lines: element("g") }]));
    for (const { unders, lines } of trunks.values()) this.layers.wires.append(element("g", {}, unders, lines));
    for (const [key, drawn] of [...wires]) {
      if (layout.wires.has(key)) continue;
      wires.delete(key);
      drawn.under.remove();
      this.layers.wires.append(drawn.group);
      yield (share) => (share === 1 ? drawn.group.remove() : (drawn.group.style.opacity = Math.max(0, 1 - 2 * share)));
    }
    for (const wire of circuit.wires) {
      const { points, mark } = layout.wires.get(wire.key);
      const path = pathOf(points, upright);
      let drawn = wires.get(wire.key);
      const former = before?.wires.get(wire.key);
      if (!drawn) {
        drawn = { wire, line: element("path", { class: "line" }), under: element("path", { class: "under" }), mark: element("text", { class: "mark" }), part: element("text", { class: "part" }) };
        drawn.group = element("g", { class: "wire" }, drawn.line, drawn.mark, drawn.part);
        wires.set(wire.key, drawn);
      }
      drawn.wire = wire;
      trunks.get(wire.from).unders.append(drawn.under);
      trunks.get(wire.from).lines.append(drawn.group);
      const set = (text) => {
        drawn.line.setAttribute("d", text);
        drawn.under.setAttribute("d", text);
      };
      const end = points.at(-1);
      drawn.mark.textContent = mark;
      place(drawn.mark, upright ? end.x + 4 : end.x - 8, upright ? end.y - 7 : end.y - 3);
      place(drawn.part, upright ? end.x - 5 : end.x - 5, upright ? end.y - 5 : end.y + (end.y >= layout.nodes.get(wire.to).at.y ? 12 : -5));
      const samples = former && before.upright === upright ? resampled(pathOf(former.points, before.upright), path) : null;
      yield (share) => {
        if (share === 1) set(path);
        else if (samples) set(samples(share));
        drawn.group.style.opacity = share === 1 || samples ? "" : Math.max(0, 2 * share - 1);
        if (share < 1 && !samples) set(path);
      };
    }
    for (const group of old) group.remove();
  }

  *placeGroups(before) {
    const { circuit, layout, groups } = this;
    for (const [id, drawn] of [...groups]) {
      if (layout.groups.has(id)) continue;
      groups.delete(id);
      yield (share) => (share === 1 ? drawn.remove() : (drawn.style.opacity = 1 - share));
    }
    for (const id of circuit.shownGroups()) {
      const box = layout.groups.get(id);
      const at = before?.nodes.get(id)?.at;
      const old = before?.groups.get(id) ?? (at ? { left: at.x - RADIUS, top: at.y - RADIUS, right: at.x + RADIUS, bottom: at.y + RADIUS } : box);
      const drawn = groups.get(id) ?? this.drawGroup(id);
      this.layers.groups.append(drawn);
      groups.set(id, drawn);
      yield (share) => {
        const now = Object.fromEntries(Object.keys(box).map((side) => [side, mix(old[side], box[side], share)]));
        const [back, title, button] = drawn.children;
        back.setAttribute("x", now.left);
        back.setAttribute("y", now.top);
        back.setAttribute("width", Math.max(0, now.right - now.left));
        back.setAttribute("height", Math.max(0, now.bottom - now.top));
        place(title, now.left + 12, now.top + 17);
        button.setAttribute("transform", `translate(${now.right - 15} ${now.top + 13})`);
        drawn.style.opacity = share === 1 ? "" : share;
      };
    }
  }

  drawGroup(id) {
    const { circuit } = this;
    const title = element("text", { class: "title" });
    title.textContent = circuit.groupTitle(id);
    const button = element("g", { class: "badge" }, element("circle", { r: 13, class: "hit" }), element("circle", { r: 8 }), element("path", { d: "M-4 0H4" }));
    const made = element(
      "g",
      { class: "group", "data-id": id, tabindex: "-1", role: "button", "aria-expanded": "true", "aria-label": `${circuit.groupTitle(id)}, open gate` },
      element("rect", { class: "box", rx: 14 }),
      title,
      button,
    );
    return made;
  }

  drawNode(id) {
    const { circuit, layout } = this;
    const item = circuit.items[id];
    const { at, exit, tip, end, width, height, round, leaf, lead } = layout.nodes.get(id);
    const { upright } = layout;
    const output = id === circuit.last;
    const near = (point) => ({ x: point.x - at.x, y: point.y - at.y });
    const [from, to] = [near(exit), near(output ? tip : end)];
    const made = element("g", { class: `node ${item.kind}`, "data-id": id, tabindex: id === this.focused ? "0" : "-1", role: "img" });
    if (circuit.canOpen(id)) {
      made.classList.add("openable");
      made.setAttribute("role", "button");
      made.setAttribute("aria-expanded", "false");
    }
    if (output) made.classList.add("output");
    const room = upright
      ? { x: -width / 2 - 4, y: -height / 2 - 4, width: width + 8, height: height + lead + 4 }
      : { x: -width / 2 - 4, y: -height / 2 - 6, width: width + lead + 8, height: height + 12 };
    made.append(element("rect", { class: "hit", ...room }));
    made.append(element("path", { class: "line", d: `M${from.x} ${from.y}L${to.x} ${to.y}` }));
    if (output) {
      made.append(element("path", { class: "tip", d: upright ? `M${to.x} ${to.y + 8}l-3.5 -8h7z` : `M${to.x + 8} ${to.y}l-8 -3.5v7z` }));
    }
    if (!leaf) {
      made.append(round ? element("circle", { class: "shape", r: RADIUS }) : element("rect", { class: "shape", x: -width / 2, y: -height / 2, width, height, rx: 12 }));
    }
    const write = (kind, text, x, y, anchor = "middle") => {
      const written = element("text", { class: kind, "text-anchor": anchor });
      written.textContent = text;
      place(written, x, y);
      made.append(written);
      return written;
    };
    write(item.kind === "input" ? "name" : "symbol", item.symbol, 0, 5.5);
    const outputName = circuit.items[circuit.output].name;
    if (output && !leaf) {
      if (upright) write("name", outputName, to.x, to.y + 25);
      else write("name", outputName, to.x + 12, to.y + 5, "start");
    } else if (item.name && !leaf) {
      if (upright) write("label", item.name, width / 2 + 5, 4, "start");
      else write("label", item.name, 0, height / 2 + LABEL_SIZE - 1);
    }
    if (item.kind !== "constant") {
      if (upright) {
        write("value", "", from.x - PADDING, from.y + 21, "end");
        write("gradient", "", from.x + PADDING, from.y + 21, "start");
      } else {
        const start = from.x + PADDING - (leaf ? 2 : 0);
        write("value", "", start, from.y - 5, "start");
        write("gradient", "", start, from.y + NUMBER_SIZE + 3, "start");
      }
    }
    if (circuit.canOpen(id)) {
      const badge = element("g", { class: "badge" }, element("circle", { r: 13, class: "hit" }), element("circle", { r: 7.5 }), element("path", { d: "M-3.5 0H3.5M0 -3.5V3.5" }));
      badge.setAttribute("transform", `translate(${width / 2 - 3} ${-height / 2 + 1})`);
      made.append(badge);
    }
    return made;
  }

  /** Bring numbers and marks of the step up to date. */
  update() {
    const { circuit, player } = this;
    const { pass, gate } = player.current ?? {};
    const whole = player.resting;
    for (const [id, drawn] of this.nodes) {
      const known = player.showsValue(id);
      const back = player.showsGradient(id);
      drawn.classList.toggle("waiting", !known);
      drawn.classList.toggle("now", !whole && gate === id);
      drawn.classList.toggle("back", !whole && gate === id && pass !== FORWARD);
      const [value, gradient] = [drawn.querySelector(".value"), drawn.querySelector(".gradient")];
      if (value) value.textContent = known ? circuit.valueText(id) : "";
      if (gradient) gradient.textContent = back ? circuit.gradientText(id) : "";
      drawn.setAttribute("aria-label", this.spoken(id, known, back));
    }
    const feeding = new Set(whole || pass === SEED ? [] : circuit.wires.filter((wire) => wire.to === gate).map((wire) => wire.from));
    for (const [id, drawn] of this.nodes) {
      drawn.classList.toggle("feeds", feeding.has(id) && (pass === FORWARD || circuit.wanted[id]));
      drawn.classList.toggle("fed", feeding.has(id) && pass === BACKWARD);
    }
    for (const { group, wire, part } of this.wires.values()) {
      const now = !whole && gate === wire.to && pass !== SEED;
      const flow = circuit.scalar ? circuit.flow[wire.to]?.[wire.place] : undefined;
      const shown = circuit.users.get(wire.from).length > 1 && player.done(BACKWARD, wire.to) && Number.isFinite(flow) && (now || whole);
      group.classList.toggle("waiting", !player.showsValue(wire.from));
      group.classList.toggle("now", now && (pass === FORWARD || circuit.wanted[wire.from]));
      group.classList.toggle("back", now && pass === BACKWARD);
      group.classList.toggle("dead", flow === null && circuit.wanted[wire.from] && player.done(BACKWARD, wire.to));
      part.textContent = shown && now ? short(flow) : "";
    }
  }

  spoken(id, known, back) {
    const { circuit } = this;
    const item = circuit.items[id];
    const what = item.kind === "gate" ? `${circuit.label(id)}, ${circuit.operator(id).title}` : `${item.kind} ${circuit.label(id)}`;
    const gradient = back && circuit.gradientText(id) ? `, gradient ${circuit.gradientText(id)}` : "";
    return what + (known ? `, value ${circuit.valueText(id)}` : "") + gradient;
  }

  /** Let something run along the wires of the present step. */
  pulse(duration) {
    if (calm.matches || this.layout.wires.size > MOVED) return;
    const { pass, gate } = this.player.current ?? {};
    if (pass === undefined || pass === SEED) return;
    const running = [...this.wires.values()].filter(({ wire, group }) => wire.to === gate && !group.classList.contains("dead"));
    for (const { line, wire } of running) {
      if (pass === BACKWARD && !this.circuit.wanted[wire.from]) continue;
      const dot = element("circle", { r: 4, class: `pulse ${pass}` });
      this.layers.pulses.append(dot);
      const length = line.getTotalLength();
      const begin = performance.now();
      const tick = (now) => {
        const share = Math.min(1, (now - begin) / duration);
        const { x, y } = line.getPointAtLength(length * (pass === FORWARD ? share : 1 - share));
        dot.setAttribute("cx", x);
        dot.setAttribute("cy", y);
        if (share < 1) requestAnimationFrame(tick);
        else dot.remove();
      };
      tick(begin);
    }
  }

  // ---- looking around -----------------------------------------------------------------------------------------------------------

  applyView() {
    const { scale, x, y } = this.view;
    this.world.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
  }

  /** Make all of it visible; or if it is large and is to be `readable`, the part at the output. */
  fit(moving = true, readable = false) {
    const { width, height } = this.svg.getBoundingClientRect();
    const { frame, upright } = this.layout;
    const last = this.circuit.items[this.circuit.output].name;
    const outside = [...this.circuit.homes(this.circuit.last)].length * (GROUP_PADDING + 6);
    const tail = outside + (last ? textWidth(last, NAME_SIZE, "name") + 16 : 12);
    const [wide, high] = upright ? [frame.width, frame.height + 30] : [frame.width + tail, frame.height];
    const free = height - CONTROLS;
    const whole = Math.min((width - 40) / wide, (free - 30) / high, 1.6);
    const scale = readable && whole < SMALL ? READABLE : whole;
    const goal = { scale, x: (width - wide * scale) / 2 - frame.left * scale, y: (free - high * scale) / 2 - frame.top * scale };
    if (whole < scale) {
      const { end } = this.layout.nodes.get(this.circuit.last);
      if (wide * scale > width) goal.x = upright ? width / 2 - end.x * scale : width - 60 - end.x * scale;
      if (high * scale > height) goal.y = upright ? free - 40 - end.y * scale : free / 2 - end.y * scale;
    }
    this.fitted = true;
    this.moveView(goal, moving);
  }

  moveView(goal, moving = true) {
    const from = { ...this.view };
    cancelAnimationFrame(this.viewFrame);
    const set = (share) => {
      for (const key of ["scale", "x", "y"]) this.view[key] = mix(from[key], goal[key], share);
      this.applyView();
    };
    if (!moving || calm.matches) return set(1);
    const begin = performance.now();
    const tick = (now) => {
      const share = Math.min(1, Math.max(0, (now - begin) / DURATION));
      set(1 - (1 - share) ** 3);
      if (share < 1) this.viewFrame = requestAnimationFrame(tick);
    };
    this.viewFrame = requestAnimationFrame(tick);
  }

  zoom(factor, centre) {
    cancelAnimationFrame(this.viewFrame);
    const { width, height } = this.svg.getBoundingClientRect();
    const { x, y } = centre ?? { x: width / 2, y: height / 2 };
    const scale = Math.min(4, Math.max(0.05, this.view.scale * factor));
    const ratio = scale / this.view.scale;
    this.view = { scale, x: x - (x - this.view.x) * ratio, y: y - (y - this.view.y) * ratio };
    this.fitted = false;
    this.applyView();
  }

  /** Bring an item into view if it is not. */
  reveal(id) {
    const node = this.layout.nodes.get(id);
    if (!node) return;
    const { width, height } = this.svg.getBoundingClientRect();
    const { scale } = this.view;
    const goal = { ...this.view };
    const margin = 70;
    const x = node.at.x * scale + goal.x;
    const y = node.at.y * scale + goal.y;
    if (x < margin || x > width - margin) goal.x += width / 2 - x;
    if (y < margin || y > height - margin) goal.y += height / 2 - y;
    if (goal.x !== this.view.x || goal.y !== this.view.y) this.moveView(goal);
  }

  // ---- the reader's hands -------------------------------------------------------------------------------------------------------

  listen() {
    const { svg } = this;
    const itemAt = (target) => {
      const found = target.closest?.("[data-id]");
      return found ? Number(found.dataset.id) : null;
    };
    const pointers = new Map();
    let dragged = false;
    let distance = 0;
    const spot = (event) => {
      const { left, top } = svg.getBoundingClientRect();
      return { x: event.clientX - left, y: event.clientY - top };
    };
    svg.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      pointers.set(event.pointerId, spot(event));
      if (pointers.size === 1) dragged = false;
      distance = 0;
    });
    svg.addEventListener("pointermove", (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const now = spot(event);
      if (!dragged && Math.hypot(now.x - before.x, now.y - before.y) < 5) return;
      if (!dragged) for (const id of pointers.keys()) svg.setPointerCapture(id);
      dragged = true;
      this.fitted = false;
      cancelAnimationFrame(this.viewFrame);
      pointers.set(event.pointerId, now);
      if (pointers.size === 1) {
        this.view.x += now.x - before.x;
        this.view.y += now.y - before.y;
        this.applyView();
      } else {
        const [a, b] = [...pointers.values()];
        const apart = Math.hypot(a.x - b.x, a.y - b.y);
        if (distance) this.zoom(apart / distance, { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
        distance = apart;
      }
    });
    for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, (event) => pointers.delete(event.pointerId));
    svg.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), spot(event));
      },
      { passive: false },
    );
    svg.addEventListener("pointerover", (event) => event.pointerType !== "touch" && this.actions.look(itemAt(event.target)));
    svg.addEventListener("pointerleave", () => this.actions.look(null));
    svg.addEventListener("click", (event) => {
      if (dragged) return;
      const id = itemAt(event.target);
      if (id !== null && event.target.closest(".badge")) this.actions.toggle(id);
      else this.actions.pick(id);
    });
    svg.addEventListener("dblclick", (event) => {
      const id = itemAt(event.target);
      if (id !== null && this.circuit.canOpen(id) && !event.target.closest(".badge")) this.actions.toggle(id);
    });
    svg.addEventListener("focusin", (event) => {
      const id = itemAt(event.target);
      if (id === null) return;
      this.setFocused(id);
      if (event.target.matches(":focus-visible")) this.reveal(id);
      this.actions.look(id);
    });
    svg.addEventListener("focusout", () => this.actions.look(null));
    svg.addEventListener("keydown", (event) => this.key(event, itemAt(event.target)));
  }

  key(event, id) {
    if (id === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const turned = this.layout.upright ? { ArrowUp: "ArrowLeft", ArrowDown: "ArrowRight", ArrowLeft: "ArrowUp", ArrowRight: "ArrowDown" } : {};
    const next = this.neighbour(id, turned[event.key] ?? event.key);
    if (event.key === "Enter") {
      event.preventDefault();
      event.stopPropagation();
      if (this.circuit.canOpen(id)) this.actions.toggle(id);
      else this.actions.pick(id);
    } else if (next !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      this.focus(next);
    }
  }

  /** The item that an arrow key leads to: along a wire, or to the nearest above or below. */
  neighbour(id, key) {
    const { circuit, layout } = this;
    const node = layout.nodes.get(id);
    if (!node) return key.startsWith("Arrow") ? circuit.origin(circuit.items[id].result) : undefined;
    if (key === "ArrowLeft") return circuit.wires.find((wire) => wire.to === id)?.from;
    if (key === "ArrowRight") return circuit.users.get(id)[0]?.to;
    if (key !== "ArrowUp" && key !== "ArrowDown") return undefined;
    const way = key === "ArrowUp" ? -1 : 1;
    let best;
    let least = Infinity;
    for (const other of layout.nodes.values()) {
      const rise = (other.cross - node.cross) * way;
      const cost = rise + 3 * Math.abs(other.main[0] - node.main[0]);
      if (rise > 1 && cost < least) [best, least] = [other.id, cost];
    }
    return best;
  }

  setFocused(id) {
    this.nodes.get(this.focused)?.setAttribute("tabindex", "-1");
    this.focused = id;
    this.nodes.get(id)?.setAttribute("tabindex", "0");
  }

  focus(id) {
    const drawn = this.nodes.get(id) ?? this.groups.get(id);
    this.setFocused(id);
    drawn?.focus({ preventScroll: true });
  }

  /** Mark the item whose card is open. */
  mark(id) {
    for (const [own, drawn] of [...this.nodes, ...this.groups]) drawn.classList.toggle("picked", own === id);
  }
}

const mix = (from, to, share) => from + (to - from) * share;

function place(text, x, y) {
  text.setAttribute("x", x);
  text.setAttribute("y", y);
}

/** A path that goes over into another: a function of the share of the way. */
function resampled(before, behind) {
  const [from, to] = [before, behind].map((d) => {
    const path = element("path", { d });
    const length = path.getTotalLength();
    return Array.from({ length: SAMPLES }, (_, index) => path.getPointAtLength((length * index) / (SAMPLES - 1)));
  });
  return (share) => "M" + from.map((point, index) => `${mix(point.x, to[index].x, share)} ${mix(point.y, to[index].y, share)}`).join("L");
}
