//! The one thing that is said in TLS without speaking it.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, time::timeout};

use crate::socket::{Prefixed, Stream};

/// A fatal alert `unrecognized_name` (RFC 6066 section 3), as a record.
const UNRECOGNIZED_NAME: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 112];

/// How long a client has to take an alert.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Tells a client that nobody has the name it asks for.
pub(crate) async fn unrecognized_name(mut stream: Prefixed<Stream>) {
    let word = async {
        stream.write_all(&UNRECOGNIZED_NAME).await?;
        stream.shutdown().await
    };
    // Whoever does not listen has been told all the same.
    let _ = timeout(LAST_WORD, word).await;
}
