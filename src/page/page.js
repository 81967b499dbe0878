// The page: draws the report and lets people walk through it. No text of the report ever becomes markup.

const report = JSON.parse(document.getElementById("data").textContent);
const image = report.image || { size: 0, bytes: {}, crates: [], items: [] };
const byId = (id) => document.getElementById(id);

/** An element with attributes and children; text becomes text. */
function make(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
		else if (name === "colour") element.style.setProperty("--colour", `var(--${value})`);
		else if (value !== null) element.setAttribute(name, value);
	}
	element.append(...children.filter((c) => c !== null));
	return element;
}

/** A button that looks like a link. */
function link(text, onclick) {
	return make("button", { type: "button", class: "link", onclick }, text);
}

// ---- The map ----

/** A tile smaller than this, in square pixels, joins the others of its kind in one. */
const SMALLEST = 60;
/** Height of a tile's title, and the space around the tiles inside. */
const TITLE = 18;
const EDGE = 2;

const map = byId("map");
const root = tree(image);
const nodeOf = new Map();
(function index(at) {
	if (at.item !== null) nodeOf.set(at.item, at);
	at.children.forEach(index);
})(root);

/** What the map shows, which function is chosen, and what the search found. */
const state = { at: root, chosen: null, searching: false };

/** The children of a node with their rectangles; the small ones as one node, `rest`. */
function tiles(parent, area) {
	const scale = (area.w * area.h) / Math.max(1, parent.size);
	let shown = parent.children.filter((c) => c.size * scale >= SMALLEST);
	const small = parent.children.slice(shown.length);
	if (small.length === 1 || shown.length === 0) {
		shown = parent.children;
	} else if (small.length > 1) {
		shown = [...shown, rest(parent, small)].sort((a, b) => b.size - a.size);
	}
	const areas = squarify(shown.map((c) => c.size), area);
	return shown.map((at, i) => ({ at, ...areas[i] }));
}

/** A node for the small children of another. */
function rest(parent, children) {
	const at = node(`${children.length} smaller`, parent.group, parent);
	at.children = children;
	for (const child of children) {
		at.size += child.size;
		at.matches += child.matches;
	}
	at.rest = true;
	return at;
}

function draw(focus = null) {
	map.replaceChildren();
	const area = { x: 0, y: 0, w: map.clientWidth, h: map.clientHeight };
	const outer = tiles(state.at, area);
	outer.forEach((tile, i) => {
		map.append(button(tile, false, i === 0));
		if (tile.at.children.length === 0 || tile.at.rest || tile.w < 48 || tile.h < 44) return;
		const inside = {
			x: tile.x + EDGE,
			y: tile.y + TITLE,
			w: tile.w - 2 * EDGE,
			h: tile.h - TITLE - EDGE,
		};
		for (const inner of tiles(tile.at, inside)) map.append(button(inner, true, false));
	});
	drawPath();
	mark();
	if (focus) {
		const buttons = [...map.querySelectorAll(".tile:not(.inner)")];
		enter(buttons.find((b) => b.node === focus) || buttons[0]);
	}
}

function button(tile, inner, first) {
	const at = tile.at;
	const classes = ["tile", inner ? "inner" : "", at.rest ? "rest" : ""].filter(Boolean).join(" ");
	const label = `${at.name}, ${bytes(at.size)}, ${percent(at.size, image.size)}`;
	const element = make("button", {
		type: "button",
		class: classes,
		// One stop of the tabulator for the whole map; arrows move on from there.
		tabindex: first ? "0" : "-1",
		"aria-label": label,
		"data-size": at.size,
		colour: at.group || at.children[0]?.group || "rsyso",
		onclick: (event) => open(at, event.detail === 0),
		onpointerenter: () => tell(at),
		onfocus: () => tell(at),
	});
	element.node = at;
	Object.assign(element.style, {
		left: `${tile.x}px`,
		top: `${tile.y}px`,
		width: `${tile.w}px`,
		height: `${tile.h}px`,
	});
	if (tile.w > 28 && tile.h > 14) element.append(make("span", {}, at.name));
	return element;
}

/** Opens what a tile stands for. With the keyboard, the focus goes along. */
function open(at, keyboard) {
	if (at.item !== null) {
		choose(at.item);
		return;
	}
	state.at = at;
	draw(keyboard ? at.children[0] : null);
}

function back() {
	if (state.at === root) return;
	const from = state.at;
	state.at = from.parent;
	draw(from);
}

function drawPath() {
	const path = [];
	for (let at = state.at; at; at = at.parent) path.unshift(at);
	const entries = path.map((at) =>
		at === state.at
			? make("span", { "aria-current": "location" }, `${at.name} (${bytes(at.size)})`)
			: make("span", {}, link(at.name, () => open(at, false))),
	);
	byId("path").replaceChildren(...entries);
}

/** What is under the pointer, or has the focus. */
function tell(at) {
	const inside = at.item === null ? at.name : visible(image.items[at.item].name);
	const where = at.item === null ? "" : ` in ${visible(image.items[at.item].crate)}`;
	byId("hint").textContent = `${inside}${where}: ${bytes(at.size)}, ${percent(at.size, image.size)} of the image`;
}

/** Marks the chosen function, and pales what the search did not find. */
function mark() {
	for (const element of map.children) {
		const at = element.node;
		if (at.item !== null) element.setAttribute("aria-pressed", String(at.item === state.chosen));
		element.classList.toggle("dim", state.searching && at.matches === 0);
	}
}

/** Gives a tile the focus, and makes it the map's stop of the tabulator. */
function enter(element) {
	if (!element) return;
	for (const other of map.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
	element.tabIndex = 0;
	element.focus();
}

/** The nearest tile in a direction. */
function towards(element, dx, dy) {
	const centre = (e) => [e.offsetLeft + e.offsetWidth / 2, e.offsetTop + e.offsetHeight / 2];
	const [x, y] = centre(element);
	let best = null;
	let least = Infinity;
	for (const other of map.querySelectorAll(".tile:not(.inner)")) {
		const [ox, oy] = centre(other);
		const ahead = (ox - x) * dx + (oy - y) * dy;
		const aside = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
		if (other !== element && ahead > 1 && ahead + 2 * aside < least) {
			least = ahead + 2 * aside;
			best = other;
		}
	}
	return best;
}

map.addEventListener("keydown", (event) => {
	const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
	const all = map.querySelectorAll(".tile:not(.inner)");
	if (arrows[event.key]) enter(towards(document.activeElement, ...arrows[event.key]));
	else if (event.key === "Home") enter(all[0]);
	else if (event.key === "End") enter(all[all.length - 1]);
	else if (event.key === "Escape" || event.key === "Backspace") back();
	else return;
	event.preventDefault();
});

// ---- One function ----

/** Shows a function: in the map, and with the chain that keeps it. */
function choose(index) {
	state.chosen = index;
	const at = nodeOf.get(index);
	const drawn = [...map.children].some((e) => e.node === at);
	if (at && !drawn) {
		state.at = at.parent;
		draw();
		// It may lie among the small ones.
		const small = [...map.children].find((e) => e.node.rest && e.node.children.includes(at));
		if (small) {
			state.at = small.node;
			draw();
		}
	}
	mark();
	if (at) tell(at);
	drawDetails();
}

function drawDetails() {
	const details = byId("details");
	const item = image.items[state.chosen];
	if (!item) {
		details.replaceChildren(
			make("h3", {}, "What keeps a function?"),
			make("p", { class: "quiet" }, "Choose a function in the map, or search for it: here stand its sizes, where it comes from, and the chain of references from an export to it."),
		);
		return;
	}
	const facts = [
		["Size", `${bytes(item.size)}, ${percent(item.size, image.size)} of the image`],
		...Object.entries(item.bytes).map(([kind, n]) => [KINDS[kind], bytes(n)]),
		["Crate", item.crate],
		["Module", item.module],
		["Object", item.place],
		["Symbol", item.symbol],
	].filter(([, text]) => text);
	const links = chain(image, state.chosen);
	details.replaceChildren(
		make("h3", { class: "mono" }, visible(item.name)),
		make("dl", {}, ...facts.flatMap(([name, text]) => [make("dt", { class: "quiet" }, name), make("dd", {}, visible(text))])),
		make("h3", {}, "Kept by"),
		make("p", { class: "quiet" }, `${visible(image.items[links[0]].root || "it refers to itself")}; each refers to the next:`),
		make("ol", { id: "chain" }, ...links.map(step)),
	);
}

/** A link of a chain. */
function step(index) {
	const name = visible(image.items[index].name);
	const text = index === state.chosen ? make("strong", {}, name) : link(name, () => choose(index));
	text.classList.add("mono");
	return make("li", {}, text);
}

// ---- Search ----

/** Results that are listed. */
const LISTED = 40;

const search = byId("search");

function seek() {
	const found = find(image, search.value);
	state.searching = search.value.trim() !== "";
	count(root, new Set(found));
	const listed = found.slice(0, LISTED);
	byId("results").replaceChildren(
		...listed.map((index) => {
			const item = image.items[index];
			const onclick = () => {
				choose(index);
				leave();
			};
			return make("li", {}, make("button", { type: "button", onclick }, make("span", { class: "mono" }, visible(item.name)), make("span", { class: "number" }, bytes(item.size))));
		}),
	);
	const size = found.reduce((sum, index) => sum + image.items[index].size, 0);
	const more = found.length > LISTED ? `, the largest ${LISTED} listed` : "";
	byId("matches").textContent = state.searching ? `${found.length} found, ${bytes(size)}${more}` : "";
	draw();
}

/** Closes the list; what was found stays marked. */
function leave() {
	byId("results").replaceChildren();
}

search.addEventListener("input", seek);
search.addEventListener("focus", () => search.value && seek());
document.querySelector(".search").addEventListener("keydown", (event) => {
	const buttons = [...byId("results").querySelectorAll("button")];
	const now = buttons.indexOf(document.activeElement);
	if (event.key === "ArrowDown") (buttons[now + 1] || buttons[now])?.focus();
	else if (event.key === "ArrowUp") (buttons[now - 1] || search).focus();
	else if (event.key === "Enter" && document.activeElement === search) buttons[0]?.click();
	else if (event.key === "Escape") {
		search.value = "";
		seek();
		search.focus();
	} else return;
	event.preventDefault();
});
document.addEventListener("pointerdown", (event) => {
	if (!event.target.closest(".search")) leave();
});
document.addEventListener("keydown", (event) => {
	if (event.key === "/" && document.activeElement !== search) {
		event.preventDefault();
		search.focus();
	}
});

// ---- Head and tables ----

function cell(label, classes, ...children) {
	return make("td", { "data-label": label, class: classes }, ...children);
}

function drawHead() {
	const size = report.image ? `, ${bytes(image.size)}` : "";
	byId("title").textContent = `${visible(report.library)} as a Go package${size}`;
	document.title = `rsyso: ${visible(report.library)}`;
	const about = [`package ${report.package}`, report.target, report.rustc && `rustc ${report.rustc}`];
	byId("about").textContent = visible(about.filter(Boolean).join(" \u00b7 "));
	const kinds = Object.entries(image.bytes);
	const parts = kinds.map(([kind, n]) => {
		const part = make("i", { colour: kind });
		part.style.flex = `${n} 0 0`;
		return part;
	});
	byId("kinds").replaceChildren(
		make("div", { class: "bar", "aria-hidden": "true" }, ...parts),
		make("ul", { class: "legend" }, ...kinds.map(([kind, n]) => make("li", { colour: kind }, `${KINDS[kind]} ${bytes(n)}`))),
	);
	const used = Object.keys(GROUPS).filter((g) => image.crates.some((c) => c.group === g));
	byId("groups").replaceChildren(...used.map((g) => make("li", { colour: g }, GROUPS[g])));
}

function drawProblems() {
	const missing = report.missing.map((m) => `undefined symbol ${m.name}, reached by ${m.chain.join(" -> ")}`);
	const bad = report.exports.flatMap((e) => e.unsupported.map((why) => `${e.symbol}: ${why}`));
	const all = [...new Set([...report.obstacles, ...missing, ...bad])];
	byId("problems").hidden = all.length === 0;
	byId("problems").querySelector("ul").append(...all.map((text) => make("li", {}, text)));
	byId("image").hidden = !report.image;
	byId("crates").hidden = !report.image;
}

function drawCrates() {
	const most = image.crates[0]?.size || 1;
	const rows = image.crates.map((c) => {
		const at = root.children.find((n) => n.name === visible(c.name));
		const bar = make("i", { colour: c.group });
		bar.style.width = `${(c.size * 100) / most}%`;
		const show = () => {
			open(at, true);
			map.scrollIntoView({ block: "nearest" });
		};
		const data = (c.bytes.rodata || 0) + (c.bytes.data || 0) + (c.bytes.zeros || 0);
		return make(
			"tr",
			{},
			make("td", {}, at ? link(visible(c.name), show) : visible(c.name), make("div", { class: "bar" }, bar)),
			cell("Size", "number", bytes(c.size)),
			cell("Share", "number", percent(c.size, image.size)),
			cell("Code", "number", bytes(c.bytes.code || 0)),
			cell("Data", "number", bytes(data)),
			cell("Functions", "number", String(c.items)),
		);
	});
	byId("crates").querySelector("tbody").append(...rows);
}

function drawExports() {
	// The same reason holds for many: it is told once.
	const reasons = new Set(report.exports.filter((e) => e.why).map((e) => `${e.stack}: ${e.why}`));
	byId("reasons").append(...[...reasons].map((text) => make("p", { class: "quiet" }, text)));
	byId("exports").querySelector("tbody").append(...report.exports.map(exportRow));
}

function exportRow(e) {
	const index = image.items.findIndex((item) => item.name === e.symbol && !item.symbol);
	const show = () => {
		choose(index);
		byId("details").scrollIntoView({ block: "nearest" });
	};
	const origin = [e.rust, e.source].filter(Boolean).join(", ");
	const head = make("td", {}, make("code", {}, e.go || e.symbol), make("small", {}, visible(origin)));
	if (e.unsupported.length > 0) head.append(make("small", {}, `not supported: ${e.unsupported.join("; ")}`));
	const stack = e.stack_bytes === null ? e.stack : `${e.stack}, ${bytes(e.stack_bytes)}`;
	const blocks = e.wait ? `can ${e.wait.why}` : "no";
	const said = { true: " (declared blocking)", false: " (declared not blocking)" }[String(e.declared)] || "";
	const by = e.wait ? make("small", {}, `by ${visible(e.wait.chain.join(" \u2192 "))}`) : null;
	return make(
		"tr",
		{},
		head,
		cell("Stack", "whole", stack),
		cell("Can block", "", blocks + said, by),
		cell("Own size", "number", index < 0 ? bytes(e.size_own) : link(bytes(e.size_own), show)),
		cell("Reaches", "number", bytes(e.size_reach)),
	);
}

function drawApi() {
	const functions = new Set(report.exports.map((e) => e.go));
	const rest = report.api.filter((d) => !functions.has(d.text));
	byId("api").hidden = rest.length === 0;
	const text = (d) => (d.doc ? `// ${d.doc.split("\n").join("\n// ")}\n` : "") + d.text;
	byId("api").querySelector("pre").textContent = rest.map(text).join("\n\n");
}

drawHead();
drawProblems();
drawCrates();
drawExports();
drawApi();
drawDetails();
draw();
new ResizeObserver(() => draw()).observe(map);
