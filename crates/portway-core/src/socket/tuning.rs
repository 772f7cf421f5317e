//! What a configuration asks of the kernel.

use std::io;

use portway_config::{Keepalive, Socket, value::ByteSize};
use socket2::{Protocol, SockRef, TcpKeepalive};

/// Asks the kernel for what `wanted` says beyond what is usual. A listening socket hands it on to
/// its connections. Where there is no TCP nobody is asked whether somebody is there.
pub(crate) fn tune(socket: &SockRef<'_>, wanted: &Socket) -> io::Result<()> {
    let size = |size: ByteSize| size.limit().and_then(|size| usize::try_from(size).ok());
    if let Some(size) = size(wanted.receive_buffer) {
        socket.set_recv_buffer_size(size)?;
    }
    if let Some(size) = size(wanted.send_buffer) {
        socket.set_send_buffer_size(size)?;
    }
    let is_tcp = socket.protocol()? == Some(Protocol::TCP);
    if let Some(Keepalive { idle, interval, retries }) = &wanted.keepalive
        && is_tcp
    {
        let keepalive = TcpKeepalive::new().with_time(idle.get()).with_interval(interval.get());
        socket.set_tcp_keepalive(&keepalive.with_retries(*retries))?;
    }
    Ok(())
}
