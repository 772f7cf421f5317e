//! File descriptors that traffic leaves alone.
//!
//! Connections could take all that the process may open. Then nobody could ask the probes why, no
//! changed file could be read and no log opened again. The kernel gives out the lowest number that
//! is free, so a high number says that few are left. This room only tells; who was told waits or
//! gives up.

use std::{
    fs,
    os::fd::{AsRawFd, RawFd},
    sync::atomic::{AtomicI32, Ordering::Relaxed},
};

/// How many are left alone: one of eight, and no more than this.
const MOST: RawFd = 32;

/// The lowest number that is left alone; 0 before it is known.
static FIRST: AtomicI32 = AtomicI32::new(0);

/// Whether traffic has to do without this descriptor.
pub(crate) fn is_reserved(descriptor: &impl AsRawFd) -> bool {
    let number = descriptor.as_raw_fd();
    if number < FIRST.load(Relaxed) {
        return false;
    }
    // Not known yet, or the limit was raised since.
    if let Ok(limits) = fs::read_to_string("/proc/self/limits") {
        FIRST.store(first_reserved(&limits), Relaxed);
    }
    // Where nothing is known, nothing is reserved.
    let first = FIRST.load(Relaxed);
    first > 0 && number >= first
}

fn first_reserved(limits: &str) -> RawFd {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse::<RawFd>().ok());
    // There may be no limit.
    soft.map_or(RawFd::MAX, |limit| limit - (limit / 8).min(MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_low_limit_and_little_of_a_high_one() {
        for (soft, first) in
            [("64", 56), ("256", 224), ("1048576", 1_048_544), ("unlimited", RawFd::MAX)]
        {
            let limits = format!(
                "Limit             Soft Limit Hard Limit Units\n\
                 Max processes     10         10         processes\n\
                 Max open files    {soft}     4096       files\n"
            );
            assert_eq!(first_reserved(&limits), first, "{soft}");
        }
        assert_eq!(first_reserved(""), RawFd::MAX);
    }
}
