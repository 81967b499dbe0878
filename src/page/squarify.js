// Squarified treemaps: Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000).
//
// Rows of tiles are laid along the shorter side of what is left. A row takes tiles as long as its worst one, the longest in
// proportion, does not get worse.

/** Rectangles {x, y, w, h} inside of `area`, one for each of `sizes` (positive, the largest first), each as large as its share. */
function squarify(sizes, area) {
	const total = sizes.reduce((sum, size) => sum + size, 0);
	const scale = total > 0 ? (area.w * area.h) / total : 0;
	const tiles = [];
	let rest = { ...area };
	for (let from = 0; from < sizes.length; ) {
		const side = Math.min(rest.w, rest.h);
		let to = from + 1;
		let sum = sizes[from] * scale;
		let worst = proportion(sizes[from] * scale, sum, side);
		for (; to < sizes.length; to++) {
			const next = sizes[to] * scale;
			// Sizes fall, so the row's first and last tile are its extremes.
			const grown = Math.max(proportion(sizes[from] * scale, sum + next, side), proportion(next, sum + next, side));
			if (grown > worst) break;
			worst = grown;
			sum += next;
		}
		rest = place(sizes.slice(from, to), scale, sum, rest, tiles);
		from = to;
	}
	return tiles;
}

/** The longer side of a tile by its shorter one, in a row of area `row` along `side`. */
function proportion(tile, row, side) {
	const thickness = row / side;
	const length = tile / thickness;
	return Math.max(length / thickness, thickness / length);
}

/** Lays a row; gives what is left. */
function place(sizes, scale, sum, area, tiles) {
	const upright = area.w >= area.h;
	const side = upright ? area.h : area.w;
	const thickness = side > 0 ? sum / side : 0;
	let at = 0;
	for (const size of sizes) {
		const length = thickness > 0 ? (size * scale) / thickness : 0;
		tiles.push(
			upright
				? { x: area.x, y: area.y + at, w: thickness, h: length }
				: { x: area.x + at, y: area.y, w: length, h: thickness },
		);
		at += length;
	}
	return upright
		? { x: area.x + thickness, y: area.y, w: Math.max(0, area.w - thickness), h: area.h }
		: { x: area.x, y: area.y + thickness, w: area.w, h: Math.max(0, area.h - thickness) };
}
