//! Exported statics: Go is given their address, with the type of what lies there as far as Go has one.

use super::dwarf::Die;
use super::function::Reader;
use super::header::Headers;
use super::shape::View;
use super::types::{State, Stop};
use super::{Export, leave_out};
use crate::base::diag::Problem;
use crate::model::{Function, Type};

impl<'d, 'a> Reader<'d, 'a> {
    /// The address of a static. Where Go has no type for what lies there, it is an address and no more.
    pub(super) fn a_static(&mut self, export: &Export) -> gimli::Result<()> {
        let symbol = &export.symbol;
        let Some((view, die)) = self.described_static(export)? else {
            self.untyped.push(symbol.clone());
            return Ok(());
        };
        let ty = view.debug.ty(&die)?.ok_or(gimli::Error::MissingUnitDie)?;
        let to = match self.mapper.pointee(export.object, ty, 0) {
            Ok(to) => to,
            Err(Stop::Refused(_)) => None,
            Err(Stop::Damaged(e)) => return Err(e),
        };
        let name = view.debug.name(&die)?.unwrap_or_default();
        let source = view.debug.source(&die)?;
        let item = source
            .as_ref()
            .and_then(|s| self.mapper.sources().item(&s.file, s.line, &name));
        self.functions.push(Function {
            doc: item.map_or(String::new(), |i| i.doc),
            source,
            path: view.scan.path(die.at, &name).join("::"),
            ..Function::of_static(symbol, to)
        });
        Ok(())
    }

    /// Of a static whose type Go cannot see into, the bytes.
    fn opaque_size(&self, found: &Function) -> Option<Option<u64>> {
        let Some(Type::Pointer { to: Some(to), .. }) = &found.result else {
            return None;
        };
        let Type::Named(id) = **to else { return None };
        let def = self.mapper.defs.get(id.0 as usize)?;
        let opaque = matches!(&def.state, State::Done(kind) if kind.is_opaque());
        (found.is_static && opaque).then_some(def.size)
    }

    /// The DIE of a static, where there is one.
    fn described_static(&self, export: &Export) -> gimli::Result<Option<(View<'d, 'a>, Die<'a>)>> {
        let view = self.views.get(export.object).copied().flatten();
        let found = view.and_then(|view| Some((view, *view.scan.statics.get(&export.symbol)?)));
        found
            .map(|(view, at)| Ok((view, view.debug.die(at)?)))
            .transpose()
    }

    /// The statics of no type that Go can see into, and that headers declare, with their bytes where these are known. Those that headers do not declare are
    /// addresses and no more. What a header takes for a function is a fault: whoever called it would run data.
    pub(super) fn left_to(&mut self, headers: &Headers) -> Vec<(String, Option<u64>)> {
        let untyped = std::mem::take(&mut self.untyped).into_iter();
        let (declared, others): (Vec<_>, Vec<_>) =
            untyped.partition(|symbol| headers.declares(symbol, true));
        let mut declared: Vec<_> = declared.into_iter().map(|s| (s, None)).collect();
        // A type of Rust's alone, such as a pointer in a struct that makes it `Sync`, is for C what the header says.
        let opaque = self.functions.iter().enumerate().filter_map(|(at, f)| {
            let size = self.opaque_size(f)?;
            headers.declares(&f.symbol, true).then_some((at, size))
        });
        let opaque: Vec<_> = opaque.collect();
        for (at, size) in opaque.into_iter().rev() {
            declared.push((self.functions.remove(at).symbol, size));
        }
        let addresses = others.iter().map(|s| Function::of_static(s, None));
        self.functions.extend(addresses);
        let statics = self.functions.iter().filter(|f| f.is_static);
        for found in statics.filter(|f| headers.declares(&f.symbol, false)) {
            let what = format!(
                "`{}` is a function in the header and a static in the library",
                found.symbol
            );
            let help = format!(
                "was the header made from another version of the library? Or {}",
                leave_out(&found.symbol)
            );
            self.problems.push(Problem::new(what).help(help));
        }
        declared
    }
}
