//! The `Date` of answers (RFC 9110 section 6.6.1), formatted once a second on each thread.

use std::{
    cell::RefCell,
    fmt::Write,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::BytesMut;

/// `Sun, 06 Nov 1994 08:49:37 GMT`
const LENGTH: usize = 29;

struct Cached {
    second: u64,
    text: String,
}

thread_local! {
    static CACHED: RefCell<Cached> =
        const { RefCell::new(Cached { second: u64::MAX, text: String::new() }) };
}

/// Writes a `date` line.
pub(super) fn put(out: &mut BytesMut) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    CACHED.with_borrow_mut(|cached| {
        if cached.second != now {
            cached.second = now;
            cached.text.clear();
            let date = httpdate::HttpDate::from(UNIX_EPOCH + Duration::from_secs(now));
            // Writing into a string does not fail.
            let _ = write!(cached.text, "{date}");
            debug_assert_eq!(cached.text.len(), LENGTH);
        }
        super::fields::put_field(out, b"date", cached.text.as_bytes());
    });
}
