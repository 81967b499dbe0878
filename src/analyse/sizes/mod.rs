//! Which bytes of the image belong to which crate, module and function (docs/INSPECT.md says by which rules).

mod attribute;
mod owner;
mod places;

pub(crate) use attribute::attribute;
