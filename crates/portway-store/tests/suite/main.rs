//! What holds for every store, and what holds for the one on disk.

mod backups;
mod child;
mod contract;
mod crash;
mod damage;
mod directory;
mod full;
mod seals;
mod stores;
