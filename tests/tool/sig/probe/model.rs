//! Types of the probe.

use std::marker::PhantomData;

/// A point.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Up.
    pub y: f64,
}

impl Point {
    /// A method.
    #[unsafe(no_mangle)]
    pub extern "C" fn p_method(&self, k: f64) -> f64 {
        self.x + k
    }
}

/// A tuple struct.
#[repr(C)]
pub struct Tuple(
    /// First.
    pub u8,
    pub u32,
    pub [u16; 3],
);

#[repr(transparent)]
pub struct Id(pub u32, PhantomData<String>);

#[repr(C)]
pub struct Node {
    pub value: u32,
    pub next: *mut Node,
    pub other: Option<Box<Other>>,
}

#[repr(C)]
pub struct Other {
    pub nodes: [*const Node; 2],
    pub last: *mut [Other; 3],
}

#[repr(C)]
pub struct Generic<T> {
    pub value: T,
    pub none: PhantomData<T>,
}

#[repr(C)]
pub struct Empty {}

#[repr(C)]
pub struct Outer {
    pub point: Point,
    pub mode: Mode,
    pub ids: [Id; 2],
    pub flag: bool,
    pub r#type: char,
}

/// How fast.
#[repr(u8)]
pub enum Mode {
    /// As fast as possible.
    Fast = 1,
    Slow = 7,
}

#[repr(C)]
pub enum Signed {
    A,
    B = -3,
    C,
}

#[repr(u64)]
pub enum Big {
    A = 1,
    B = u64::MAX,
}

#[repr(i16)]
pub enum Single {
    Only = -5,
}

/// No `repr`, so the compiler chose.
pub enum Bare {
    One,
    Two,
    Three = 200,
}

#[repr(C, packed)]
pub struct Packed {
    a: u8,
    b: u32,
}

#[repr(C, align(32))]
pub struct Aligned {
    a: u8,
}

/// Not for C.
pub struct Plain {
    pub bytes: Vec<u8>,
    pub n: u32,
}

/// Lies as C would lay it out, but does not promise to.
pub struct Accident {
    pub a: u64,
    pub b: u64,
}

pub enum Data {
    A(u32),
    B { x: u8 },
}

pub enum Never {}

#[repr(C)]
pub union Union {
    a: u32,
    b: f32,
}

/// Somebody else's.
#[repr(C)]
pub struct Foreign {
    _private: [u8; 0],
}

#[repr(C)]
pub struct WithStr {
    pub name: &'static str,
}

#[repr(C)]
pub struct Hooks {
    pub hook: extern "C" fn(),
}
