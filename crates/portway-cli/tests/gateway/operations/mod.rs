//! What an operator does to a running gateway and sees of it: changes of its file, listeners that
//! come and go, signals, scarce resources, numbers and logs.

mod files;
mod listeners;
