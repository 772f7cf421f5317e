//! From start to end: what the process opens, how it follows its file, how it leaves.

mod drain;
mod probes;
mod reload;
mod restgate;
mod start;
