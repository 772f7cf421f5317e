//! The API's own tokens.
//!
//! A token is shown once, to whoever made it; what is kept is its digest. [`text`] is the token
//! itself, [`record`] what is kept of it, [`TokenDesk`] makes and revokes them, and [`bearer`] says
//! whose one is. Where they are kept is not decided here: that is behind [`Tokens`].

mod desk;
mod kept;
mod record;
mod text;

pub use desk::{NewToken, TokenDesk, TokenError, TokenRequest};
pub use kept::{MemoryTokens, Stored, Tokens, TokensFailed};
pub use record::{TokenRecord, TokenView};
pub(super) use text::is_ours;

use std::time::Duration;

use super::{
    Moment,
    rights::{By, Who},
};
use text::{NO_DIGEST, Text};

/// How exactly it is known when a token was used: noting it is a write.
const COARSE: Duration = Duration::from_secs(3600);

/// Whose token this is. `None` for one that is not good, for whatever reason.
pub(super) async fn bearer(
    tokens: &dyn Tokens,
    token: &[u8],
    now: Moment,
) -> Result<Option<Who>, TokensFailed> {
    let Some(text) = Text::read(token) else { return Ok(None) };
    let record = tokens.get(text.id()).await?;
    // One that does not exist is compared too, with what no token has.
    let is_right = text.is_of(record.as_ref().map_or(NO_DIGEST, |record| &record.digest));
    let Some(record) = record.filter(|_| is_right) else { return Ok(None) };
    if record.expires_at.is_some_and(|end| now >= end) {
        return Ok(None);
    }
    if record.last_used_at.is_none_or(|last| now.since(last) >= COARSE) {
        // That it could not be noted is no reason to keep anybody out.
        let _ = tokens.touch(&record.id, now).await;
    }
    let by = if record.first { By::FirstToken } else { By::Token };
    Ok(Some(Who { name: record.name.as_str().into(), by, grant: record.grant }))
}
