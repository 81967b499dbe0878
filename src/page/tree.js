// The model behind the page: what the report says, as a tree of image, crates, modules and functions.

/** A number of bytes as people read it, as rsyso prints it. */
function bytes(n) {
	if (n < 1000) return `${n} B`;
	const units = ["kB", "MB", "GB"];
	let value = n / 1000;
	let unit = 0;
	for (; value >= 999.95 && unit + 1 < units.length; unit++) value /= 1000;
	return `${value.toFixed(1)} ${units[unit]}`;
}

/** A share of a whole. */
function percent(part, whole) {
	return `${((part * 100) / Math.max(1, whole)).toFixed(1)}%`;
}

/** Kinds of bytes in the report, and the words for them. */
const KINDS = {
	code: "code",
	rodata: "read-only data",
	data: "data",
	zeros: "zeros",
	unwind: "unwind tables",
	names: "names",
	tables: "tables",
	padding: "padding",
};

/** Groups of crates in the report, and the words for them. */
const GROUPS = {
	library: "the library",
	dependency: "its dependencies",
	std: "Rust's standard library",
	c: "C code",
	rsyso: "rsyso",
};

/** A text with what cannot be seen, or turns the order of letters around, written out. */
function visible(text) {
	const hidden = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
	return text.replace(hidden, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A node of the tree. `item` is the index of a function in the report. */
function node(name, group, parent) {
	return { name: visible(name), group, parent, size: 0, children: [], item: null, matches: 0 };
}

/** The tree of an image. Functions without bytes have no place in it. */
function tree(image) {
	const root = node("image", "", null);
	const groups = new Map(image.crates.map((c) => [c.name, c.group]));
	const crates = new Map();
	const modules = new Map();
	image.items.forEach((item, index) => {
		if (item.size === 0) return;
		const crate = child(crates, item.crate, root, item.crate, groups.get(item.crate));
		const key = `${item.crate}\n${item.module}`;
		const module = child(modules, key, crate, item.module || `(top of ${item.crate})`, crate.group);
		const leaf = node(short(item), crate.group, module);
		leaf.item = index;
		module.children.push(leaf);
		for (const at of [leaf, module, crate, root]) at.size += item.size;
	});
	const sort = (at) => {
		at.children.sort((a, b) => b.size - a.size);
		at.children.forEach(sort);
	};
	sort(root);
	return root;
}

/** The node of a key, made at first sight. */
function child(known, key, parent, name, group) {
	let found = known.get(key);
	if (!found) {
		found = node(name, group, parent);
		known.set(key, found);
		parent.children.push(found);
	}
	return found;
}

/** A function's name without the path that its tile lies in, wherever that stands. */
function short(item) {
	const path = item.module ? `${item.crate}::${item.module}::` : `${item.crate}::`;
	return item.name.replaceAll(path, "");
}

/** The functions from a root to an item, by index. */
function chain(image, index) {
	const links = [];
	const seen = new Set();
	for (let at = index; at !== null && at !== undefined && !seen.has(at); at = image.items[at].kept_by) {
		seen.add(at);
		links.push(at);
	}
	return links.reverse();
}

/** The indices of the functions whose names hold all words, the largest first. */
function find(image, words) {
	const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
	if (wanted.length === 0) return [];
	const found = [];
	image.items.forEach((item, index) => {
		const text = `${item.crate} ${item.name} ${item.symbol || ""}`.toLowerCase();
		if (wanted.every((word) => text.includes(word))) found.push(index);
	});
	return found;
}

/** Counts in each node the functions that were found. */
function count(at, found) {
	at.matches = at.item === null ? 0 : Number(found.has(at.item));
	for (const child of at.children) at.matches += count(child, found);
	return at.matches;
}
