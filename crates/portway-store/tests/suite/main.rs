//! What holds for every store, and what holds for the one on disk.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

mod backups;
mod child;
mod contract;
mod crash;
mod damage;
mod directory;
mod full;
mod pieces;
mod seals;
mod stores;
