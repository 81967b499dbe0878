//! Invents the signatures of `fixtures/abi`, as a model.

use rsyso::internals::model::{
    Api, Field, Function, Int, Layout, Param, PointerKind, Signatures, Type, TypeDef, TypeId,
    TypeKind, Variant,
};

mod sums;

const INTS: [Int; 10] = [
    Int::U8,
    Int::I8,
    Int::U16,
    Int::I16,
    Int::U32,
    Int::I32,
    Int::U64,
    Int::I64,
    Int::Usize,
    Int::Isize,
];

pub const fn int(i: Int) -> Type {
    Type::Int(i)
}

fn array(elem: Type, len: u64) -> Type {
    Type::Array {
        elem: Box::new(elem),
        len,
    }
}

fn slice(elem: Type, mutable: bool) -> Type {
    Type::Slice {
        elem: Box::new(elem),
        mutable,
        pair: None,
    }
}

fn pointer(to: Option<Type>, kind: PointerKind) -> Type {
    Type::Pointer {
        to: to.map(Box::new),
        kind,
        nullable: kind.is_raw(),
    }
}

/// SplitMix64 with a fixed seed: the fixture is the same on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

struct Generator {
    api: Signatures,
    dice: Dice,
    scalars: Vec<Type>,
    structs: Vec<Type>,
}

/// The fixture.
pub fn fixture() -> Api {
    let mut g = Generator {
        api: Signatures::default(),
        dice: Dice(1),
        scalars: Vec::new(),
        structs: Vec::new(),
    };
    g.enums();
    g.scalars();
    g.chosen_structs();
    g.random_structs();
    g.few_kinds();
    g.each_type();
    g.boundaries();
    g.unions();
    g.sums();
    g.holders();
    g.each_struct();
    g.random_functions();
    Api::from(g.api)
}

impl Generator {
    fn define(&mut self, name: String, kind: TypeKind) -> Type {
        let types = &mut self.api.types;
        types.push(TypeDef {
            path: format!("abi::generated::{name}"),
            name,
            doc: String::new(),
            kind,
        });
        Type::Named(TypeId(types.len() as u32 - 1))
    }

    fn enums(&mut self) {
        type Variants = &'static [(&'static str, i128)];
        let all: [(&str, Int, Variants); 4] = [
            ("Tiny", Int::U8, &[("Zero", 0), ("One", 1), ("Last", 255)]),
            (
                "Signed",
                Int::I16,
                &[("Low", -32768), ("Minus", -1), ("High", 32767)],
            ),
            ("Wide", Int::U64, &[("None", 0), ("Top", u64::MAX as i128)]),
            ("Color", Int::U32, &[("Red", 0), ("Green", 1), ("Blue", 2)]),
        ];
        for (name, repr, variants) in all {
            let variants = variants.iter().map(|(name, value)| Variant {
                name: (*name).into(),
                value: *value,
                ..Variant::default()
            });
            let variants = variants.collect();
            let ty = self.define(name.into(), TypeKind::Enum { repr, variants });
            self.scalars.push(ty);
        }
    }

    fn scalars(&mut self) {
        self.scalars.extend(INTS.map(int));
        self.scalars
            .extend([Type::Bool, Type::Char, Type::F32, Type::F64]);
        self.scalars
            .push(pointer(Some(int(Int::U8)), PointerKind::Const));
        self.scalars
            .push(pointer(Some(int(Int::U64)), PointerKind::Mut));
        self.scalars.push(pointer(None, PointerKind::Const));
    }

    /// Defines a struct with the C layout of its fields.
    fn structure(&mut self, types: Vec<Type>) -> Type {
        let (mut end, mut align) = (0u64, 1);
        let mut fields = Vec::new();
        for (ty, name) in types.into_iter().zip('a'..) {
            let l: Layout = self.api.layout(&ty);
            let offset = end.next_multiple_of(l.align);
            (end, align) = (offset + l.size, align.max(l.align));
            fields.push(Field {
                name: name.into(),
                ty,
                offset,
                doc: String::new(),
            });
        }
        let kind = TypeKind::Struct {
            fields,
            size: end.next_multiple_of(align),
            align,
        };
        let ty = self.define(format!("Mix{:02}", self.structs.len()), kind);
        self.structs.push(ty.clone());
        ty
    }

    /// Every mix of classes in one and two eightbytes, every size up to 16, and the first sizes that go to memory.
    fn chosen_structs(&mut self) {
        use Type::{Bool, Char, F32, F64};
        let (u8, i8, u16, i16, u32, u64) = (
            int(Int::U8),
            int(Int::I8),
            int(Int::U16),
            int(Int::I16),
            int(Int::U32),
            int(Int::U64),
        );
        for n in 1..=17 {
            self.structure(vec![array(u8.clone(), n)]);
        }
        for n in [3, 5, 7] {
            self.structure(vec![array(u16.clone(), n)]);
        }
        let [tiny, signed] = [0, 1].map(|i| Type::Named(TypeId(i)));
        let thin = pointer(Some(u8.clone()), PointerKind::Const);
        let lists = [
            vec![i8.clone()],
            vec![i16.clone()],
            vec![Bool],
            vec![Char],
            vec![F32],
            vec![F64],
            vec![F32, F32],
            vec![F32, F32, F32],
            vec![array(F32, 4)],
            vec![F64, F64],
            vec![F64, F32],
            vec![F32, F64],
            vec![F32, u32.clone()],
            vec![u32.clone(), F32],
            vec![F64, u64.clone()],
            vec![u64.clone(), F64],
            vec![F32, F32, u8.clone()],
            vec![u8.clone(), F64],
            vec![F64, u8.clone()],
            vec![F32, u16.clone(), u8.clone(), F32, F32],
            vec![thin.clone(), F64],
            vec![thin, u64.clone()],
            vec![tiny, signed, Bool],
            vec![i8, i16, u32, u64.clone()],
            vec![u64.clone(), u64.clone(), u8],
            vec![F64, F64, F64],
            vec![array(F32, 5)],
            vec![array(u64.clone(), 8)],
            vec![array(u64.clone(), 17)],
            vec![array(F64, 40), u16],
        ];
        for list in lists {
            self.structure(list);
        }
        // Nested ones, whose fields meet in one eightbyte.
        let pair = self.structure(vec![F32, Bool]);
        self.structure(vec![pair.clone(), F32]);
        self.structure(vec![F32, pair.clone()]);
        self.structure(vec![array(pair, 2)]);
        let single = self.structure(vec![F32]);
        let float = self.structure(vec![single.clone(), single]);
        self.structure(vec![float.clone(), float.clone()]);
        self.structure(vec![float, u64]);
    }

    fn random_structs(&mut self) {
        let mut made = 0;
        while made < 40 {
            let mut size = 0;
            let wanted = 1 + self.dice.below(if made % 2 == 0 { 16 } else { 64 }) as u64;
            let mut fields = Vec::new();
            while size < wanted {
                let ty = self.field();
                size += self.api.layout(&ty).size;
                fields.push(ty);
            }
            if size <= 64 && fields.len() <= 26 {
                self.structure(fields);
                made += 1;
            }
        }
    }

    fn field(&mut self) -> Type {
        match self.dice.below(10) {
            0 => {
                let elem = self.dice.pick(&self.scalars);
                array(elem, 1 + self.dice.below(4) as u64)
            }
            1 => self.dice.pick(&self.structs),
            2 | 3 => self.dice.pick(&[Type::F32, Type::F64, Type::F32]),
            _ => self.dice.pick(&self.scalars),
        }
    }

    fn function(&mut self, symbol: String, params: Vec<Type>, result: Option<Type>) {
        let params = params.into_iter().enumerate().map(|(i, ty)| Param {
            name: format!("a{i}"),
            ty,
        });
        let function = Function {
            symbol,
            params: params.collect(),
            result,
            ..Function::default()
        };
        self.api.functions.push(function);
    }

    /// 0 to 20 parameters of one kind, then of both, with every kind of scalar result.
    fn few_kinds(&mut self) {
        for n in 0..=20 {
            let ints = (0..n).map(|i| int(INTS[(i * 7 + n) % 10])).collect();
            self.function(format!("many_ints_{n}"), ints, Some(int(INTS[n % 10])));
            let floats: Vec<_> = (0..n)
                .map(|i| {
                    if (i + n) % 3 == 0 {
                        Type::F32
                    } else {
                        Type::F64
                    }
                })
                .collect();
            let result = if n % 2 == 0 { Type::F64 } else { Type::F32 };
            self.function(format!("many_floats_{n}"), floats, Some(result));
            let mixed = (0..n).map(|_| self.dice.pick(&self.scalars)).collect();
            let result = self.dice.pick(&self.scalars);
            self.function(format!("many_scalars_{n}"), mixed, Some(result));
        }
    }

    /// Every type that is not a struct, in and out, in registers and on the stack.
    fn each_type(&mut self) {
        let mut all: Vec<_> = self.scalars.clone();
        all.push(Type::Str);
        let floats = [Type::F32, Type::F64];
        let elements = INTS.map(int);
        all.extend(elements.into_iter().map(|e| slice(e, false)));
        for (n, ty) in all.into_iter().enumerate() {
            let word = || int(Int::U64);
            let mut params = vec![ty.clone()];
            params.extend((0..5).map(|_| word()));
            params.extend((0..8).map(|i| floats[i % 2].clone()));
            params.push(ty.clone());
            self.function(format!("each_type_{n}"), params, Some(ty));
        }
    }

    /// What takes two registers, when none, one or two are left, with scalars after it that take the rest.
    fn boundaries(&mut self) {
        let pair = |g: &mut Self, a, b| g.structure(vec![a, b]);
        let long = || int(Int::I64);
        let two = [
            (Type::Str, false),
            (slice(int(Int::U16), false), false),
            (slice(int(Int::U32), true), false),
            (pair(self, long(), long()), false),
            (pair(self, Type::F64, Type::F32), true),
        ];
        let both = pair(self, long(), Type::F64);
        let tails = [int(Int::I8), Type::F32, int(Int::U16), Type::F64];
        for ((ty, float), k) in two.into_iter().zip('a'..) {
            for used in 0..=3 {
                let fill = if float { Type::F32 } else { int(Int::U32) };
                let mut params = vec![fill; if float { 6 } else { 4 } + used];
                params.push(ty.clone());
                params.extend(tails.clone());
                params.push(ty.clone());
                self.function(format!("edge_{k}{used}"), params, Some(both.clone()));
            }
        }
        for (ints, floats) in [(5, 7), (6, 7), (5, 8), (6, 8)] {
            let mut params = vec![int(Int::I16); ints];
            params.extend(vec![Type::F64; floats]);
            params.push(both.clone());
            params.extend(tails.clone());
            self.function(format!("edge_both{ints}{floats}"), params, Some(Type::Str));
        }
    }

    /// Every struct, in and out; between scalars, so that what lies next to it would show damage.
    fn each_struct(&mut self) {
        for (n, ty) in self.structs.clone().into_iter().enumerate() {
            let params = vec![int(Int::U8), ty.clone(), int(Int::I8), Type::F32];
            self.function(format!("each_struct_{n}"), params, Some(ty));
        }
    }

    fn random_functions(&mut self) {
        for n in 0..90 {
            let count = self.dice.below(21);
            let mut params = Vec::new();
            for _ in 0..count {
                let mut ty = self.random_param();
                if let Type::Pointer {
                    kind: PointerKind::Ref,
                    nullable,
                    ..
                } = &mut ty
                {
                    *nullable = self.dice.below(2) == 0;
                }
                params.push(ty);
            }
            let result = match self.dice.below(8) {
                0 => {
                    params.push(pointer(Some(int(Int::U64)), PointerKind::RefMut));
                    None
                }
                1 => Some(Type::Str),
                2 => Some(slice(int(self.dice.pick(&INTS)), false)),
                3 | 4 => Some(self.dice.pick(&self.scalars)),
                _ => Some(self.dice.pick(&self.structs)),
            };
            self.function(format!("random_{n}"), params, result);
        }
    }

    fn random_param(&mut self) -> Type {
        let target = match self.dice.below(2) {
            0 => self.dice.pick(&self.scalars),
            _ => self.dice.pick(&self.structs),
        };
        match self.dice.below(20) {
            0 => Type::Str,
            1 | 2 => slice(target, self.dice.below(2) == 0),
            3 => pointer(Some(target), PointerKind::Ref),
            4 => pointer(Some(target), PointerKind::RefMut),
            5..=8 => self.dice.pick(&self.structs),
            9..=11 => self.dice.pick(&[Type::F32, Type::F64]),
            _ => self.dice.pick(&self.scalars),
        }
    }
}
