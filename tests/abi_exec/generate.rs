//! Invents the signatures of `fixtures/abi`, and writes them as Rust, as a table for Go, and as a model.

use rsyso::model::{
    Api, Field, Function, Int, Layout, Param, PointerKind, Type, TypeDef, TypeId, TypeKind, Variant,
};
use std::fmt::Write;

/// All of the fixture: what [`Api`] cannot say is how Rust spells an optional reference.
pub struct Fixture {
    pub api: Api,
    /// Functions and parameters, by index, that are `Option<&T>`.
    pub optional: Vec<(usize, usize)>,
}

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
    }
}

fn pointer(to: Option<Type>, kind: PointerKind) -> Type {
    Type::Pointer {
        to: to.map(Box::new),
        kind,
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
    fixture: Fixture,
    dice: Dice,
    scalars: Vec<Type>,
    structs: Vec<Type>,
}

/// The fixture.
pub fn fixture() -> Fixture {
    let mut g = Generator {
        fixture: Fixture {
            api: Api::default(),
            optional: Vec::new(),
        },
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
    g.each_struct();
    g.random_functions();
    g.fixture
}

impl Generator {
    fn define(&mut self, name: String, kind: TypeKind) -> Type {
        let types = &mut self.fixture.api.types;
        types.push(TypeDef {
            path: format!("abi::generated::{name}"),
            name,
            doc: String::new(),
            kind,
        });
        Type::Named(TypeId(types.len() as u32 - 1))
    }

    fn enums(&mut self) {
        let all: [(&str, Int, &[(&str, i128)]); 4] = [
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
                doc: String::new(),
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
            let l: Layout = self.fixture.api.layout(&ty);
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
                size += self.fixture.api.layout(&ty).size;
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
            doc: String::new(),
            source: None,
            path: String::new(),
        };
        self.fixture.api.functions.push(function);
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
        for (k, (ty, float)) in two.into_iter().enumerate() {
            for used in 0..=3 {
                let fill = if float { Type::F32 } else { int(Int::U32) };
                let mut params = vec![fill; if float { 6 } else { 4 } + used];
                params.push(ty.clone());
                params.extend(tails.clone());
                params.push(ty.clone());
                self.function(format!("edge_{k}_{used}"), params, Some(both.clone()));
            }
        }
        for (ints, floats) in [(5, 7), (6, 7), (5, 8), (6, 8)] {
            let mut params = vec![int(Int::I16); ints];
            params.extend(vec![Type::F64; floats]);
            params.push(both.clone());
            params.extend(tails.clone());
            self.function(
                format!("edge_both_{ints}_{floats}"),
                params,
                Some(Type::Str),
            );
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
            let function = self.fixture.api.functions.len();
            let mut params = Vec::new();
            for i in 0..count {
                let ty = self.random_param();
                let reference = matches!(
                    ty,
                    Type::Pointer {
                        kind: PointerKind::Ref,
                        ..
                    }
                );
                if reference && self.dice.below(2) == 0 {
                    self.fixture.optional.push((function, i));
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

impl Fixture {
    /// A type as Rust writes it.
    pub fn rust(&self, ty: &Type) -> String {
        match ty {
            Type::Bool => "bool".into(),
            Type::Char => "char".into(),
            Type::Int(i) => format!("{i:?}").to_lowercase(),
            Type::F32 => "f32".into(),
            Type::F64 => "f64".into(),
            Type::Str => "&str".into(),
            Type::Slice { elem, mutable } => {
                let and = if *mutable { "&mut " } else { "&" };
                format!("{and}[{}]", self.rust(elem))
            }
            Type::Pointer { to, kind } => {
                let spelled = match kind {
                    PointerKind::Ref => "&",
                    PointerKind::RefMut => "&mut ",
                    PointerKind::Const => "*const ",
                    PointerKind::Mut => "*mut ",
                };
                let to = to.as_ref().map_or("c_void".into(), |t| self.rust(t));
                format!("{spelled}{to}")
            }
            Type::Array { elem, len } => format!("[{}; {len}]", self.rust(elem)),
            Type::Named(id) => self.api.def(*id).name.clone(),
            Type::Callback { .. } => unreachable!("the fixture has none"),
        }
    }

    pub fn is_optional(&self, function: usize, param: usize) -> bool {
        self.optional.contains(&(function, param))
    }

    fn param(&self, function: usize, param: usize, ty: &Type) -> String {
        match self.is_optional(function, param) {
            true => format!("Option<{}>", self.rust(ty)),
            false => self.rust(ty),
        }
    }

    /// `fixtures/abi/src/generated.rs`, a function a line.
    pub fn rust_source(&self) -> String {
        let mut out = String::from(
            "//! Code generated by tests/abi_fixture.rs. DO NOT EDIT.\n\nuse super::view::{Make, See, Stream, View, enums, structs, view};\nuse core::ffi::c_void;\n\n",
        );
        self.rust_types(&mut out);
        for (i, f) in self.api.functions.iter().enumerate() {
            self.rust_function(i, f, &mut out);
        }
        let names = self.api.functions.iter().map(|f| &f.symbol);
        out.push_str("/// All functions, for the test that calls them without Go.\n#[cfg(test)]\npub fn addresses() -> Vec<(&'static str, *const ())> {\n    vec![\n");
        for name in names {
            let _ = writeln!(out, "        (\"{name}\", {name} as *const ()),");
        }
        out.push_str("    ]\n}\n");
        out
    }

    fn rust_types(&self, out: &mut String) {
        let (mut enums, mut structs) = (String::new(), String::new());
        for def in &self.api.types {
            let name = &def.name;
            match &def.kind {
                TypeKind::Enum { repr, variants } => {
                    let repr = self.rust(&int(*repr));
                    // The plain C enum is told from the others by its name.
                    let attribute = if name == "Color" { "C" } else { &repr };
                    let _ = writeln!(
                        out,
                        "#[derive(Clone, Copy)]\n#[repr({attribute})]\npub enum {name} {{"
                    );
                    let _ = write!(enums, "    {name}: {repr} {{");
                    for v in variants {
                        let _ = writeln!(out, "    {} = {},", v.name, v.value);
                        let _ = write!(enums, " {}", v.name);
                    }
                    out.push_str("}\n\n");
                    enums.push_str(" }\n");
                }
                TypeKind::Struct { fields, size, .. } => {
                    let _ = writeln!(out, "/// {size} bytes.\n#[repr(C)]\npub struct {name} {{");
                    let _ = write!(structs, "    {name} {{");
                    for f in fields {
                        let _ = writeln!(out, "    pub {}: {},", f.name, self.rust(&f.ty));
                        let _ = write!(structs, " {}", f.name);
                    }
                    out.push_str("}\n\n");
                    structs.push_str(" }\n");
                }
                TypeKind::Opaque => {}
            }
        }
        let _ = writeln!(out, "enums! {{\n{enums}}}\n\nstructs! {{\n{structs}}}\n");
    }

    fn rust_function(&self, index: usize, f: &Function, out: &mut String) {
        let params = f.params.iter().enumerate();
        let params: Vec<_> = params
            .map(|(i, p)| format!("{}: {}", p.name, self.param(index, i, &p.ty)))
            .collect();
        let result = match &f.result {
            Some(ty) => format!(" -> {}", self.rust(ty).replace('&', "&'static ")),
            None => String::new(),
        };
        let names: Vec<_> = f.params.iter().map(|p| p.name.as_str()).collect();
        let _ = writeln!(
            out,
            "#[unsafe(no_mangle)]\npub extern \"C\" fn {}({}){result} {{\n    let mut stream = view!({});",
            f.symbol,
            params.join(", "),
            names.join(", ")
        );
        for p in &f.params {
            let _ = match &p.ty {
                Type::Slice { mutable: true, .. } => {
                    writeln!(out, "    stream.refill({});", p.name)
                }
                Type::Pointer {
                    kind: PointerKind::RefMut,
                    ..
                } => {
                    writeln!(out, "    stream.refill(core::slice::from_mut({}));", p.name)
                }
                _ => Ok(()),
            };
        }
        let made = if f.result.is_some() {
            "    stream.make()\n"
        } else {
            ""
        };
        let _ = writeln!(out, "{made}}}\n");
    }

    /// `fixtures/abi/go/generated_test.go`.
    pub fn go_source(&self) -> String {
        let mut out = String::from(
            "// Code generated by tests/abi_fixture.rs. DO NOT EDIT.\n\npackage abi\n\n",
        );
        out.push_str("// The types of the library, as Rust writes them.\nvar types = []typeDef{\n");
        for def in &self.api.types {
            let text = match &def.kind {
                TypeKind::Enum { repr, variants } => {
                    let values: Vec<_> = variants
                        .iter()
                        .map(|v| (v.value as i64).to_string())
                        .collect();
                    format!(
                        "\"{}\", []int64{{{}}}, nil",
                        self.rust(&int(*repr)),
                        values.join(", ")
                    )
                }
                TypeKind::Struct { fields, .. } => {
                    let fields: Vec<_> = fields
                        .iter()
                        .map(|f| format!("\"{}\"", self.rust(&f.ty)))
                        .collect();
                    format!("\"\", nil, []string{{{}}}", fields.join(", "))
                }
                TypeKind::Opaque => continue,
            };
            let _ = writeln!(out, "\t{{\"{}\", {text}}},", def.name);
        }
        out.push_str("}\n\n// The functions, and their parameters and results as Rust writes them.\nvar functions = []function{\n");
        for (index, f) in self.api.functions.iter().enumerate() {
            let params = f.params.iter().enumerate();
            let params: Vec<_> = params
                .map(|(i, p)| format!("\"{}\"", self.param(index, i, &p.ty)))
                .collect();
            let result = f.result.as_ref().map_or(String::new(), |ty| self.rust(ty));
            let go = go_name(&f.symbol);
            let _ = writeln!(
                out,
                "\t{{\"{go}\", {go}, []string{{{}}}, \"{result}\"}},",
                params.join(", ")
            );
        }
        out.push_str("}\n");
        out
    }
}

/// `many_ints_7` -> `ManyInts7`.
fn go_name(symbol: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    symbol.split('_').map(capital).collect()
}
