//! An upstream that echoes short messages of WebSocket, with one read and one write for each. The
//! echo upstream of the testkit knows all of the protocol, and does more for each message.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::messages::{BINARY, MASKED, head};

/// The first two bytes of a frame and the key of its mask.
const PREFIX: usize = 2 + 4;
/// The longest payload whose length fits into the second byte.
const LONGEST: usize = 125;

/// Serves until the process is stopped.
pub(crate) async fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A connection that fails has nobody to tell: its client sees the close.
        tokio::spawn(async move { drop(connection(stream).await) });
    }
}

async fn connection(mut stream: TcpStream) -> io::Result<()> {
    let request = head(&mut stream).await?;
    let key = request.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim())
    });
    let Some(key) = key else { return Err(io::Error::other("no WebSocket was asked for")) };
    let accept = derive_accept_key(key.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await?;
    let mut room = [0; PREFIX + LONGEST];
    let mut filled = 0;
    loop {
        let read = stream.read(&mut room[filled..]).await?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        let Some(frame) = frame(&room[..filled])? else { continue };
        let echoed = unmasked(&room[..frame]);
        stream.write_all(&echoed).await?;
        room.copy_within(frame..filled, 0);
        filled -= frame;
    }
}

/// The length of a frame that has come whole.
fn frame(bytes: &[u8]) -> io::Result<Option<usize>> {
    let [BINARY, second, ..] = *bytes else {
        return match *bytes {
            [] | [BINARY] => Ok(None),
            _ => Err(io::Error::other("only binary messages of one frame are echoed")),
        };
    };
    let payload = usize::from(second & !MASKED);
    if second & MASKED == 0 || payload > LONGEST {
        return Err(io::Error::other("only short messages with a mask are echoed"));
    }
    let whole = PREFIX + payload;
    Ok((bytes.len() >= whole).then_some(whole))
}

/// The same message as a server sends it.
fn unmasked(frame: &[u8]) -> Vec<u8> {
    let (key, payload) = frame[2..].split_at(4);
    let mut echoed = vec![BINARY, frame[1] & !MASKED];
    echoed.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    echoed
}

#[cfg(test)]
mod tests {
    use super::{frame, unmasked};

    #[test]
    fn a_frame_is_echoed_when_all_of_it_is_there() {
        let sent = [0x82, 0x82, 1, 2, 3, 4, b'a' ^ 1, b'b' ^ 2];
        assert_eq!(frame(&sent[..7]).unwrap(), None);
        assert_eq!(frame(&sent).unwrap(), Some(8));
        assert_eq!(unmasked(&sent), [0x82, 2, b'a', b'b']);
        assert!(frame(&[0x81, 0x80]).is_err());
        assert!(frame(&[0x82, 2]).is_err());
    }
}
