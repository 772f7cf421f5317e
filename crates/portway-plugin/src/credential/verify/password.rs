//! Passwords and their hashes. Slow on purpose: only on threads that may block.

use std::io;

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use aws_lc_rs::rand;

/// What is verified against for users that do not exist, before any real hash was seen: argon2id
/// as it comes (19 MiB, two passes), of no password anybody has.
pub const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$cG9ydHdheS1ub2JvZHk$\
                                 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Whether the hash, in PHC or bcrypt form, is of this password. A hash nobody can read is of
/// none.
#[must_use]
pub fn password_matches(hash: &str, password: &str) -> bool {
    if !hash.starts_with("$argon2") {
        return bcrypt::verify(password, hash).unwrap_or(false);
    }
    let hash = PasswordHash::new(hash);
    hash.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// The hash of a password as a configuration holds it: argon2id, 19 MiB, two passes, with a salt of
/// its own.
///
/// # Errors
/// The system has no random bytes, or the password is longer than 4 GiB.
pub fn hash_password(password: &str) -> io::Result<String> {
    let mut salt = [0; 16];
    rand::fill(&mut salt).map_err(|_| io::Error::other("the system has no random bytes"))?;
    let hasher = Argon2::default();
    let hash: PasswordHash = hasher
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|error| io::Error::other(error.to_string()))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_both_kinds_are_read() {
        // Of other implementations: the reference one of argon2, and crypt_blowfish.
        for (hash, password) in [
            (
                "$argon2i$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG",
                "password",
            ),
            ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
            ("$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
        ] {
            assert!(password_matches(hash, password), "{hash}");
            assert!(!password_matches(hash, "other") && !password_matches(hash, ""), "{hash}");
        }
        for unreadable in
            ["", "open", "$argon2id$", "$2b$04$short", "$argon2id$v=19$m=1,t=1,p=1$a$b"]
        {
            assert!(
                !password_matches(unreadable, "open") && !password_matches(unreadable, ""),
                "{unreadable}"
            );
        }
    }

    #[test]
    fn what_is_hashed_here_is_known_again() {
        let [one, other] = [0; 2].map(|_| hash_password("open sesame").unwrap());
        assert!(one.starts_with("$argon2id$") && one != other, "{one}");
        assert!(password_matches(&one, "open sesame") && !password_matches(&one, "open"));
    }

    #[test]
    fn the_hash_of_nobody_costs_as_much_as_a_real_one() {
        let hash = PasswordHash::new(NOBODY).expect("it can be read");
        let real = PasswordHasher::hash_password_with_salt(
            &Argon2::default(),
            b"open",
            b"0123456789abcdef",
        );
        let real = real.unwrap();
        assert_eq!(hash.params, real.params);
        assert!(
            password_matches(&real.to_string(), "open")
                && !password_matches(&real.to_string(), "opem")
        );
        assert!(!password_matches(NOBODY, "open"));
    }
}
