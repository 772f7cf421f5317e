//! A stream that the program's own code has made.

use std::{
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use portway_plugin::panics::caught;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What bytes are read from and written to, whatever it is.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A stream that the program's own code has made. What panics in it is a stream that has broken:
/// idle connections are looked at on behalf of nobody, where a panic would end a core.
pub(crate) struct Own(Option<Box<dyn Io>>);

impl Own {
    pub(crate) fn new(stream: Box<dyn Io>) -> Self {
        Self(Some(stream))
    }

    fn caught<T>(
        &mut self,
        call: impl FnOnce(Pin<&mut dyn Io>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let Some(stream) = &mut self.0 else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let stream = Pin::new(&mut **stream);
        match caught(|| call(stream)) {
            Ok(done) => done,
            Err(cause) => {
                self.drop_it();
                Poll::Ready(Err(io::Error::other(cause)))
            }
        }
    }

    fn drop_it(&mut self) {
        let stream = self.0.take();
        // Nobody is left who could be told of another panic.
        let _ = caught(|| drop(stream));
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.drop_it();
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Own")
    }
}

impl AsyncRead for Own {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.get_mut().caught(|stream| stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Own {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().caught(|stream| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().caught(|stream| stream.poll_write_vectored(cx, buffers))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().caught(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().caught(|stream| stream.poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// Panics when it is read from, and when it is dropped.
    struct Broken;

    impl AsyncRead for Broken {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            panic!("as the test wants it")
        }
    }

    impl AsyncWrite for Broken {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl Drop for Broken {
        fn drop(&mut self) {
            panic!("and again");
        }
    }

    #[tokio::test]
    async fn a_panic_is_a_stream_that_has_broken() {
        let mut own = Own::new(Box::new(Broken));
        own.write_all(b"x").await.unwrap();
        let error = own.read_u8().await.unwrap_err();
        assert!(error.to_string().contains("as the test wants it"), "{error}");
        let gone = own.write_all(b"x").await.unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::BrokenPipe);
    }

    #[tokio::test]
    async fn bytes_go_both_ways() {
        let (ours, mut theirs) = duplex(64);
        let mut own = Own::new(Box::new(ours));
        own.write_all(b"ping").await.unwrap();
        theirs.write_all(b"pong").await.unwrap();
        let mut read = [0; 4];
        theirs.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"ping");
        own.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"pong");
        drop(own);
        assert_eq!(theirs.read(&mut read).await.unwrap(), 0);
    }
}
