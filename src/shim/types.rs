//! The types of a shim: what is passed by value is declared anew, with the very same fields at the same places, so that the compiler passes it as the
//! library's own. A size that differs on the target does not compile.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::model::{Api, Field, Int, Layout, Type, TypeId, TypeKind};

/// Rust's name of an integer.
pub(super) fn int(int: Int) -> &'static str {
    match int {
        Int::U8 => "u8",
        Int::U16 => "u16",
        Int::U32 => "u32",
        Int::U64 => "u64",
        Int::I8 => "i8",
        Int::I16 => "i16",
        Int::I32 => "i32",
        Int::I64 => "i64",
        Int::Usize => "usize",
        Int::Isize => "isize",
    }
}

/// The named types that calls need so far.
pub(super) struct Types<'a> {
    api: &'a Api,
    /// Their declarations; empty while one is being made.
    declared: BTreeMap<TypeId, String>,
}

impl<'a> Types<'a> {
    pub(super) fn new(api: &'a Api) -> Self {
        Types {
            api,
            declared: BTreeMap::new(),
        }
    }

    /// All declarations.
    pub(super) fn declarations(&self) -> String {
        self.declared.values().map(String::as_str).collect()
    }

    /// The type in Rust. A `bool` and a `char` are the numbers that they are made of: nothing but a call is done with them.
    pub(super) fn spelled(&mut self, ty: &Type) -> Result<String, String> {
        Ok(match ty {
            Type::Bool => "u8".into(),
            Type::Char => "u32".into(),
            Type::Int(i) => int(*i).into(),
            Type::F32 => "f32".into(),
            Type::F64 => "f64".into(),
            Type::Pointer { .. } | Type::Callback { .. } | Type::Kept { .. } => {
                "*mut c_void".into()
            }
            Type::Array { elem, len } => format!("[{}; {len}]", self.spelled(elem)?),
            Type::Owned { .. } | Type::OwnedStr => "Owned".into(),
            Type::Fallible { value: None } => "Fallible<()>".into(),
            Type::Fallible { value: Some(value) } => format!("Fallible<{}>", self.spelled(value)?),
            Type::Named(id) => self.named(*id)?,
            Type::Str | Type::Slice { .. } | Type::Text { .. } => {
                return Err("a string or slice inside of a value".into());
            }
        })
    }

    fn named(&mut self, id: TypeId) -> Result<String, String> {
        let def = self.api.def(id);
        let name = format!("S{}", id.0);
        if let TypeKind::Enum { repr, .. } = def.kind {
            return Ok(int(repr).into());
        }
        if self.declared.contains_key(&id) {
            return Ok(name);
        }
        let Some(layout) = def.kind.layout() else {
            return Err(format!("the size of `{}` is not known", def.name));
        };
        self.declared.insert(id, String::new());
        let of = |what: String| format!("`{}`: {what}", def.name);
        let mut text = match &def.kind {
            TypeKind::Struct { fields, .. } => {
                self.fields(&name, fields, None, Some(layout)).map_err(of)?
            }
            TypeKind::Union { fields, .. } => self.union(&name, fields, layout).map_err(of)?,
            TypeKind::Sum { tag, variants, .. } => {
                let mut text = String::new();
                let mut views = Vec::new();
                for (n, variant) in variants.iter().enumerate() {
                    let view = format!("{name}V{n}");
                    text += &self
                        .fields(&view, &variant.fields, Some(*tag), None)
                        .map_err(of)?;
                    views.push(format!("v{n}: {view}"));
                }
                if views.is_empty() {
                    views.push(format!("v: {}", int(*tag)));
                }
                text + &union(&name, &views, layout)
            }
            TypeKind::Opaque { .. } | TypeKind::Enum { .. } => {
                return Err(of("its fields are not known".into()));
            }
        };
        let Layout { size, align } = layout;
        let _ = writeln!(
            text,
            "const _: () = assert!(size_of::<{name}>() == {size} && align_of::<{name}>() == {align}, {:?});\n",
            format!("the layout of `{}` is another one on this target", def.name)
        );
        self.declared.insert(id, text);
        Ok(name)
    }

    /// A struct of fields at their offsets, behind a tag where there is one. Holes that the compiler would not leave by itself are of the alignment of
    /// something without a size, which has no class in a calling convention.
    fn fields(
        &mut self,
        name: &str,
        fields: &[Field],
        tag: Option<Int>,
        layout: Option<Layout>,
    ) -> Result<String, String> {
        let mut rows = Vec::new();
        let mut checks = String::new();
        let (mut end, mut natural) = (0u64, 1u64);
        if let Some(tag) = tag {
            rows.push(format!("tag: {}", int(tag)));
            (end, natural) = (tag.size(), tag.size());
        }
        for (n, field) in fields.iter().enumerate() {
            let of = |what: String| format!("field `{}`: {what}", field.name);
            let Layout { size, align } = self.api.layout(&field.ty);
            if size == 0 {
                continue;
            }
            let next = end.next_multiple_of(align.max(1));
            if field.offset > next {
                let hole = hole(end, field.offset).ok_or_else(|| {
                    of(format!(
                        "it lies at {}, where C would not put it",
                        field.offset
                    ))
                })?;
                natural = natural.max(hole);
                rows.push(format!("hole{n}: [Align{hole}; 0]"));
            } else if field.offset < next {
                return Err(of("it is not aligned".into()));
            }
            rows.push(format!("f{n}: {}", self.spelled(&field.ty).map_err(of)?));
            let _ = writeln!(
                checks,
                "const _: () = assert!(std::mem::offset_of!({name}, f{n}) == {});",
                field.offset
            );
            end = field.offset + size;
            natural = natural.max(align);
        }
        let align = layout.map_or(natural, |l| l.align);
        Ok(format!(
            "#[repr(C{})]\n#[derive(Clone, Copy)]\nstruct {name} {{ {} }}\n{checks}",
            match align > natural {
                true => format!(", align({align})"),
                false => String::new(),
            },
            rows.join(", ")
        ))
    }

    fn union(&mut self, name: &str, fields: &[Field], layout: Layout) -> Result<String, String> {
        let mut text = String::new();
        let mut views = Vec::new();
        for (n, field) in fields.iter().enumerate() {
            let view = format!("{name}V{n}");
            let one = std::slice::from_ref(field);
            text += &self.fields(&view, one, None, None)?;
            views.push(format!("v{n}: {view}"));
        }
        Ok(text + &union(name, &views, layout))
    }
}

fn union(name: &str, views: &[String], layout: Layout) -> String {
    // The views may be less aligned than the whole.
    format!(
        "#[repr(C)]\n#[derive(Clone, Copy)]\nunion {name} {{ {}, align: [Align{}; 0] }}\n",
        views.join(", "),
        layout.align
    )
}

/// The alignment that leads from one offset to another.
fn hole(end: u64, offset: u64) -> Option<u64> {
    let mut all = [2u64, 4, 8, 16].into_iter();
    all.find(|&align| end.next_multiple_of(align) == offset)
}
