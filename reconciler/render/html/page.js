"use strict";

// The list of image sets. Everything above it is plain HTML.
//
// Only the rows in view are in the document: 50,000 rows take seconds, 60 take none. Spacers stand
// for the others. Texts reach the page as text nodes only; the policy allows nothing else, and no
// style attribute either, so spacers get their height by an attribute of SVG.

const SET = 0, ITEM = 1, DETAIL = 2, HISTORY = 3;
const SUGGESTED = 200;
// Instead of a new value.
const WORDS = new Set(["", "removed", "the value of the line"]);
const KIND_WORDS = { refusal: "Not changed", danger: "Danger", note: "Note" };
// Smaller lists are drawn as a whole, so that the browser's own search finds everything.
const SMALL = 100;
// What is drawn of a longer list that is not in view.
const LEAST = 20;
const LEVELS = ["Patient", "Study", "Series", "Instance"];

const byId = (id) => document.getElementById(id);
const number = (count) => count.toLocaleString("en-US");
const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

/** An element with texts and elements in it. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, text] of Object.entries(attributes)) {
    if (text !== "" && text !== undefined) element.setAttribute(name, text);
  }
  element.append(...children.filter((child) => child !== ""));
  return element;
}

/** A DICOM value or name: its direction does not change that of the text beside it. */
const value = (text, kind = "") => make("code", { class: kind }, make("bdi", {}, text));

/** A sentence of ours. What stands in backticks becomes code. */
function sentence(text) {
  const parts = text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? value(part) : part));
  return make("span", {}, ...parts);
}

async function read() {
  const packed = atob(byId("data").content.textContent);
  const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(plain).json();
}

/** The data with what follows from it: where the items of each image set begin, and search texts. */
function indexed(data) {
  const { sets, items } = data;
  const first = new Int32Array(sets.id.length + 1);
  sets.items.forEach((count, set) => { first[set + 1] = first[set] + count; });
  const lines = items.file.map((file, item) => {
    const line = items.line[item];
    return line ? `${data.files[file]}:${line}` : data.files[file];
  });
  const isChange = data.whats.map((what) => what.kind === "change");
  let texts = null;
  const search = () => texts ??= {
    sets: sets.id.map((id, set) => `${id} ${data.stores[sets.store[set]]} ${studyWords(data, set)}`.toLowerCase()),
    items: items.what.map((what, item) => [
      data.whats[what].name, data.values[items.old[item]], data.values[items.new[item]], lines[item],
      ...(items.uids[item] < 0 ? [] : data.uids[items.uids[item]]),
      ...(items.parts[item] < 0 ? [] : data.parts[items.parts[item]].flat()),
    ].join(" ").toLowerCase()),
  };
  return { ...data, first, lines, isChange, search };
}

function studyWords(data, set) {
  const study = data.sets.study[set];
  if (!study) return "";
  const uid = data.studies[study];
  return uid ? `study ${study}: ${uid}` : `study ${study}`;
}

/** The items that pass the filters, as one byte each, and the image sets that pass. */
function chosen(data, filters) {
  const { sets, items, whats, first } = data;
  const passes = whats.map((what) =>
    (!filters.hazard || what.hazards.includes(filters.hazard))
    && (!filters.attribute || what.name === filters.attribute)
    && (!filters.level || what.level === filters.level));
  const asksOfItems = filters.hazard || filters.attribute || filters.level || filters.manifest;
  const files = data.files.map((file) => file.toLowerCase().includes(filters.manifest));
  const status = data.statuses.map((one) => !filters.status || one === filters.status);
  const texts = filters.find ? data.search() : null;
  const inItems = new Uint8Array(items.what.length), inSets = new Uint8Array(sets.id.length);
  for (let set = 0; set < inSets.length; set++) {
    if (!status[sets.status[set]] || !isStudy(data, sets.study[set], filters.study)) continue;
    const isFound = !texts || texts.sets[set].includes(filters.find);
    let any = isFound && !asksOfItems && first[set] === first[set + 1];
    for (let item = first[set]; item < first[set + 1]; item++) {
      if (!passes[items.what[item]] || !files[items.file[item]]) continue;
      if (!isFound && !texts.items[item].includes(filters.find)) continue;
      inItems[item] = 1;
      any = true;
    }
    inSets[set] = any ? 1 : 0;
  }
  return { inItems, inSets };
}

function isStudy(data, study, wanted) {
  if (!wanted) return true;
  return `${study}` === wanted.replace(/^study\s*/, "") || (data.studies[study] ?? "").includes(wanted);
}

/** The rows in order: what each is, the image set or item it is of, and where it begins. */
class Rows {
  constructor(data) {
    const most = 2 * (data.sets.id.length + data.items.what.length);
    this.data = data;
    this.kinds = new Uint8Array(most);
    this.of = new Int32Array(most);
    this.tops = new Float64Array(most + 1);
    this.folded = new Set();
    this.opened = new Set();
    this.heights = new Map();
    this.height = 42;
    this.length = 0;
  }

  arrange({ inItems, inSets }) {
    const { first, history } = this.data;
    this.length = 0;
    this.sets = 0;
    this.changes = 0;
    for (let set = 0; set < inSets.length; set++) {
      if (!inSets[set]) continue;
      this.sets++;
      this.push(SET, set);
      const isFolded = this.folded.has(set);
      if (!isFolded && history[set]) this.push(HISTORY, set);
      for (let item = first[set]; item < first[set + 1]; item++) {
        if (!inItems[item]) continue;
        this.changes += this.data.isChange[this.data.items.what[item]];
        if (isFolded) continue;
        this.push(ITEM, item);
        if (this.opened.has(item)) this.push(DETAIL, item);
      }
    }
    this.place();
  }

  push(kind, of) {
    this.kinds[this.length] = kind;
    this.of[this.length++] = of;
  }

  place() {
    for (let row = 0; row < this.length; row++) {
      const isFixed = this.kinds[row] < DETAIL;
      this.tops[row + 1] = this.tops[row] + (isFixed ? this.height : this.heights.get(this.key(row)) ?? 200);
    }
  }

  key(row) {
    return `${["set", "item", "detail", "history"][this.kinds[row]]}-${this.of[row]}`;
  }

  /** The row at a distance from the top of the first one. */
  at(distance) {
    let low = 0, high = this.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tops[middle] <= distance) low = middle; else high = middle - 1;
    }
    return low;
  }

  /** The row of this key. After a filter or a fold it is another one, or none. */
  find(key) {
    for (let row = 0; row < this.length; row++) if (this.key(row) === key) return row;
    return -1;
  }
}

/** The elements of rows. */
class Drawn {
  constructor(data) { this.data = data; }

  row(rows, row) {
    const of = rows.of[row];
    switch (rows.kinds[row]) {
      case SET: return this.set(of, rows.folded.has(of));
      case ITEM: return this.item(of, rows.opened.has(of));
      case DETAIL: return this.detail(of);
      default: return this.history(of);
    }
  }

  set(set, isFolded) {
    const { data } = this, { sets, first } = data;
    const hazards = new Set();
    for (let item = first[set]; item < first[set + 1]; item++) {
      for (const hazard of data.whats[data.items.what[item]].hazards) hazards.add(hazard);
    }
    const store = data.stores.length > 1 ? ` in ${data.stores[sets.store[set]]}` : "";
    const isKept = !sets.pin[set] || sets.pin[set] === sets.to[set];
    const pin = sets.pin[set] ? `version ${sets.pin[set]}` : "";
    const row = make("div", { role: "row", class: "set", "aria-level": "1", "aria-expanded": `${!isFolded}` },
      cell(make("span", { class: "twist", "aria-hidden": "true" }, isFolded ? "▸" : "▾"), value(sets.id[set]), store),
      cell(studyWords(data, set)),
      cell(sets.at[set] ? `${pin} of ${day(sets.at[set])}` : pin),
      cell(isKept ? "" : `version ${sets.to[set]}`),
      cell(hazards.size > 1 ? `${hazards.size} kinds of danger` : [...hazards].join()),
      cell(make("span", { class: isKept ? "held" : "" }, data.statuses[sets.status[set]])));
    return row;
  }

  item(item, isOpen) {
    const { data } = this, { items } = data;
    const what = data.whats[items.what[item]];
    const attributes = { role: "row", class: "item", "aria-level": "2", "aria-expanded": `${isOpen}` };
    if (what.kind !== "change") {
      const words = cell(sentence(data.values[items.new[item]]));
      words.className = `remark ${what.kind}`;
      words.setAttribute("aria-colspan", "5");
      return make("div", attributes, cell(KIND_WORDS[what.kind]), words);
    }
    const verb = make("span", { class: `verb ${what.op}` }, what.op === "update" ? "" : `${what.op} `);
    return make("div", attributes,
      cell(verb, value(what.name)),
      cell(this.scope(item, what)),
      cell(shown(data.values[items.old[item]], "old")),
      cell(shown(data.values[items.new[item]], "new")),
      cell(what.hazards.join(", ")),
      cell(value(data.lines[item].slice(data.lines[item].lastIndexOf("/") + 1))));
  }

  scope(item, what) {
    const { data } = this, places = data.items.places[item];
    if (places > 1) return plural(places, what.level === "Series" ? "series" : "instance").replace("seriess", "series");
    return what.level;
  }

  detail(item) {
    const { data } = this, { items } = data;
    const what = data.whats[items.what[item]];
    const list = make("dl");
    const say = (term, ...texts) => list.append(make("dt", {}, term), ...texts.map((text) => make("dd", {}, text)));
    const parts = items.parts[item] < 0 ? [] : data.parts[items.parts[item]];
    if (what.kind === "change") {
      this.change(item, what, parts, say);
    } else {
      say(KIND_WORDS[what.kind], sentence(data.values[items.new[item]]));
      if (parts.length) say("What to do", ...parts.map(([line]) => sentence(line)));
    }
    for (const hazard of what.hazards) say("Danger", `${hazard}: ${data.meanings[hazard]}.`);
    if (data.lines[item]) say("Asked by", linked(data.link, data.lines[item]));
    const manifests = data.manifests[item] ?? [];
    if (manifests.length) say("Manifests", ...manifests.map((place) => linked(data.link, place)));
    return full("detail", "3", list);
  }

  change(item, what, parts, say) {
    const { data } = this, { items } = data;
    const [old, after] = [data.values[items.old[item]], data.values[items.new[item]]];
    say("Attribute", value(`${what.name}${what.vr ? ` (${what.vr})` : ""}`));
    say("Level", `${what.level}${what.sendsVr ? ", the request states the VR" : ""}`);
    const uids = items.uids[item] < 0 ? [] : data.uids[items.uids[item]];
    const more = items.places[item] - uids.length;
    if (uids.length) say(what.level === "Series" ? "Series" : "Series / instance", ...uids.map((uid) => value(uid)));
    if (more > 0) say("", `and ${number(more)} more`);
    say("Now", shown(old, "old") || "nothing");
    say("After", shown(after, "new") || "nothing");
    if (parts.length) say("Elements that differ", ...parts.map(([path, before, now]) => {
      const row = make("span");
      row.append(value(what.name + path), " ", value(before, "old"), " → ", value(now, "new"));
      return row;
    }));
    if (what.since) say("Drift", `Changed outside this repository ${what.since}.`);
    if (what.held) say("Held back", "The plan does not make this change.");
    for (const reason of what.reasons) say("Needs force", reason);
  }

  history(set) {
    const { data } = this;
    return full("history", "2", make("ul", {}, ...data.history[set].map((line) => make("li", {}, line))));
  }
}

const shown = (text, kind) => (WORDS.has(text) ? text : value(text, kind));
const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);
const cell = (...texts) => make("span", { role: "gridcell" }, ...texts);

function full(kind, level, content) {
  const inner = make("div", { role: "gridcell", "aria-colspan": "6" }, content);
  return make("div", { role: "row", class: `detail ${kind}`, "aria-level": level }, inner);
}

function linked(link, place) {
  if (!link) return value(place);
  const [, file, line] = /^(.*?)(?::(\d+))?$/s.exec(place);
  const path = file.split("/").map(encodeURIComponent).join("/");
  return make("a", { href: `${link}/${path}${line ? `#L${line}` : ""}`, rel: "noreferrer" }, value(place));
}

function spacer() {
  const element = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const name of ["width", "height"]) element.setAttribute(name, "1");
  element.setAttribute("aria-hidden", "true");
  return element;
}

/** The part of the rows that is in view. */
class Grid {
  constructor(data) {
    this.rows = new Rows(data);
    this.drawn = new Drawn(data);
    this.elements = new Map();
    this.grid = byId("grid");
    this.body = byId("rows");
    this.above = spacer();
    this.below = spacer();
    this.body.append(this.above, this.below);
    this.active = "";
    this.grid.addEventListener("keydown", (event) => this.press(event));
    this.body.addEventListener("click", (event) => this.click(event));
    this.grid.addEventListener("focus", () => { if (!this.active && this.rows.length) this.go(0); });
    let isAsked = false;
    const later = () => {
      if (isAsked) return;
      isAsked = true;
      requestAnimationFrame(() => { isAsked = false; this.draw(); });
    };
    addEventListener("scroll", later, { passive: true });
    addEventListener("resize", () => { this.rows.heights.clear(); later(); });
  }

  /** Show what passes the filters, from the top. */
  show(picked) {
    this.picked = picked;
    this.elements.clear();
    this.arrange();
  }

  arrange() {
    this.rows.arrange(this.picked);
    this.grid.setAttribute("aria-rowcount", `${this.rows.length + 1}`);
    if (this.active && this.rows.find(this.active) < 0) this.active = "";
    this.draw();
  }

  draw() {
    // A height is known once the row is drawn; the second pass places what is below it.
    for (let pass = 0; pass < 3; pass++) {
      this.fill();
      if (!this.measure()) return;
      this.rows.place();
    }
  }

  fill() {
    const { rows } = this;
    const top = this.body.getBoundingClientRect().top;
    const isSmall = rows.length <= SMALL;
    const from = isSmall ? 0 : rows.at(-top - innerHeight / 2);
    const to = isSmall ? rows.length : Math.min(rows.length, Math.max(rows.at(1.5 * innerHeight - top) + 1, from + LEAST));
    const wanted = new Map();
    for (let row = from; row < to; row++) {
      const key = rows.key(row);
      const element = this.elements.get(key) ?? rows_element(this.drawn, rows, row, key);
      element.setAttribute("aria-rowindex", `${row + 2}`);
      element.classList.toggle("active", key === this.active);
      wanted.set(key, element);
    }
    for (const [key, element] of this.elements) if (wanted.get(key) !== element) element.remove();
    for (let node = this.above.nextSibling; node !== this.below;) {
      const next = node.nextSibling;
      if (wanted.get(node.id) !== node) node.remove();
      node = next;
    }
    let node = this.above.nextSibling;
    for (const element of wanted.values()) {
      if (element === node) node = node.nextSibling;
      else this.body.insertBefore(element, node);
    }
    this.elements = wanted;
    this.above.setAttribute("height", `${rows.tops[from]}`);
    this.below.setAttribute("height", `${rows.length ? rows.tops[rows.length] - rows.tops[to] : 0}`);
    if (this.elements.has(this.active)) this.grid.setAttribute("aria-activedescendant", this.active);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  /** Whether a height differs from the one that the rows were placed by. */
  measure() {
    const { rows } = this;
    let isNew = false;
    for (const [key, element] of this.elements) {
      const { height } = element.getBoundingClientRect();
      const isFixed = !element.classList.contains("detail");
      if (height === (isFixed ? rows.height : rows.heights.get(key))) continue;
      isNew = true;
      if (isFixed) rows.height = height; else rows.heights.set(key, height);
    }
    return isNew;
  }

  /** Make a row the active one and scroll it into view. */
  go(row) {
    const { rows } = this;
    if (!rows.length) return;
    row = Math.max(0, Math.min(rows.length - 1, row));
    this.active = rows.key(row);
    const top = this.body.getBoundingClientRect().top;
    const covered = Math.max(0, byId("tools").getBoundingClientRect().bottom);
    const isSticky = getComputedStyle(byId("tools")).position === "sticky";
    const [start, end] = [top + rows.tops[row], top + rows.tops[row + 1]];
    const edge = (isSticky ? covered : 0) + 8;
    if (start < edge) scrollBy(0, start - edge);
    else if (end > innerHeight - 8) scrollBy(0, end - innerHeight + 8);
    this.draw();
  }

  /** Collapse or expand an image set, or close or open the details of an item. */
  toggle(row, isOpen) {
    const { rows } = this, of = rows.of[row], isSet = rows.kinds[row] === SET;
    if (rows.kinds[row] > ITEM) return;
    const state = isSet ? rows.folded : rows.opened;
    const isIn = isSet ? !isOpen : isOpen;
    if (isIn) state.add(of); else state.delete(of);
    this.elements.get(rows.key(row))?.remove();
    this.elements.delete(rows.key(row));
    this.arrange();
  }

  isOpen(row) {
    const { rows } = this, of = rows.of[row];
    return rows.kinds[row] === SET ? !rows.folded.has(of) : rows.opened.has(of);
  }

  fold(isFolded) {
    const { rows } = this;
    rows.folded = new Set(isFolded ? rows.data.sets.id.keys() : []);
    this.show(this.picked);
  }

  click(event) {
    const element = event.target.closest("[role=row]");
    if (!element || event.target.closest("a") || getSelection().toString()) return;
    const row = this.rows.find(element.id);
    this.active = element.id;
    if (this.rows.kinds[row] > ITEM) this.draw(); else this.toggle(row, !this.isOpen(row));
  }

  press(event) {
    if (event.target !== this.grid || event.ctrlKey || event.metaKey || event.altKey) return;
    const { rows } = this;
    const row = Math.max(0, rows.find(this.active));
    const page = Math.max(1, Math.floor(innerHeight / rows.height) - 3);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -row, End: rows.length };
    if (event.key in steps) this.go(row + steps[event.key]);
    else if (event.key === "ArrowRight") this.right(row);
    else if (event.key === "ArrowLeft") this.left(row);
    else if (event.key === "Enter" || event.key === " ") this.toggle(row, !this.isOpen(row));
    else return;
    event.preventDefault();
  }

  right(row) {
    if (this.rows.kinds[row] > ITEM) return;
    if (this.isOpen(row)) this.go(row + 1); else this.toggle(row, true);
  }

  left(row) {
    const { rows } = this, kind = rows.kinds[row];
    if (kind < DETAIL && this.isOpen(row)) { this.toggle(row, false); return; }
    let parent = row;
    const above = kind === DETAIL ? ITEM : SET;
    while (parent > 0 && rows.kinds[parent] !== above) parent--;
    this.go(parent);
  }
}

function rows_element(drawn, rows, row, key) {
  const element = drawn.row(rows, row);
  element.id = key;
  return element;
}

/** The filters above the list. */
class Tools {
  constructor(data, grid) {
    this.data = data;
    this.grid = grid;
    this.names = ["find", "hazard", "attribute", "level", "study", "status", "manifest"];
    const of = (name) => new Set(data.whats.flatMap((what) => what[name] || []));
    options("hazard", [...of("hazards")].sort());
    options("attribute", [...of("name")].sort());
    options("level", LEVELS.filter((level) => of("level").has(level)));
    options("status", data.statuses);
    const studies = data.studies.slice(1, SUGGESTED + 1).map((uid, index) => uid || `study ${index + 1}`);
    suggest("studies", studies);
    suggest("manifests", data.files.filter(Boolean).slice(0, SUGGESTED));
    for (const name of this.names) byId(name).addEventListener("input", () => this.apply());
    byId("clear").addEventListener("click", () => this.set({}));
    byId("fold").addEventListener("click", () => this.fold());
    this.isFolded = false;
  }

  apply() {
    const filters = Object.fromEntries(this.names.map((name) => [name, byId(name).value.trim()]));
    filters.find = filters.find.toLowerCase();
    filters.study = filters.study.toLowerCase();
    filters.manifest = filters.manifest.toLowerCase();
    this.grid.show(chosen(this.data, filters));
    const { rows } = this.grid, all = this.data.sets.id.length;
    const changes = plural(rows.changes, "change");
    const sets = rows.sets === all ? plural(all, "image set") : `${number(rows.sets)} of ${plural(all, "image set")}`;
    byId("count").textContent = rows.sets ? `${sets}, ${changes}` : "No image set passes these filters.";
  }

  set(filters) {
    for (const name of this.names) byId(name).value = filters[name] ?? "";
    this.apply();
  }

  fold() {
    this.isFolded = !this.isFolded;
    byId("fold").textContent = this.isFolded ? "Expand all" : "Collapse all";
    this.grid.fold(this.isFolded);
  }
}

function options(id, texts) {
  byId(id).append(make("option", { value: "" }, "any"), ...texts.map((text) => make("option", {}, text)));
  byId(id).options[0].value = "";
}

function suggest(id, texts) {
  byId(id).append(...texts.map((text) => make("option", {}, text)));
}

/** A button for each entry of the sections, that shows its image sets in the list. */
function link(tools) {
  for (const entry of document.querySelectorAll("[data-attribute], [data-hazard], [data-find]")) {
    const button = make("button", { type: "button", class: "jump" }, "Show in the list");
    button.addEventListener("click", () => {
      tools.set({ ...entry.dataset });
      byId("list").scrollIntoView();
      byId("grid").focus({ preventScroll: true });
    });
    entry.querySelector(".where").append(" ", button);
  }
}

async function start() {
  const data = indexed(await read());
  const grid = new Grid(data);
  const tools = new Tools(data, grid);
  for (const id of ["tools", "keys", "grid"]) byId(id).hidden = false;
  tools.apply();
  link(tools);
}

start().catch(() => {
  byId("list-problem").textContent = "This browser cannot show the list. Open the page in a newer browser.";
  byId("list-problem").hidden = false;
});
