//! What is asked of the kernel for a connection, on either side of the gateway.

use portway_plugin::value::{ByteSize, Duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked of the kernel for connections: those of clients, at a listener, and those to
/// endpoints, at a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Socket {
    /// Whether what is written is sent at once (`TCP_NODELAY`). `false` lets the kernel wait until a
    /// segment is full, which saves packets and costs time.
    pub nodelay: bool,
    /// The room for bytes that have come and nobody has read (`SO_RCVBUF`), in bytes. `0` leaves it
    /// to the system, which adapts it to each connection; it also has the last word.
    #[serde(skip_serializing_if = "ByteSize::is_zero")]
    pub receive_buffer: ByteSize,
    /// The same for bytes that are on their way out (`SO_SNDBUF`).
    #[serde(skip_serializing_if = "ByteSize::is_zero")]
    pub send_buffer: ByteSize,
    /// How the kernel finds out that nobody is at the other end of a silent connection
    /// (`SO_KEEPALIVE`). Without it, it does not ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepalive: Option<Keepalive>,
}

impl Default for Socket {
    fn default() -> Self {
        Self {
            nodelay: true,
            receive_buffer: ByteSize::ZERO,
            send_buffer: ByteSize::ZERO,
            keepalive: None,
        }
    }
}

impl Socket {
    /// Whether nothing is asked for but what is usual.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Whether more is asked for than whether bytes are sent at once.
    #[must_use]
    pub fn is_tuned(&self) -> bool {
        !self.receive_buffer.is_zero() || !self.send_buffer.is_zero() || self.keepalive.is_some()
    }
}

/// When the kernel asks whether somebody is at the other end, in whole seconds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Keepalive {
    /// How long a connection is silent before it asks (`TCP_KEEPIDLE`).
    pub idle: Duration,
    /// How long it waits before it asks again (`TCP_KEEPINTVL`).
    pub interval: Duration,
    /// How often it asks in vain before the connection is broken (`TCP_KEEPCNT`).
    #[schemars(range(min = 1, max = 127))]
    pub retries: u32,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self { idle: Duration::from_secs(60), interval: Duration::from_secs(15), retries: 4 }
    }
}
