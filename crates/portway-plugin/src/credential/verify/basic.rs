//! A name and a password, as a request brings them.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, StatusCode, header};

use super::scheme;
use crate::Error;

/// The longest password that is hashed, and the longest name that is looked up. Longer ones cost
/// more than they are worth.
const LONGEST: usize = 1024;

/// A name and a password. Neither is shown.
pub struct BasicCredentials {
    /// The name.
    pub user: Box<str>,
    /// The password.
    pub password: Box<str>,
}

/// Why there are none to look at.
#[derive(Debug)]
pub enum Unusable {
    /// Nobody says who asks, at least not in this way.
    Missing,
    /// Several do.
    Ambiguous,
    /// They are not in the form of RFC 7617.
    Refused(Error),
}

impl BasicCredentials {
    /// Those of a request, from its `Authorization`.
    ///
    /// # Errors
    /// There are none, or more than one, or they are in another form.
    pub fn of(headers: &HeaderMap) -> Result<Self, Unusable> {
        let mut lines = headers.get_all(header::AUTHORIZATION).iter();
        let (first, second) = (lines.next(), lines.next());
        if second.is_some() {
            return Err(Unusable::Ambiguous);
        }
        let value = first.and_then(|line| scheme(line.as_bytes(), b"basic"));
        let value = value.ok_or(Unusable::Missing)?;
        // Four digits stand for three bytes.
        if value.len() > (2 * LONGEST + 1).div_ceil(3) * 4 {
            return Err(too_large());
        }
        let text = STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(malformed)?;
        let (user, password) = text.split_once(':').ok_or_else(malformed)?;
        if text.contains(char::is_control) {
            return Err(malformed());
        }
        if user.len() > LONGEST || password.len() > LONGEST {
            return Err(too_large());
        }
        Ok(Self { user: user.into(), password: password.into() })
    }
}

/// Without what it is.
impl fmt::Debug for BasicCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BasicCredentials(…)")
    }
}

fn malformed() -> Unusable {
    Unusable::Refused(Error::client(
        StatusCode::BAD_REQUEST,
        "malformed_credentials",
        "the credentials are not a name and a password in base64",
    ))
}

fn too_large() -> Unusable {
    Unusable::Refused(Error::client(
        StatusCode::PAYLOAD_TOO_LARGE,
        "credentials_too_large",
        "the name or the password is too long",
    ))
}
