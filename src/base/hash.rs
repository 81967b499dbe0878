//! Maps and sets whose keys come from the inputs. Their hash is faster than std's, and each map has another seed: nothing can come to depend on the order of
//! the entries, and no input is made for many collisions.

use foldhash::fast::RandomState;

/// A map.
pub type Map<K, V> = std::collections::HashMap<K, V, RandomState>;

/// A set.
pub type Set<T> = std::collections::HashSet<T, RandomState>;
