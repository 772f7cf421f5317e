//! Both ends of the wire at work together, and what becomes of the one when the other goes.

mod cancelled;
mod pattern;
mod races;
mod stack;
