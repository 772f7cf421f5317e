//! What holds for every store, and what holds for the one on disk.

mod contract;
mod stores;
