//! Calls of somebody else's code, so that a panic in it is a failure like others.
//!
//! What a panic leaves behind is that code's own: its locks say that they are poisoned.

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use crate::BoxFuture;

/// Calls it.
///
/// # Errors
/// It has panicked; see [`cause`].
pub fn caught<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| cause(&*panic))
}

/// A future whose panics are errors. It is not to be polled after one.
pub struct Caught<'a, T>(pub BoxFuture<'a, T>);

impl<T> Future for Caught<'_, T> {
    type Output = Result<T, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match caught(|| self.0.as_mut().poll(cx)) {
            Ok(polled) => polled.map(Ok),
            Err(cause) => Poll::Ready(Err(cause)),
        }
    }
}

impl<T> fmt::Debug for Caught<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Caught")
    }
}

/// What a panic has said, for logs: `panic: index out of bounds …`.
#[must_use]
pub fn cause(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("unknown"))
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn a_panic_is_an_error_that_says_what_it_said() {
        assert_eq!(caught(|| 1), Ok(1));
        assert_eq!(caught(|| -> u8 { panic!("gone") }), Err("panic: gone".to_owned()));
        let number = 7;
        let told = caught(|| -> u8 { panic!("gone at {number}") });
        assert_eq!(told, Err("panic: gone at 7".to_owned()));
        let odd = caught(|| -> u8 { std::panic::panic_any(number) });
        assert_eq!(odd, Err("panic: unknown".to_owned()));
    }

    #[test]
    fn so_is_one_in_a_future() {
        let mut cx = Context::from_waker(Waker::noop());
        let mut poll = |mut work: Caught<'_, u8>| Pin::new(&mut work).poll(&mut cx);
        assert_eq!(poll(Caught(Box::pin(async { 1 }))), Poll::Ready(Ok(1)));
        assert_eq!(poll(Caught(Box::pin(std::future::pending()))), Poll::Pending);
        let gone = poll(Caught(Box::pin(async { panic!("gone") })));
        assert_eq!(gone, Poll::Ready(Err("panic: gone".to_owned())));
    }
}
