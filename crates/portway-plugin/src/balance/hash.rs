//! A hash that is the same everywhere.

/// A hash of bytes that is the same in every process, on every machine and in every version, so
/// that gateways beside each other send a key to the same endpoint. It keeps no secret.
///
/// FNV-1a, whose low bits are good and whose high ones are not, so the end mixes them.
#[must_use]
pub fn stable_hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    mixed(bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, fold))
}

/// Each bit of the result depends on each of the input (the finalizer of `MurmurHash3`).
const fn mixed(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever changes these numbers moves every key of every gateway.
    #[test]
    fn it_never_changes() {
        assert_eq!(stable_hash(*b""), 0xefd0_1f60_ba99_2926);
        assert_eq!(stable_hash(*b"a"), 0x82a2_a958_a9be_ce5b);
    }

    #[test]
    fn keys_that_are_alike_are_spread_over_all_of_it() {
        let mut buckets = [0_u32; 64];
        for number in 0..64_000 {
            let hash = stable_hash(format!("user-{number}").bytes());
            buckets[usize::try_from(hash >> 58).unwrap()] += 1;
        }
        let spread = buckets.iter().all(|count| (850..1150).contains(count));
        assert!(spread, "{buckets:?}");
    }
}
