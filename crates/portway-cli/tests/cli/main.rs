//! The executable as its users meet it: what it prints, and how it ends.

mod golden;
mod process;
mod remote;
mod snapshots;
