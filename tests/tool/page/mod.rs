//! The page of `inspect --html`, in a headless browser: is the treemap true, do search, keyboard and chains work, and does it stay quiet?

mod browser;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::common::process::run;
use crate::common::{archive, rsyso, scratch};
use browser::Browser;
use serde_json::Value;

/// Writes the page of a library; gives what `--json` says of the same.
fn inspect(library: &Path, page: &Path) -> Value {
    let mut command = rsyso();
    command.args(["inspect", "--json", "--html"]).arg(page);
    let ran = run(command.arg(library), Duration::from_secs(120)).success();
    serde_json::from_str(&ran.stdout).unwrap()
}

/// A page on the fixture `text`, opened.
struct Open {
    browser: Browser,
    report: Value,
    _dir: tempfile::TempDir,
}

fn open(width: u32, height: u32) -> Open {
    let dir = scratch();
    let page = dir.path().join("page.html");
    let report = inspect(&archive("text"), &page);
    let mut browser = Browser::start(width, height);
    browser.load(&page);
    Open {
        browser,
        report,
        _dir: dir,
    }
}

/// A tile as it lies in the page, relative to the map.
#[derive(Clone, Copy, Debug)]
struct Tile {
    inner: bool,
    size: f64,
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

impl Tile {
    fn area(&self) -> f64 {
        self.w * self.h
    }

    /// The area that two tiles share.
    fn overlap(&self, other: &Tile) -> f64 {
        let along = |a: f64, b: f64, c: f64, d: f64| (b.min(d) - a.max(c)).max(0.0);
        along(self.x, self.x + self.w, other.x, other.x + other.w)
            * along(self.y, self.y + self.h, other.y, other.y + other.h)
    }

    fn holds(&self, other: &Tile) -> bool {
        const ROUNDING: f64 = 0.1;
        other.x >= self.x - ROUNDING
            && other.y >= self.y - ROUNDING
            && other.x + other.w <= self.x + self.w + ROUNDING
            && other.y + other.h <= self.y + self.h + ROUNDING
    }
}

/// The tiles, and the area of the map.
fn tiles(browser: &mut Browser) -> (Vec<Tile>, f64) {
    let found = browser.eval(
        "(() => {
            const map = document.getElementById('map').getBoundingClientRect();
            const tiles = [...document.querySelectorAll('#map .tile')].map((e) => {
                const r = e.getBoundingClientRect();
                const inner = e.classList.contains('inner');
                return [Number(inner), Number(e.dataset.size), r.x - map.x, r.y - map.y, r.width, r.height];
            });
            return { tiles, area: map.width * map.height };
        })()",
    );
    let number = |v: &Value| v.as_f64().unwrap();
    let tile = |t: &Value| Tile {
        inner: number(&t[0]) == 1.0,
        size: number(&t[1]),
        x: number(&t[2]),
        y: number(&t[3]),
        w: number(&t[4]),
        h: number(&t[5]),
    };
    let tiles = found["tiles"]
        .as_array()
        .unwrap()
        .iter()
        .map(tile)
        .collect();
    (tiles, number(&found["area"]))
}

/// That tiles cover an area without overlap, each by its share.
fn check_share(tiles: &[Tile], area: f64, size: f64) {
    let sizes: f64 = tiles.iter().map(|t| t.size).sum();
    assert_eq!(sizes, size, "the sizes add up");
    let covered: f64 = tiles.iter().map(Tile::area).sum();
    assert!((covered - area).abs() < area * 0.005, "{covered} of {area}");
    for (i, tile) in tiles.iter().enumerate() {
        let share = tile.size / size * area;
        // Browsers round to 1/64 of a pixel.
        let rounding = (tile.w + tile.h) * 0.05 + 0.01;
        assert!((tile.area() - share).abs() < rounding, "{tile:?}: {share}");
        for other in &tiles[i + 1..] {
            let shared = tile.overlap(other);
            assert!(shared < rounding, "{tile:?} and {other:?} share {shared}");
        }
    }
}

/// Checks what the map shows now; gives the size of all.
fn check_map(browser: &mut Browser) -> f64 {
    let (all, area) = tiles(browser);
    let outer: Vec<Tile> = all.iter().filter(|t| !t.inner).copied().collect();
    let size = outer.iter().map(|t| t.size).sum();
    assert!(outer.len() > 2, "{outer:?}");
    check_share(&outer, area, size);
    let mut inside = vec![Vec::new(); outer.len()];
    for inner in all.iter().filter(|t| t.inner) {
        let at = outer.iter().position(|t| t.holds(inner));
        inside[at.unwrap_or_else(|| panic!("{inner:?} lies in no tile"))].push(*inner);
    }
    for (tile, inside) in outer.iter().zip(&inside).filter(|(_, i)| !i.is_empty()) {
        let area = inside.iter().map(Tile::area).sum::<f64>();
        check_share(inside, area, tile.size);
    }
    size
}

fn text(browser: &mut Browser, selector: &str) -> String {
    let value = browser.eval(&format!("document.querySelector({selector:?}).textContent"));
    value.as_str().unwrap().to_owned()
}

/// What the path above the map says, and how deep it leads.
fn path(browser: &mut Browser) -> (String, u64) {
    let depth = browser.eval("document.querySelectorAll('#path > *').length");
    (
        text(browser, "#path > :last-child"),
        depth.as_u64().unwrap(),
    )
}

fn focused(browser: &mut Browser) -> String {
    let label = browser
        .eval("document.activeElement.getAttribute('aria-label') || document.activeElement.id");
    label.as_str().unwrap_or_default().to_owned()
}

#[test]
fn tiles_are_as_large_as_what_they_stand_for() {
    let mut page = open(1280, 900);
    let size = page.report["image"]["size"].as_f64().unwrap();
    assert_eq!(check_map(&mut page.browser), size);
    let crates = page.report["image"]["crates"].as_array().unwrap().clone();
    let largest = &crates[0];
    // By mouse: the title of the largest crate, which is the first tile.
    let corner = page.browser.eval("(() => { const r = document.querySelector('.tile').getBoundingClientRect(); return [r.x + 8, r.y + 8]; })()");
    page.browser
        .click(corner[0].as_f64().unwrap(), corner[1].as_f64().unwrap());
    let (name, depth) = path(&mut page.browser);
    assert!(
        name.starts_with(largest["name"].as_str().unwrap()),
        "{name}"
    );
    assert_eq!(depth, 2);
    assert_eq!(
        check_map(&mut page.browser),
        largest["size"].as_f64().unwrap()
    );
    // Into the first module, and at another width.
    page.browser
        .click(corner[0].as_f64().unwrap(), corner[1].as_f64().unwrap());
    assert_eq!(path(&mut page.browser).1, 3);
    check_map(&mut page.browser);
    page.browser.resize(700, 900);
    page.browser.frame();
    check_map(&mut page.browser);
    page.browser.is_quiet();
}

#[test]
fn squarify_lays_the_example_of_its_paper() {
    let mut page = open(800, 600);
    let laid = page
        .browser
        .eval("squarify([6, 6, 4, 3, 2, 2, 1], {x: 0, y: 0, w: 6, h: 4})");
    let near = |a: &Value, b: f64| (a.as_f64().unwrap() - b).abs() < 1e-9;
    // Two sixes on the left, then a row of four and three above the rest (Bruls and others, figure 4).
    for (at, field, want) in [
        (0, "w", 3.0),
        (0, "h", 2.0),
        (1, "y", 2.0),
        (2, "x", 3.0),
        (2, "w", 12.0 / 7.0),
        (3, "h", 7.0 / 3.0),
        (4, "y", 7.0 / 3.0),
    ] {
        assert!(near(&laid[at][field], want), "{at} {field}: {laid}");
    }
    let odd = page
        .browser
        .eval("[squarify([], {x: 0, y: 0, w: 6, h: 4}), squarify([5], {x: 1, y: 1, w: 0, h: 4})]");
    assert_eq!(odd[0].as_array().unwrap().len(), 0);
    assert!(near(&odd[1][0]["w"], 0.0), "{odd}");
}

#[test]
fn the_keyboard_reaches_everything() {
    let mut page = open(1280, 900);
    let b = &mut page.browser;
    assert_eq!(
        b.eval("document.querySelectorAll('#map [tabindex=\"0\"]').length"),
        1
    );
    for _ in 0..30 {
        b.key("Tab");
        if b.eval("!!document.activeElement.closest('#map')") == true {
            break;
        }
    }
    let first = focused(b);
    assert!(first.starts_with("regex_syntax, "), "{first}");
    assert!(text(b, "#hint").contains("of the image"));
    b.key("ArrowRight");
    let right = focused(b);
    assert_ne!(first, right);
    b.key("ArrowLeft");
    assert_eq!(focused(b), first);
    b.key("Enter");
    let (name, depth) = path(b);
    assert!(name.starts_with("regex_syntax") && depth == 2, "{name}");
    assert_eq!(b.eval("!!document.activeElement.closest('#map')"), true);
    b.key("ArrowDown");
    b.key("Escape");
    assert_eq!(path(b).1, 1);
    assert_eq!(focused(b), first, "the focus is where it was");
    page.browser.is_quiet();
}

#[test]
fn a_function_is_found_and_says_what_keeps_it() {
    let mut page = open(1280, 900);
    let items = page.report["image"]["items"].as_array().unwrap().clone();
    let name = |i: usize| items[i]["name"].as_str().unwrap();
    let wanted = items
        .iter()
        .position(|i| i["name"].as_str().unwrap().contains("panic_with_hook"))
        .expect("the panic machinery is there");
    let mut chain = vec![wanted];
    while let Some(by) = items[chain[chain.len() - 1]]["kept_by"].as_u64() {
        chain.push(by as usize);
    }
    chain.reverse();
    assert!(
        chain.len() > 4 && name(chain[0]).starts_with("wrapper of text_"),
        "{chain:?}"
    );

    let b = &mut page.browser;
    b.key("/");
    assert_eq!(focused(b), "search");
    b.write("PANIC_with_hook");
    let listed =
        b.eval("[...document.querySelectorAll('#results button .mono')].map(e => e.textContent)");
    let listed: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(
        !listed.is_empty() && listed.iter().all(|n| n.contains("panic_with_hook")),
        "{listed:?}"
    );
    assert_eq!(listed[0], name(wanted));
    assert!(
        b.eval("document.querySelectorAll('#map .dim').length")
            .as_u64()
            > Some(3)
    );
    b.key("ArrowDown");
    b.key("Enter");
    assert_eq!(text(b, "#details h3"), name(wanted));
    assert_eq!(
        b.eval("document.querySelectorAll('#results button').length"),
        0
    );
    let shown = b.eval("[...document.querySelectorAll('#chain li')].map(e => e.textContent)");
    let want: Vec<_> = chain.iter().map(|i| name(*i)).collect();
    assert_eq!(shown, serde_json::json!(want));
    // The tile is there and marked, and a link of the chain leads on.
    assert_eq!(
        b.eval("document.querySelectorAll('.tile[aria-pressed=\"true\"]').length"),
        1
    );
    b.eval("document.querySelector('#chain li:nth-child(2) button').click()");
    assert_eq!(text(b, "#details h3"), name(chain[1]));
    assert!(text(b, "#hint").contains(name(chain[1])));
    page.browser.is_quiet();
}

#[test]
fn tables_tell_what_the_report_tells() {
    let mut page = open(1280, 900);
    let b = &mut page.browser;
    let exports = page.report["exports"].as_array().unwrap();
    let rows = b.eval("[...document.querySelectorAll('#exports tbody tr')].map(e => e.innerText)");
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), exports.len());
    for (row, export) in rows.iter().zip(exports) {
        let row = row.as_str().unwrap();
        assert!(row.contains(export["go"].as_str().unwrap()), "{row}");
        assert!(row.contains("lane, 8.3 MB"), "{row}");
    }
    assert!(text(b, "#reasons").contains(exports[0]["why"].as_str().unwrap()));
    let crates = b.eval("[...document.querySelectorAll('#crates tbody tr')].map(e => e.innerText)");
    let count = page.report["image"]["crates"].as_array().unwrap().len();
    assert_eq!(crates.as_array().unwrap().len(), count);
    assert!(text(b, "#api pre").contains("type Stats struct {"));
    assert_eq!(b.eval("document.getElementById('problems').hidden"), true);
    page.browser.is_quiet();
}

#[test]
fn phones_and_dark_rooms_can_read_it() {
    /// The worst contrast of a tile's text (WCAG 2, "contrast ratio"), as the browser paints it.
    const CONTRAST: &str = "(() => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
        const paint = canvas.getContext('2d', { willReadFrequently: true });
        const light = (colour) => {
            paint.fillStyle = colour;
            paint.fillRect(0, 0, 1, 1);
            const [r, g, b] = [...paint.getImageData(0, 0, 1, 1).data].map((n) => {
                const c = n / 255;
                return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
        };
        return Math.min(...[...document.querySelectorAll('.tile')].map((e) => {
            const style = getComputedStyle(e);
            const [a, b] = [light(style.color), light(style.backgroundColor)];
            return Math.max(a, b) / Math.min(a, b);
        }));
    })()";
    let mut page = open(390, 844);
    let b = &mut page.browser;
    let over = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(b.eval(over), 0, "nothing hangs over");
    let mut backs = Vec::new();
    for scheme in ["light", "dark"] {
        let media =
            serde_json::json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        b.call("Emulation.setEmulatedMedia", media);
        b.frame();
        backs.push(b.eval("getComputedStyle(document.body).backgroundColor"));
        let contrast = b.eval(CONTRAST).as_f64().unwrap();
        assert!(contrast >= 4.5, "{scheme}: {contrast}");
    }
    assert_ne!(backs[0], backs[1]);
    check_map(b);
    page.browser.is_quiet();
}

/// A library whose names try to become markup.
fn hostile(dir: &Path) -> PathBuf {
    let source = dir.join("evil.rs");
    let name = r#"</script><img src=x onerror=alert(1)><script>console.log(1)</script><!--"#;
    let text = format!(
        "#![no_std]\n#[panic_handler] fn p(_: &core::panic::PanicInfo) -> ! {{ loop {{}} }}\n#[unsafe(export_name = {name:?})] pub extern \"C\" fn f() -> u32 {{ 7 }}\n#[unsafe(no_mangle)] pub extern \"C\" fn good() -> u32 {{ f() }}\n"
    );
    std::fs::write(&source, text).unwrap();
    let library = dir.join("libevil.a");
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc
        .args([
            "--edition=2024",
            "--crate-type=staticlib",
            "-Cpanic=abort",
            "-Cdebuginfo=2",
            "-o",
        ])
        .arg(&library)
        .arg(&source);
    run(&mut rustc, Duration::from_secs(120)).success();
    library
}

#[test]
fn names_never_become_markup() {
    let dir = scratch();
    let page = dir.path().join("page.html");
    let report = inspect(&hostile(dir.path()), &page);
    assert_eq!(report["exports"].as_array().unwrap().len(), 2, "{report}");
    let mut browser = Browser::start(1000, 800);
    browser.load(&page);
    assert_eq!(browser.eval("document.images.length"), 0);
    assert_eq!(browser.eval("document.scripts.length"), 2);
    browser.key("/");
    browser.write("<img src=x");
    browser.key("Enter");
    let shown = text(&mut browser, "#details h3");
    assert!(shown.contains("</script><img src=x onerror"), "{shown}");
    browser.is_quiet();
}

#[test]
fn the_page_replaces_only_pages() {
    let dir = scratch();
    let library = archive("plusone");
    let page = dir.path().join("sub/page.html");
    let first = inspect(&library, &page);
    let text = std::fs::read(&page).unwrap();
    assert_eq!(inspect(&library, &page), first, "again over the first");
    assert_eq!(
        std::fs::read(&page).unwrap(),
        text,
        "same input, same bytes"
    );

    let strange = dir.path().join("notes.html");
    std::fs::write(
        &strange,
        "<!doctype html>\n<!-- Code generated by rsyso -->",
    )
    .unwrap();
    let mut command = rsyso();
    command
        .args(["inspect", "--html"])
        .arg(&strange)
        .arg(&library);
    let ran = run(&mut command, Duration::from_secs(120));
    assert_eq!(ran.failure(), 1);
    assert!(ran.stderr.contains("rsyso did not write"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    let names: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 2, "nothing is left behind: {names:?}");
}
