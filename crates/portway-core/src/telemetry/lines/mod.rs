//! Lines on their way out: written into a buffer where they arise, carried to a file, a pipe or a
//! terminal by a thread of their own.
//!
//! A [`Pen`] belongs to one core (or one log); its lock is shared with the writing thread alone,
//! which holds it for as long as it takes to swap a buffer. The buffers of a pen are bounded: when
//! the output does not keep up, whole buffers of lines are dropped and counted. It never blocks
//! who writes a line, and never writes half a line followed by another.

mod output;
mod pen;
mod writer;

#[cfg(test)]
mod tests;

pub(super) use self::{
    output::Output,
    pen::Pen,
    writer::{Lines, Writer},
};
pub use output::OutputError;
