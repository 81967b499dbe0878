//! Draws SVG pictures, by the resvg crate.
//!
//! It knows nearly all of static SVG 1.1 and parts of SVG 2: gradients, patterns, clipping, masks, filters, markers, style sheets, texts
//! along paths. A picture can neither read files nor run scripts.
#![allow(improper_ctypes_definitions)] // rsyso knows the layout of slices.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};
use rsyso_ffi::{FfiResult, OwnedBytes};

/// Draws SVG pictures, with the fonts that it was given.
///
/// It may be used by several goroutines at once, except for AddFont.
pub struct Renderer(Options<'static>);

/// The size of a picture, in pixels.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Size {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

/// No picture has more pixels: 1 GiB of memory.
const MOST_PIXELS: f32 = 268_435_456.0;

impl Renderer {
    fn read(&self, svg: &[u8], zoom: f32) -> Result<(Tree, Size), String> {
        let tree = Tree::from_data(svg, &self.0).map_err(|error| error.to_string())?;
        let (width, height) = (tree.size().width() * zoom, tree.size().height() * zoom);
        if !(zoom > 0.0 && width * height <= MOST_PIXELS) {
            return Err(format!(
                "a picture of {width} x {height} pixels is not drawn"
            ));
        }
        let size = Size {
            width: (width.round() as u32).max(1),
            height: (height.round() as u32).max(1),
        };
        Ok((tree, size))
    }

    fn draw(&self, svg: &[u8], zoom: f32) -> Result<Pixmap, String> {
        let (tree, size) = self.read(svg, zoom)?;
        let mut pixmap = Pixmap::new(size.width, size.height).ok_or("the picture is too large")?;
        resvg::render(
            &tree,
            Transform::from_scale(zoom, zoom),
            &mut pixmap.as_mut(),
        );
        Ok(pixmap)
    }
}

/// Makes a renderer. It has no fonts: texts are left out until AddFont.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn renderer_new() -> Box<Renderer> {
    let mut options = Options::default();
    // By itself usvg reads the files that a picture names.
    options.image_href_resolver.resolve_string = Box::new(|_, _| None);
    Box::new(Renderer(options))
}

/// Gives the memory of a renderer back.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn renderer_free(renderer: Option<Box<Renderer>>) {
    drop(renderer);
}

/// Adds a font, from the contents of a TrueType or OpenType file. The first one also stands in for fonts that are missing.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn renderer_add_font(renderer: &mut Renderer, font: &[u8]) -> FfiResult<()> {
    let options = &mut renderer.0;
    let known = options.fontdb.len();
    let fonts = Arc::make_mut(&mut options.fontdb);
    fonts.load_font_data(font.to_vec());
    let Some(face) = fonts.faces().nth(known) else {
        return Err::<(), _>("this is no TrueType or OpenType font").into();
    };
    if known == 0 {
        let family = face
            .families
            .first()
            .map_or("", |(name, _)| name)
            .to_owned();
        fonts.set_serif_family(&family);
        fonts.set_sans_serif_family(&family);
        fonts.set_monospace_family(&family);
        fonts.set_cursive_family(&family);
        fonts.set_fantasy_family(&family);
        options.font_family = family;
    }
    Ok::<_, &str>(()).into()
}

/// Tells how large a picture will be, drawn at `zoom` times its own size.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn renderer_size(
    renderer: &Renderer,
    svg: &[u8],
    zoom: f32,
) -> FfiResult<Size> {
    renderer.read(svg, zoom).map(|(_, size)| size).into()
}

/// Gives a picture, drawn at `zoom` times its own size, as a PNG file.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn renderer_draw(
    renderer: &Renderer,
    svg: &[u8],
    zoom: f32,
) -> FfiResult<OwnedBytes> {
    let pixmap = renderer.draw(svg, zoom);
    let png = pixmap.and_then(|p| p.encode_png().map_err(|error| error.to_string()));
    png.into()
}

/// Gives a picture, drawn at `zoom` times its own size: four bytes for each pixel, as an image.RGBA holds them.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn renderer_pixels(
    renderer: &Renderer,
    svg: &[u8],
    zoom: f32,
) -> FfiResult<OwnedBytes> {
    renderer.draw(svg, zoom).map(Pixmap::take).into()
}
