//! What was found out lately: a bounded memory of digests, which forgets by age and by disuse.

use std::{collections::HashMap, time::Duration};

/// A SHA-256.
pub type Digest = [u8; 32];

/// At most `size` values, each for a time. When it is full, the half that was not asked for since
/// the last time is forgotten.
#[derive(Debug)]
pub struct Recent<V> {
    half: usize,
    young: HashMap<Digest, (Duration, V)>,
    old: HashMap<Digest, (Duration, V)>,
}

impl<V: Clone> Recent<V> {
    /// Room for `size` values.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self { half: size / 2, young: HashMap::new(), old: HashMap::new() }
    }

    /// The value, until the time it was put here for, by the clock of whoever put it here.
    pub fn get(&mut self, key: &Digest, now: Duration) -> Option<V> {
        Some(self.get_with_end(key, now)?.1)
    }

    /// The value, and the time it is for.
    pub fn get_with_end(&mut self, key: &Digest, now: Duration) -> Option<(Duration, V)> {
        if let Some((end, value)) = self.young.get(key) {
            return (now < *end).then(|| (*end, value.clone()));
        }
        let (end, value) = self.old.remove(key).filter(|(end, _)| now < *end)?;
        self.put(*key, value.clone(), end);
        Some((end, value))
    }

    /// Remembers a value until `end`.
    pub fn put(&mut self, key: Digest, value: V, end: Duration) {
        if self.half == 0 {
            return;
        }
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, (end, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn second(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn it_forgets_by_age_and_by_disuse() {
        let mut recent = Recent::new(4);
        recent.put([0; 32], 'a', second(10));
        assert_eq!(recent.get(&[0; 32], second(9)), Some('a'));
        assert_eq!(recent.get(&[0; 32], second(10)), None);
        for n in 1..100 {
            recent.put([n; 32], 'b', second(10));
            assert_eq!(recent.get(&[0; 32], second(1)), Some('a'), "it is asked for: {n}");
            assert!(recent.young.len() + recent.old.len() <= 4);
        }
        assert_eq!(recent.get(&[1; 32], second(1)), None);
        assert_eq!(recent.get_with_end(&[0; 32], second(1)), Some((second(10), 'a')));
    }

    #[test]
    fn one_without_room_remembers_nothing() {
        let mut recent = Recent::new(0);
        recent.put([0; 32], 'a', second(10));
        assert_eq!(recent.get(&[0; 32], second(1)), None);
    }
}
