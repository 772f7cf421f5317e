//! What else an author has written on a function or a module.

use syn::{AttrStyle, Attribute};

/// Those before it, and those within its braces (`//!`, `#![allow(…)]`).
pub(crate) fn parted(attributes: &[Attribute]) -> (Vec<&Attribute>, Vec<&Attribute>) {
    attributes.iter().partition(|one| matches!(one.style, AttrStyle::Outer))
}

/// Those that say whether it is there at all.
pub(crate) fn conditions(attributes: &[Attribute]) -> Vec<&Attribute> {
    attributes.iter().filter(|one| one.path().is_ident("cfg")).collect()
}
