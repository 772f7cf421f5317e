//! People with a password.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use aws_lc_rs::{hmac, rand};
use portway_config::{
    AdminPassword,
    credential::{BasicCredentials, Digest, password_matches},
};

use super::rights::Grant;

/// The people of a configuration, by name.
#[derive(Debug, Default)]
pub(super) struct Passwords {
    people: Box<[Person]>,
    by_name: HashMap<Box<str>, usize>,
}

#[derive(Debug)]
struct Person {
    hash: Arc<str>,
    grant: Grant,
}

/// A password that is to be looked at.
#[derive(Debug)]
pub(super) struct Attempt<'p> {
    /// What the pair is remembered by.
    pub(super) pair: Digest,
    /// What the name may do, if there is such a name. It says nothing of the password.
    pub(super) grant: Option<&'p Grant>,
    hash: Arc<str>,
}

impl Passwords {
    pub(super) fn new(people: &[AdminPassword]) -> Self {
        let by_name = people.iter().enumerate();
        let by_name = by_name.map(|(at, person)| (person.username.as_str().into(), at)).collect();
        let people = people.iter().map(|person| Person {
            hash: person.hash.as_str().into(),
            grant: Grant::of(person.role).within(person.namespaces.clone()),
        });
        Self { people: people.collect(), by_name }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// Whether somebody here may do everything.
    pub(super) fn has_full(&self) -> bool {
        self.people.iter().any(|person| person.grant.is_full())
    }

    /// What is to be looked at for these credentials. A name that nobody has costs as much as one
    /// that somebody has: its password is hashed too, against the hash of somebody who is always
    /// the same for that name.
    pub(super) fn attempt(&self, credentials: &BasicCredentials) -> Option<Attempt<'_>> {
        let known = self.by_name.get(&*credentials.user).and_then(|at| self.people.get(*at));
        let stand_in = digest(&[&credentials.user]);
        let number = u64::from_le_bytes(*stand_in.first_chunk()?);
        let count = u64::try_from(self.people.len()).ok().filter(|count| *count > 0)?;
        let other = self.people.get(usize::try_from(number % count).ok()?)?;
        let person = known.unwrap_or(other);
        let exists = if known.is_some() { "known" } else { "unknown" };
        let pair = digest(&[exists, &credentials.user, &credentials.password, &person.hash]);
        Some(Attempt {
            pair,
            grant: known.map(|person| &person.grant),
            hash: Arc::clone(&person.hash),
        })
    }
}

impl Attempt<'_> {
    /// Looks at the password. Slow on purpose: only on a thread that may block.
    pub(super) fn matches(&self, password: Box<str>) -> impl FnOnce() -> bool + Send + 'static {
        let (hash, exists) = (Arc::clone(&self.hash), self.grant.is_some());
        // What is not there is never right, whatever the hash in its place is of.
        move || password_matches(&hash, &password) & exists
    }
}

/// A digest under a key that only this process knows. No part holds a NUL: what ends one cannot be
/// in it.
fn digest(parts: &[&str]) -> Digest {
    static KEY: OnceLock<hmac::Key> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let mut key = [0; 32];
        // It fails where the system has no random bytes; then TLS has none either, and nothing
        // starts.
        rand::fill(&mut key).expect("the system has random bytes");
        hmac::Key::new(hmac::HMAC_SHA256, &key)
    });
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(part.as_bytes());
        context.update(&[0]);
    }
    let mut digest = Digest::default();
    digest.copy_from_slice(context.sign().as_ref());
    digest
}
