//! What each export takes along: the bytes that it reaches, for all exports at once.
//!
//! To mark the graph once for each export takes exports x library. Here the graph is marked once, for all of them; then sets of exports, a bit each,
//! flow along its references, a whole set in one step. That takes exports x references / [`Set::BITS`].

use crate::base::hash::Map;
use crate::link::SecRef;
use crate::link::graph::Graph;
use crate::link::live::{self, Live};
use crate::link::lookup::{Candidates, LookedUp};

/// Some exports, a bit each.
type Set = u128;

/// What the exports reach.
pub struct Reach {
    /// All of it.
    pub live: Live,
    /// By export: bytes of the sections that it reaches, its own included.
    pub sizes: Vec<u64>,
}

/// Finds what the sections `roots` reach, each by itself, as [`live::mark`] does.
pub fn reach(graph: &Graph<'_>, roots: &[SecRef]) -> Reach {
    let (inputs, symbols) = (&graph.inputs, &graph.symbols);
    let mut references = Vec::new();
    let mut heard = |from, to| references.push((from, to));
    let live = live::mark_and_tell(inputs, symbols, &graph.frames, roots, &mut heard);
    let initialisers = live::initialisers(inputs, symbols);
    // Whatever is kept of a member keeps the initialisers that wait for it.
    for at in &live.sections {
        let waiting = initialisers.waiting.get(&at.obj).into_iter().flatten();
        references.extend(waiting.map(|initialiser| (*at, *initialiser)));
    }
    let sections = Sections::new(&live.sections, |at| inputs.section(at).size);
    let plain = Flow::new(&sections, &references, &initialisers.roots);

    // Names are looked up by who reaches a function that does so, and then they are those in the strings that are reached.
    let candidates = Candidates::new(inputs, symbols);
    let looks_up = candidates.lookups().filter(|at| live.keeps(*at));
    let looks_up: Vec<_> = looks_up.filter_map(|at| sections.index(at)).collect();
    let by_name = (!looks_up.is_empty()).then(|| {
        for at in &live.sections {
            let mut names = LookedUp::new();
            candidates.named_by(inputs, *at, &mut names);
            references.extend(names.values().map(|place| (*at, place.at)));
        }
        Flow::new(&sections, &references, &initialisers.roots)
    });

    let mut sizes = Vec::with_capacity(roots.len());
    for part in roots.chunks(Set::BITS as usize) {
        let part: Vec<_> = part.iter().map(|at| sections.index(*at)).collect();
        let reached = plain.sets(&part);
        let mut sums = plain.sums(&reached, part.len());
        if let Some(by_name) = &by_name {
            let asking = looks_up
                .iter()
                .fold(0, |all, at| all | reached[plain.of[*at]]);
            let more = by_name.sums(&by_name.sets(&part), part.len());
            for (export, (sum, more)) in sums.iter_mut().zip(more).enumerate() {
                if asking >> export & 1 == 1 {
                    *sum = more;
                }
            }
        }
        sizes.extend(sums);
    }
    Reach { live, sizes }
}

/// The sections that anything reaches, numbered.
struct Sections {
    index: Map<SecRef, usize>,
    sizes: Vec<u64>,
}

impl Sections {
    fn new(all: &[SecRef], size: impl Fn(SecRef) -> u64) -> Self {
        Sections {
            index: all.iter().enumerate().map(|(i, at)| (*at, i)).collect(),
            sizes: all.iter().map(|at| size(*at)).collect(),
        }
    }

    /// None for what is never kept, as a section that is not loaded.
    fn index(&self, at: SecRef) -> Option<usize> {
        self.index.get(&at).copied()
    }
}

/// The references among sections, with those that reach each other taken for one component.
struct Flow {
    /// By section: its component. A component refers to those with smaller numbers alone.
    of: Vec<usize>,
    /// By component: bytes.
    sizes: Vec<u64>,
    /// By component: those that it refers to.
    to: Vec<Vec<usize>>,
    /// Components that everything keeps.
    always: Vec<usize>,
}

impl Flow {
    fn new(sections: &Sections, references: &[(SecRef, SecRef)], always: &[SecRef]) -> Self {
        let mut next = vec![Vec::new(); sections.sizes.len()];
        for (from, to) in references {
            if let (Some(from), Some(to)) = (sections.index(*from), sections.index(*to)) {
                next[from].push(to);
            }
        }
        let (of, count) = components(&next);
        let mut sizes = vec![0; count];
        let mut to: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (section, next) in next.iter().enumerate() {
            let own = of[section];
            sizes[own] += sections.sizes[section];
            to[own].extend(next.iter().map(|n| of[*n]).filter(|other| *other != own));
        }
        for list in &mut to {
            list.sort_unstable();
            list.dedup();
        }
        let always = always.iter().filter_map(|at| sections.index(*at));
        let always = always.map(|section| of[section]).collect();
        Flow {
            of,
            sizes,
            to,
            always,
        }
    }

    /// By component: which of the roots reach it.
    fn sets(&self, roots: &[Option<usize>]) -> Vec<Set> {
        let mut sets: Vec<Set> = vec![0; self.sizes.len()];
        for (bit, root) in roots.iter().enumerate() {
            if let Some(root) = root {
                sets[self.of[*root]] |= 1 << bit;
            }
        }
        for component in &self.always {
            sets[*component] = Set::MAX;
        }
        for component in (0..sets.len()).rev() {
            let set = sets[component];
            if set != 0 {
                self.to[component].iter().for_each(|to| sets[*to] |= set);
            }
        }
        sets
    }

    /// By root: bytes of the components that it reaches.
    fn sums(&self, sets: &[Set], roots: usize) -> Vec<u64> {
        // Many components are reached by the same roots: they are added up first.
        let mut by_set: Map<Set, u64> = Map::default();
        for (set, size) in sets.iter().zip(&self.sizes) {
            *by_set.entry(*set).or_default() += size;
        }
        let mut sums = vec![0; roots];
        for (set, size) in by_set {
            for (bit, sum) in sums.iter_mut().enumerate() {
                if set >> bit & 1 == 1 {
                    *sum += size;
                }
            }
        }
        sums
    }
}

/// The strongly connected components of a graph, each node's number and how many there are: a component has a larger number than those that it leads to
/// (Tarjan, "Depth-first search and linear graph algorithms"; without recursion, as chains of references are long).
fn components(next: &[Vec<usize>]) -> (Vec<usize>, usize) {
    const NONE: usize = usize::MAX;
    let mut of = vec![NONE; next.len()];
    // When a node was found, and the earliest one on the stack that it leads back to.
    let (mut found, mut low) = (vec![NONE; next.len()], vec![NONE; next.len()]);
    let (mut time, mut count, mut stack) = (0, 0, Vec::new());
    for root in 0..next.len() {
        if found[root] != NONE {
            continue;
        }
        let mut path = vec![(root, 0)];
        while let Some((node, edge)) = path.last_mut() {
            let node = *node;
            if *edge == 0 {
                (found[node], low[node]) = (time, time);
                time += 1;
                stack.push(node);
            }
            if let Some(&to) = next[node].get(*edge) {
                *edge += 1;
                if found[to] == NONE {
                    path.push((to, 0));
                } else if of[to] == NONE {
                    low[node] = low[node].min(found[to]);
                }
                continue;
            }
            path.pop();
            if let Some((above, _)) = path.last() {
                low[*above] = low[*above].min(low[node]);
            }
            if low[node] == found[node] {
                while let Some(member) = stack.pop() {
                    of[member] = count;
                    if member == node {
                        break;
                    }
                }
                count += 1;
            }
        }
    }
    (of, count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::inputs::Inputs;
    use crate::link::resolve;
    use crate::link::unwind;
    use crate::read::{Def, SymbolKind, runtime};

    /// What each node reaches, one by one.
    fn naive(next: &[Vec<usize>], sizes: &[u64], from: usize, always: &[usize]) -> u64 {
        let mut seen = vec![false; next.len()];
        let mut queue = vec![from];
        queue.extend(always);
        while let Some(at) = queue.pop() {
            if !std::mem::replace(&mut seen[at], true) {
                queue.extend(&next[at]);
            }
        }
        let all = seen.iter().zip(sizes).filter(|(seen, _)| **seen);
        all.map(|(_, size)| size).sum()
    }

    /// On the runtime, which has cycles, unwind tables, initialisers, and functions that look names up.
    #[test]
    fn real_code_is_as_marked_one_by_one() {
        let objects = runtime::objects("amd64").expect("the runtime").to_vec();
        let inputs = Inputs {
            runtime_from: 0,
            wrappers: None,
            objects,
        };
        let mut roots = Vec::new();
        for (obj, object) in inputs.objects.iter().enumerate() {
            let own = object.krate.as_deref() == Some("rsyso_rt");
            for symbol in object.symbols.iter().filter(|_| own) {
                if let (SymbolKind::Func, Def::Section(sec)) = (symbol.kind, symbol.def) {
                    let obj = obj as u32;
                    roots.push(SecRef { obj, sec });
                }
            }
        }
        let symbols = resolve::resolve(&inputs, &roots, false).expect("symbols");
        let frames = unwind::parse(&inputs, &symbols).expect("unwind tables");
        let live = live::mark(&inputs, &symbols, &frames, &roots);
        let graph = Graph {
            inputs,
            symbols,
            frames,
            live,
        };
        let sizes = reach(&graph, &roots).sizes;
        assert!(sizes.len() > Set::BITS as usize, "more than one pass");
        // Every seventh: to mark them one by one takes its time.
        for (root, size) in roots.iter().zip(sizes).step_by(7) {
            let alone = live::mark(&graph.inputs, &graph.symbols, &graph.frames, &[*root]);
            let sections = alone.sections.iter();
            let sum: u64 = sections.map(|at| graph.inputs.section(*at).size).sum();
            assert_eq!(size, sum, "{}", live::describe(&graph.inputs, *root));
        }
    }

    #[test]
    fn all_at_once_is_as_one_by_one() {
        let mut random = fastrand::Rng::with_seed(7);
        for round in 0..200 {
            let count = random.usize(1..60);
            let at = |sec: usize| SecRef {
                obj: 0,
                sec: sec as u32,
            };
            let all: Vec<_> = (0..count).map(at).collect();
            let sizes: Vec<u64> = all.iter().map(|_| random.u64(0..1000)).collect();
            let mut next = vec![Vec::new(); count];
            let mut references = Vec::new();
            for _ in 0..random.usize(0..count * 3) {
                let (from, to) = (random.usize(0..count), random.usize(0..count));
                next[from].push(to);
                references.push((at(from), at(to)));
            }
            let always: Vec<_> = (0..round % 3).map(|_| random.usize(0..count)).collect();
            let sections = Sections::new(&all, |at| sizes[at.sec as usize]);
            let kept: Vec<_> = always.iter().map(|n| at(*n)).collect();
            let flow = Flow::new(&sections, &references, &kept);
            let roots: Vec<_> = (0..count).map(Some).collect();
            let sums = flow.sums(&flow.sets(&roots), count);
            for (root, sum) in sums.iter().enumerate() {
                assert_eq!(*sum, naive(&next, &sizes, root, &always), "{round}: {root}");
            }
            for (from, list) in next.iter().enumerate() {
                assert!(list.iter().all(|to| flow.of[*to] <= flow.of[from]));
            }
        }
    }
}
