//! Values by their type alone: bytes to pass, the hash that Rust must come to, and what it must make of it.

use super::abi::view::{Stream, TEXT, View};
use rsyso::internals::model::goabi::go_layout;
use rsyso::internals::model::{Api, Field, Int, PointerKind, Type, TypeKind, Variant};

pub struct Values<'a> {
    api: &'a Api,
    random: Stream,
    /// All scalars passed so far, as the callee hashes them.
    seen: Vec<u8>,
    /// What pointers lead to, aligned for everything.
    memory: Vec<Vec<u128>>,
    /// What mutable references lead to: index into `memory`, element type, number.
    mutable: Vec<(usize, Type, usize)>,
}

impl<'a> Values<'a> {
    pub fn new(api: &'a Api, seed: u64) -> Self {
        let start = View::new(seed);
        Values {
            api,
            random: start.stream(),
            seen: Vec::new(),
            memory: Vec::new(),
            mutable: Vec::new(),
        }
    }

    pub fn garbage(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.random.number() as u8).collect()
    }

    fn below(&mut self, n: u64) -> u64 {
        self.random.number() % n
    }

    /// The stream that the callee makes its results from.
    pub fn view(&self, function: usize) -> Stream {
        let mut view = View::new(function as u64);
        view.bytes(&self.seen);
        view.stream()
    }

    /// Every scalar counts as 64 bits.
    fn see(&mut self, ty: &Type, bytes: &[u8]) {
        let signed = match ty {
            Type::Int(i) => i.signed(),
            Type::Named(id) => match &self.api.def(*id).kind {
                TypeKind::Enum { repr, .. } => repr.signed(),
                _ => false,
            },
            _ => false,
        };
        let negative = signed && bytes.last().is_some_and(|b| b & 0x80 != 0);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        self.seen.extend(wide);
    }

    /// Writes a parameter into the frame.
    pub fn pass(&mut self, frame: &mut [u8], at: usize, ty: &Type) {
        match ty {
            Type::Str => {
                let len = self.below(3) * self.below(20);
                self.pass_fat(frame, at, &Type::Int(Int::U8), len as usize, true);
            }
            Type::Slice { elem, mutable, .. } => {
                let len = self.below(3) * self.below(7);
                self.pass_fat(frame, at, elem, len as usize, false);
                let capacity = len + self.below(3);
                put(frame, at + 16, &capacity.to_le_bytes());
                if *mutable {
                    self.keep(elem, len as usize);
                }
            }
            Type::Pointer {
                to: Some(to),
                kind,
                nullable,
            } if kind.is_reference() => {
                if *nullable {
                    let some = self.below(3) > 0;
                    self.see(&Type::Bool, &[some.into()]);
                    if !some {
                        return put(frame, at, &[0; 8]);
                    }
                }
                let pointer = self.allocate(to, 1, false);
                put(frame, at, &pointer.to_le_bytes());
                if *kind == PointerKind::RefMut {
                    self.keep(to, 1);
                }
            }
            _ => self.fill(frame, at, ty),
        }
    }

    fn pass_fat(&mut self, frame: &mut [u8], at: usize, elem: &Type, len: usize, ascii: bool) {
        self.seen.extend((len as u64).to_le_bytes());
        // An empty one may have any pointer in Go.
        let pointer = match len == 0 && self.below(2) == 0 {
            true => 0,
            false => self.allocate(elem, len, ascii),
        };
        if pointer == 0 {
            self.memory.push(Vec::new());
        }
        put(frame, at, &pointer.to_le_bytes());
        put(frame, at + 8, &len.to_le_bytes());
    }

    fn keep(&mut self, elem: &Type, count: usize) {
        self.mutable
            .push((self.memory.len() - 1, elem.clone(), count));
    }

    /// Makes an array; a text of ASCII, or values of the element type.
    fn allocate(&mut self, elem: &Type, count: usize, ascii: bool) -> usize {
        let stride = go_layout(self.api, elem).size as usize;
        let mut bytes = self.garbage(stride * count);
        for i in 0..count {
            if ascii {
                bytes[i] = b' ' + self.below(95) as u8;
                self.see(elem, &bytes[i..=i]);
            } else {
                self.fill(&mut bytes, i * stride, elem);
            }
        }
        let words = bytes.chunks(16).map(|c| {
            let mut word = [0; 16];
            word[..c.len()].copy_from_slice(c);
            u128::from_ne_bytes(word)
        });
        // One more, so that there is an address even for none.
        let memory: Vec<_> = words.chain([0]).collect();
        let address = memory.as_ptr() as usize;
        self.memory.push(memory);
        address
    }

    fn fill(&mut self, out: &mut [u8], at: usize, ty: &Type) {
        if let Some((tag, variants)) = self.sum(ty) {
            let variant = &variants[self.below(variants.len() as u64) as usize];
            put(out, at, &self.cut(&tag, variant.value as u64));
            self.seen.extend((variant.value as u64).to_le_bytes());
            for f in &variant.fields {
                self.fill(out, at + f.offset as usize, &f.ty);
            }
            return;
        }
        match self.parts(at, ty) {
            Some(parts) => parts.iter().for_each(|(at, ty)| self.fill(out, *at, ty)),
            None => {
                let bytes = self.scalar(ty);
                put(out, at, &bytes);
                self.see(ty, &bytes);
            }
        }
    }

    /// The tag and the variants of a sum type.
    fn sum(&self, ty: &Type) -> Option<(Type, &'a [Variant])> {
        let api = self.api;
        match ty {
            Type::Named(id) => match &api.def(*id).kind {
                TypeKind::Sum { tag, variants, .. } => Some((Type::Int(*tag), variants)),
                _ => None,
            },
            _ => None,
        }
    }

    /// What a value is made of, in order; None for a scalar. A union is its first field, which has all of its bytes.
    fn parts(&self, at: usize, ty: &Type) -> Option<Vec<(usize, Type)>> {
        let api = self.api;
        let lie = |fields: &[Field]| {
            let fields = fields.iter();
            fields
                .map(|f| (at + f.offset as usize, f.ty.clone()))
                .collect()
        };
        match ty {
            Type::Array { elem, len } => {
                let stride = api.layout(elem).size as usize;
                let all = 0..*len as usize;
                Some(all.map(|i| (at + i * stride, (**elem).clone())).collect())
            }
            Type::Named(id) => match &api.def(*id).kind {
                TypeKind::Struct { fields, .. } => Some(lie(fields)),
                TypeKind::Union { fields, .. } => Some(lie(&fields[..1])),
                _ => None,
            },
            _ => None,
        }
    }

    fn variants(&self, ty: &Type) -> Option<Vec<u64>> {
        let Type::Named(id) = ty else { return None };
        match &self.api.def(*id).kind {
            TypeKind::Enum { variants, .. } => {
                Some(variants.iter().map(|v| v.value as u64).collect())
            }
            _ => None,
        }
    }

    fn cut(&self, ty: &Type, value: u64) -> Vec<u8> {
        let size = self.api.layout(ty).size as usize;
        value.to_le_bytes()[..size].to_vec()
    }

    /// A scalar to pass: an edge value, or any.
    fn scalar(&mut self, ty: &Type) -> Vec<u8> {
        let any = self.random.number();
        let pick = |from: &[u64]| from[(any >> 8) as usize % from.len()];
        let bits = self.api.layout(ty).size * 8;
        let value = match ty {
            Type::Bool => any & 1,
            Type::Char => pick(&[
                0,
                0x7f,
                0x80,
                0xD7FF,
                0xE000,
                0xFFFF,
                0x10FFFF,
                any % 0xD800,
            ]),
            // Zeros, infinities, quiet and signalling NaNs with payload, the least and the greatest.
            Type::F32 => pick(&[
                0,
                1 << 31,
                0x7f80_0000,
                0xff80_0000,
                0x7fc0_1234,
                0xffa0_4321,
                1,
                0x7f7f_ffff,
                any,
            ]),
            Type::F64 => pick(&[
                0,
                1 << 63,
                0x7ff << 52,
                0xfff << 52,
                0x7ff8_1234 << 32,
                0xfff4_4321 << 32,
                1,
                any,
            ]),
            _ => match self.variants(ty) {
                Some(all) => pick(&all),
                None => pick(&[
                    0,
                    1,
                    u64::MAX,
                    1 << (bits - 1),
                    (1 << (bits - 1)) - 1,
                    any,
                    any,
                ]),
            },
        };
        self.cut(ty, value)
    }

    /// A scalar as the callee makes it.
    fn made(&self, ty: &Type, stream: &mut Stream) -> Vec<u8> {
        let n = stream.number();
        let value = match ty {
            Type::Bool => n & 1,
            Type::Char => n % 0xD800,
            Type::Pointer { .. } => (64 << 30) + n % (1 << 20) * 8,
            _ => match self.variants(ty) {
                Some(all) => all[(n % all.len() as u64) as usize],
                None => n,
            },
        };
        self.cut(ty, value)
    }

    #[track_caller]
    fn check(&self, bytes: &[u8], at: usize, ty: &Type, stream: &mut Stream) {
        if let Some((tag, variants)) = self.sum(ty) {
            let variant = &variants[(stream.number() % variants.len() as u64) as usize];
            let want = self.cut(&tag, variant.value as u64);
            assert_eq!(bytes[at..at + want.len()], want, "the tag of {ty:?}");
            for f in &variant.fields {
                self.check(bytes, at + f.offset as usize, &f.ty, stream);
            }
            return;
        }
        match self.parts(at, ty) {
            Some(parts) => {
                let parts = parts.iter();
                parts.for_each(|(at, ty)| self.check(bytes, *at, ty, stream));
            }
            None => {
                let want = self.made(ty, stream);
                assert_eq!(bytes[at..at + want.len()], want, "{ty:?} at {at}");
            }
        }
    }

    /// What mutable references lead to must have been replaced.
    #[track_caller]
    pub fn check_refilled(&self, stream: &mut Stream) {
        for (index, elem, count) in &self.mutable {
            let bytes: Vec<u8> = self.memory[*index]
                .iter()
                .flat_map(|w| w.to_ne_bytes())
                .collect();
            let stride = self.api.layout(elem).size as usize;
            for i in 0..*count {
                self.check(&bytes, i * stride, elem, stream);
            }
        }
    }

    #[track_caller]
    pub fn check_result(&self, frame: &[u8], at: usize, ty: &Type, stream: &mut Stream) {
        let elem = match ty {
            Type::Str => Type::Int(Int::U8),
            Type::Slice { elem, .. } => (**elem).clone(),
            _ => return self.check(frame, at, ty, stream),
        };
        let range = stream.range();
        let word =
            |i: usize| usize::from_le_bytes(frame[at + i * 8..][..8].try_into().expect("8 bytes"));
        assert_eq!(word(1), range.len());
        if *ty != Type::Str {
            assert_eq!(word(2), range.len(), "the capacity");
        }
        if range.is_empty() {
            return assert_eq!(word(0), 0, "an empty slice is nil in Go");
        }
        let want: Vec<u8> = range
            .flat_map(|i| match ty {
                Type::Str => TEXT.as_bytes()[i..=i].to_vec(),
                _ => self.cut(&elem, (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            })
            .collect();
        // SAFETY: the callee says that this many elements are there.
        let got = unsafe { std::slice::from_raw_parts(word(0) as *const u8, want.len()) };
        assert_eq!(got, want);
    }
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    out[at..at + bytes.len()].copy_from_slice(bytes);
}
