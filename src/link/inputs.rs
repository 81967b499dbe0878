//! The objects of a link: the library's, rsyso's own, the runtime's.

use super::SecRef;
use crate::read::{Object, Section};

/// All objects of a link.
#[derive(Debug)]
pub struct Inputs<'d> {
    /// The library's objects, then rsyso's own, then the runtime's.
    pub objects: Vec<Object<'d>>,
    /// Index of the first object of the runtime.
    pub runtime_from: usize,
    /// The object of rsyso's own that holds the wrappers, if there is one.
    pub wrappers: Option<u32>,
}

impl<'d> Inputs<'d> {
    /// The library's objects, the wrappers and the runtime's objects, in this order.
    pub fn new(library: Vec<Object<'d>>, wrappers: Object<'d>, runtime: &[Object<'d>]) -> Self {
        let mut objects = library;
        let at = objects.len();
        objects.push(wrappers);
        objects.extend_from_slice(runtime);
        Inputs {
            objects,
            runtime_from: at + 1,
            wrappers: Some(at as u32),
        }
    }

    /// The sections of the wrappers: what is kept is what they reach.
    pub fn wrapper_sections(&self) -> Vec<SecRef> {
        let of = |obj: u32| {
            let count = self.object(obj).sections.len() as u32;
            (1..count).map(move |sec| SecRef { obj, sec })
        };
        self.wrappers.into_iter().flat_map(of).collect()
    }

    /// Number of sections that could be loaded.
    pub fn loadable(&self) -> usize {
        let sections = self.objects.iter().flat_map(|o| &o.sections);
        sections.filter(|s| s.alloc()).count()
    }

    /// An object.
    pub fn object(&self, obj: u32) -> &Object<'d> {
        &self.objects[obj as usize]
    }
    /// A section.
    pub fn section(&self, at: SecRef) -> &Section<'d> {
        &self.object(at.obj).sections[at.sec as usize]
    }
    /// Whether an object belongs to the runtime.
    pub fn is_runtime(&self, obj: u32) -> bool {
        obj as usize >= self.runtime_from
    }
}
