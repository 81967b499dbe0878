//! stdlib.h: numbers from text, sorting and searching, small arithmetic, random numbers.

pub mod arithmetic;
pub mod float;
pub mod integer;
pub mod rand48;
pub mod random;
pub mod search;
