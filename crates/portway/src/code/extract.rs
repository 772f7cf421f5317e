//! Values that a function asks for by their types.

use std::{net::IpAddr, sync::Arc};

use headers::{Header, HeaderMapExt};
use http::StatusCode;
use portway_plugin::{Consumer, Error, Host, cookies};
use serde::de::DeserializeOwned;

use super::{Call, Halt, text};

/// A value that is made of a request when a hook, map or handler asks for it: implement it for a
/// type, and the type can be an argument.
///
/// ```
/// use portway::code::{Call, FromCall, Halt};
///
/// struct Tenant(String);
///
/// impl FromCall for Tenant {
///     fn from_call(call: &Call<'_>) -> Result<Self, Halt> {
///         let tenant = call.head().header("x-tenant").map(str::to_owned);
///         tenant.map(Tenant).ok_or_else(|| Halt::bad_request("x-tenant is missing"))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made of a request",
    note = "implement `portway::code::FromCall` for it"
)]
pub trait FromCall: Sized {
    /// Makes it.
    ///
    /// # Errors
    /// The request has not what it takes.
    fn from_call(call: &Call<'_>) -> Result<Self, Halt>;
}

/// The client's address: the connection's, or what a trusted proxy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client(pub IpAddr);

/// The id of the request, which the client and the upstream see too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

/// A header field with a type: `TypedHeader<headers::Authorization<headers::authorization::Bearer>>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TypedHeader<H>(pub H);

/// The cookies of a request as a struct with fields of their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cookies<T>(pub T);

impl FromCall for Client {
    fn from_call(call: &Call<'_>) -> Result<Self, Halt> {
        Ok(Self(call.head().client()))
    }
}

impl FromCall for RequestId {
    fn from_call(call: &Call<'_>) -> Result<Self, Halt> {
        Ok(Self(call.head().request_id().to_owned()))
    }
}

/// What the gateway does for code: asking others, telling the time, counting, logging.
impl FromCall for Host {
    fn from_call(call: &Call<'_>) -> Result<Self, Halt> {
        Ok(call.host().clone())
    }
}

/// 401 where no plugin has found out who asks.
impl FromCall for Arc<Consumer> {
    fn from_call(call: &Call<'_>) -> Result<Self, Halt> {
        let consumer = call.head().consumer().cloned();
        consumer.ok_or_else(|| Halt::unauthorized("nobody knows who asks"))
    }
}

impl<H: Header> FromCall for TypedHeader<H> {
    fn from_call(call: &Call<'_>) -> Result<Self, Halt> {
        let wrong = |what: &str| {
            let message = format!("the header field {} is {what}", H::name());
            Error::client(StatusCode::BAD_REQUEST, "invalid_header", message).into()
        };
        match call.head().headers().typed_try_get::<H>() {
            Ok(Some(value)) => Ok(Self(value)),
            Ok(None) => Err(wrong("missing")),
            Err(_) => Err(wrong("malformed")),
        }
    }
}

impl<T: DeserializeOwned> FromCall for Cookies<T> {
    fn from_call(call: &Call<'_>) -> Result<Self, Halt> {
        let pairs = cookies(call.head().headers()).filter_map(|(name, value)| {
            let (name, value) = (str::from_utf8(name).ok()?, str::from_utf8(value).ok()?);
            Some((name, value.to_owned()))
        });
        text::read(pairs.collect()).map(Self).map_err(|error| {
            let message = format!("the cookies are not as expected: {error}");
            Error::client(StatusCode::BAD_REQUEST, "invalid_cookies", message).into()
        })
    }
}

/// `None` where it cannot be made.
impl<T: FromCall> FromCall for Option<T> {
    fn from_call(call: &Call<'_>) -> Result<Self, Halt> {
        Ok(T::from_call(call).ok())
    }
}

/// Finds out how a function gets a value of its own: the first of these that fits its type.
#[doc(hidden)]
pub mod inject {
    use std::marker::PhantomData;

    use super::{Call, FromCall, Halt};
    use crate::code::scope::missing;

    /// A type somebody asks for.
    #[derive(Debug)]
    pub struct Wanted<T>(PhantomData<fn() -> T>);

    impl<T> Wanted<T> {
        #[expect(clippy::new_without_default, reason = "generated code alone makes it")]
        #[must_use]
        pub const fn new() -> Self {
            Self(PhantomData)
        }
    }

    /// Made of the request.
    pub trait Made<T> {
        fn take(&self, call: &mut Call<'_>) -> Result<T, Halt>;
    }

    /// The request's own, else a copy of the program's, else nothing.
    pub trait PerhapsCloned<T> {
        fn take(&self, call: &mut Call<'_>) -> Result<Option<T>, Halt>;
    }

    /// The request's own, else nothing.
    pub trait Perhaps<T> {
        fn take(&self, call: &mut Call<'_>) -> Result<Option<T>, Halt>;
    }

    /// The request's own, else a copy of the program's.
    pub trait TakenOrCloned<T> {
        fn take(&self, call: &mut Call<'_>) -> Result<T, Halt>;
    }

    /// The request's own.
    pub trait Taken<T> {
        fn take(&self, call: &mut Call<'_>) -> Result<T, Halt>;
    }

    impl<T: FromCall> Made<T> for &&&&Wanted<T> {
        fn take(&self, call: &mut Call<'_>) -> Result<T, Halt> {
            T::from_call(call)
        }
    }

    impl<T: Clone + Send + Sync + 'static> PerhapsCloned<T> for &&&Wanted<Option<T>> {
        fn take(&self, call: &mut Call<'_>) -> Result<Option<T>, Halt> {
            let own = own(call);
            Ok(own.or_else(|| call.scope().shared::<T>().cloned()))
        }
    }

    impl<T: Send + Sync + 'static> Perhaps<T> for &&Wanted<Option<T>> {
        fn take(&self, call: &mut Call<'_>) -> Result<Option<T>, Halt> {
            Ok(own(call))
        }
    }

    /// What was left as such, or as an option.
    fn own<T: Send + Sync + 'static>(call: &mut Call<'_>) -> Option<T> {
        let scope = call.scope();
        scope.take::<T>().or_else(|| scope.take::<Option<T>>().flatten())
    }

    impl<T: Clone + Send + Sync + 'static> TakenOrCloned<T> for &Wanted<T> {
        fn take(&self, call: &mut Call<'_>) -> Result<T, Halt> {
            let scope = call.scope();
            let own = scope.take::<T>();
            own.or_else(|| scope.shared::<T>().cloned()).ok_or_else(missing::<T>)
        }
    }

    impl<T: Send + Sync + 'static> Taken<T> for Wanted<T> {
        fn take(&self, call: &mut Call<'_>) -> Result<T, Halt> {
            call.scope().take::<T>().ok_or_else(missing::<T>)
        }
    }
}
