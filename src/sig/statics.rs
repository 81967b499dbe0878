//! Exported statics: Go is given their address, with the type of what lies there as far as Go has one.

use super::Export;
use super::function::Reader;
use super::header::Headers;
use super::types::Stop;
use crate::model::Function;

impl Reader<'_, '_> {
    /// The address of a static. Where Go has no type for what lies there, it is an address and no more.
    pub(super) fn a_static(&mut self, export: &Export) -> gimli::Result<()> {
        let symbol = &export.symbol;
        let view = self.views.get(export.object).copied().flatten();
        let described = view.and_then(|view| Some((view, *view.scan.statics.get(symbol)?)));
        let Some((view, at)) = described else {
            self.untyped.push(symbol.clone());
            return Ok(());
        };
        let die = view.debug.die(at)?;
        let Some(ty) = view.debug.ty(&die)? else {
            self.untyped.push(symbol.clone());
            return Ok(());
        };
        let to = match self.mapper.pointee(export.object, ty, 0) {
            Ok(to) => to,
            Err(Stop::Refused(_)) => None,
            Err(Stop::Damaged(e)) => return Err(e),
        };
        let path = view
            .scan
            .path(at, &view.debug.name(&die)?.unwrap_or_default());
        let source = view.debug.source(&die)?;
        let item = source.as_ref().and_then(|s| {
            let name = path.last().map_or("", String::as_str);
            self.mapper.sources().item(&s.file, s.line, name)
        });
        self.functions.push(Function {
            doc: item.map_or(String::new(), |i| i.doc),
            source,
            path: path.join("::"),
            ..Function::of_static(symbol, to)
        });
        Ok(())
    }
    /// The statics without a known type that headers declare. Those that they do not are addresses and no more.
    pub(super) fn left_to(&mut self, headers: &Headers) -> Vec<String> {
        let untyped = std::mem::take(&mut self.untyped).into_iter();
        let (declared, others): (Vec<_>, Vec<_>) = untyped.partition(|s| headers.declares(s));
        let addresses = others
            .iter()
            .map(|symbol| Function::of_static(symbol, None));
        self.functions.extend(addresses);
        declared
    }
}
