//! The bytes of a backup:
//!
//! | bytes | what |
//! |---|---|
//! | 16 | `PORTWAY BACKUP\n` and the version, 1 |
//! | 8, 8 | revision of the store; seconds since 1970 |
//! | 2, n, 4, n | for each entry: length and bytes of its key, length and bytes of its value |
//! | 2, 8 | 0, and how many entries there were |
//! | 32 | SHA-256 of everything before |
//!
//! Numbers are big-endian. A key is never empty, so that the 0 cannot be mistaken.

/// What every backup begins with.
pub(super) const MAGIC: &[u8; 15] = b"PORTWAY BACKUP\n";

/// The version that is written, and the last that is read.
pub(super) const VERSION: u8 = 1;

/// How many bytes a value may announce: more than any store takes.
pub(super) const VALUE: usize = 64 << 20;
