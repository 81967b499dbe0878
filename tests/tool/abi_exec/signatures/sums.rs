//! Unions and enums with fields.

use super::{Generator, array, int, pointer};
use rsyso::internals::model::{Field, Int, PointerKind, Type, TypeKind, Variant};

impl Generator {
    /// Unions of a field that has all bytes and of fields of other classes in the same eightbytes.
    pub(super) fn unions(&mut self) {
        use Type::{F32, F64};
        let [u8, u16, u32, u64] = [Int::U8, Int::U16, Int::U32, Int::U64].map(int);
        let thin = pointer(Some(u8.clone()), PointerKind::Const);
        let lists = [
            vec![F64, F32],
            vec![F64, u64.clone()],
            vec![F32, u8.clone()],
            vec![F32, F32],
            vec![array(F32, 4), F64],
            vec![array(F64, 2), F32, u8.clone()],
            vec![array(F64, 2), array(u32.clone(), 3)],
            vec![array(F32, 3), F32],
            vec![array(F32, 3), array(u16, 5)],
            vec![array(u8.clone(), 16), F64],
            vec![array(u8.clone(), 3), u8.clone()],
            vec![array(F32, 5), F32],
            vec![array(u64, 3), F64],
            vec![thin, F64],
        ];
        for list in lists {
            self.union(list);
        }
        for _ in 0..10 {
            let structs = self.structs.len();
            let whole = self.structs[self.dice.below(structs)].clone();
            // Of a struct there may be bytes that are of no field, and no other field may have more of them.
            let room = self.api.layout(&whole).size;
            let more: Vec<_> = (0..3).map(|_| self.dice.pick(&self.scalars)).collect();
            let more = more.into_iter().filter(|ty| {
                let l = self.api.layout(ty);
                l.size <= room && room.is_multiple_of(l.align)
            });
            let list = [whole].into_iter().chain(more).collect();
            self.union(list);
        }
    }

    fn union(&mut self, types: Vec<Type>) {
        let aligns = types.iter().map(|ty| self.api.layout(ty).align);
        let align = aligns.max().unwrap_or(1);
        let size = self.api.layout(&types[0]).size.next_multiple_of(align);
        let fields = types.into_iter().zip('a'..).map(|(ty, name)| Field {
            name: name.into(),
            ty,
            offset: 0,
            doc: String::new(),
        });
        let kind = TypeKind::Union {
            fields: fields.collect(),
            size,
            align,
        };
        let ty = self.define(format!("Uni{:03}", self.structs.len()), kind);
        self.structs.push(ty);
    }

    /// Enums with fields in both layouts, whose variants have every mix of classes.
    pub(super) fn sums(&mut self) {
        use Type::{Bool, F32, F64};
        let [u8, u32, u64] = [Int::U8, Int::U32, Int::U64].map(int);
        let tags = [Int::U8, Int::I16, Int::I32, Int::U64];
        let lists = [
            vec![vec![F32], vec![]],
            vec![vec![F64], vec![F32, F32], vec![]],
            vec![vec![u64.clone()], vec![F64]],
            vec![vec![Bool], vec![u8.clone(), u8], vec![]],
            vec![vec![F32, F64], vec![u32]],
            vec![vec![F64, F64, F64], vec![u64]],
        ];
        for list in lists {
            self.sum(Int::U32, true, list.clone());
            for tag in tags {
                self.sum(tag, false, list.clone());
            }
        }
        for n in 0..20 {
            let count = 1 + self.dice.below(4);
            let list = (0..count).map(|_| {
                let fields = self.dice.below(4);
                (0..fields).map(|_| self.field()).collect::<Vec<_>>()
            });
            let mut list: Vec<_> = list.collect();
            list.retain(|fields| fields.iter().all(|ty| self.api.layout(ty).size <= 64));
            // An enum without any field is another kind.
            list.push(vec![self.dice.pick(&self.scalars)]);
            let tag = self.dice.pick(&tags);
            match n % 2 == 0 {
                true => self.sum(Int::U32, true, list),
                false => self.sum(tag, false, list),
            }
        }
    }

    /// `repr(C)` if the tag is outside of the variants.
    fn sum(&mut self, tag: Int, outside: bool, variants: Vec<Vec<Type>>) {
        let fields = variants.iter().flatten();
        let inner = fields
            .map(|ty| self.api.layout(ty).align)
            .max()
            .unwrap_or(1);
        let from = match outside {
            true => tag.size().next_multiple_of(inner),
            false => tag.size(),
        };
        let (mut end, align) = (from, inner.max(tag.size()));
        let mut out = Vec::new();
        for (n, types) in variants.into_iter().enumerate() {
            let (mut at, mut fields) = (from, Vec::new());
            for (ty, name) in types.into_iter().zip('a'..) {
                let l = self.api.layout(&ty);
                let offset = at.next_multiple_of(l.align);
                at = offset + l.size;
                fields.push(Field {
                    name: name.into(),
                    ty,
                    offset,
                    doc: String::new(),
                });
            }
            end = end.max(at);
            // Numbers that are not given stand in the order of the variants.
            let value = if outside {
                n as i128
            } else {
                7 * n as i128 + 1
            };
            out.push(Variant {
                in_c: String::new(),
                name: format!("V{n}"),
                value,
                doc: String::new(),
                fields,
            });
        }
        let kind = TypeKind::Sum {
            tag,
            variants: out,
            size: end.next_multiple_of(align),
            align,
        };
        let form = if outside { "C" } else { "I" };
        let ty = self.define(format!("Sum{form}{:03}", self.structs.len()), kind);
        self.structs.push(ty);
    }

    /// Structs that hold unions and enums with fields.
    pub(super) fn holders(&mut self) {
        let inner: Vec<Type> = self.structs[self.structs.len() - 60..].to_vec();
        for _ in 0..30 {
            let count = 1 + self.dice.below(3);
            let mut fields: Vec<_> = (0..count).map(|_| self.field()).collect();
            fields.insert(self.dice.below(count + 1), self.dice.pick(&inner));
            let size: u64 = fields.iter().map(|ty| self.api.layout(ty).size).sum();
            if size <= 128 {
                self.structure(fields);
            }
        }
    }
}
