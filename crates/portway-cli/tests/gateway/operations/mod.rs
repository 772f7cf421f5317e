//! What an operator does to a running gateway and sees of it: start and end, changes of its file,
//! listeners that come and go, signals, scarce resources, numbers and logs.

mod directories;
mod drain;
mod files;
mod listeners;
mod logs;
mod probes;
mod reload;
mod restgate;
mod scarcity;
mod start;
