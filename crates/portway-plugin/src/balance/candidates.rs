//! What a balancer is told: the request, the endpoints, and which of them are left.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::cookies;

/// One endpoint of a service, as balancers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// `host:port`, or `unix:` and a path.
    pub address: Box<str>,
    /// Its share, relative to the others. `0` takes nothing.
    pub weight: u16,
}

impl Endpoint {
    /// An endpoint.
    #[must_use]
    pub fn new(address: impl Into<Box<str>>, weight: u16) -> Self {
        Self { address: address.into(), weight }
    }
}

/// What is known of a request, or of a connection that is passed on. Whoever hosts balancers
/// implements it; everything is worked out when it is asked for.
pub trait Asked: Send + Sync {
    /// The client's address: the socket's, or what a trusted proxy says it is.
    fn client(&self) -> IpAddr;
    /// The path in its normal form, by which the route was found. `None` for a connection.
    fn path(&self) -> Option<&str>;
    /// The query as it is written.
    fn query(&self) -> Option<&str>;
    /// What a placeholder of the route stands for.
    fn parameter(&self, name: &str) -> Option<&str>;
}

/// A request, and the endpoints that may take it.
#[derive(Clone, Copy)]
pub struct Candidates<'a> {
    asked: &'a dyn Asked,
    headers: Option<&'a HeaderMap>,
    endpoints: &'a [Endpoint],
    tried: &'a [usize],
}

impl<'a> Candidates<'a> {
    /// A request, as it is `asked`, for one of `endpoints` that is not among those `tried`.
    #[must_use]
    pub fn new(
        asked: &'a dyn Asked,
        headers: Option<&'a HeaderMap>,
        endpoints: &'a [Endpoint],
        tried: &'a [usize],
    ) -> Self {
        Self { asked, headers, endpoints, tried }
    }

    /// All endpoints, also those that may not be chosen: their places are their numbers.
    #[must_use]
    pub fn endpoints(&self) -> &'a [Endpoint] {
        self.endpoints
    }

    /// Whether this endpoint may be chosen: it takes requests, and was not tried yet.
    #[must_use]
    pub fn is_free(&self, endpoint: usize) -> bool {
        self.endpoints.get(endpoint).is_some_and(|one| one.weight > 0)
            && !self.tried.contains(&endpoint)
    }

    /// The numbers of the endpoints that may be chosen.
    pub fn free(&self) -> impl DoubleEndedIterator<Item = usize> + use<'a> {
        let all = *self;
        (0..self.endpoints.len()).filter(move |number| all.is_free(*number))
    }

    /// The client's address.
    #[must_use]
    pub fn client(&self) -> IpAddr {
        self.asked.client()
    }

    /// The path in its normal form. `None` for a connection that is passed on.
    #[must_use]
    pub fn path(&self) -> Option<&'a str> {
        self.asked.path()
    }

    /// The query as it is written.
    #[must_use]
    pub fn query(&self) -> Option<&'a str> {
        self.asked.query()
    }

    /// What a placeholder of the route stands for.
    #[must_use]
    pub fn path_parameter(&self, name: &str) -> Option<&'a str> {
        self.asked.parameter(name)
    }

    /// The header fields, as plugins have left them. `None` for a connection that is passed on.
    #[must_use]
    pub fn headers(&self) -> Option<&'a HeaderMap> {
        self.headers
    }

    /// The first value of a header field.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&'a HeaderValue> {
        self.headers?.get(name)
    }

    /// The value of a cookie.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&'a [u8]> {
        let mut cookies = cookies(self.headers?);
        cookies.find(|(other, _)| *other == name.as_bytes()).map(|(_, value)| value)
    }
}

impl std::fmt::Debug for Candidates<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Candidates")
            .field("client", &self.client())
            .field("path", &self.path())
            .field("endpoints", &self.endpoints)
            .field("tried", &self.tried)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Asked for Nobody {
        fn client(&self) -> IpAddr {
            [127, 0, 0, 1].into()
        }

        fn path(&self) -> Option<&str> {
            Some("/a")
        }

        fn query(&self) -> Option<&str> {
            None
        }

        fn parameter(&self, _: &str) -> Option<&str> {
            None
        }
    }

    #[test]
    fn what_was_tried_or_takes_nothing_is_not_free() {
        let endpoints = [1, 0, 2, 3].map(|weight| Endpoint::new(format!("e:{weight}"), weight));
        let candidates = Candidates::new(&Nobody, None, &endpoints, &[2]);
        assert_eq!(candidates.free().collect::<Vec<_>>(), [0, 3]);
        assert!(!candidates.is_free(7));
        assert_eq!(candidates.endpoints().len(), 4);
    }

    #[test]
    fn cookies_are_found_in_any_line() {
        let mut headers = HeaderMap::new();
        headers.append("cookie", "a=1; session=\"x y\"".parse().unwrap());
        headers.append("cookie", "b=2".parse().unwrap());
        let candidates = Candidates::new(&Nobody, Some(&headers), &[], &[]);
        assert_eq!(candidates.cookie("session"), Some(&b"x y"[..]));
        assert_eq!(candidates.cookie("b"), Some(&b"2"[..]));
        assert_eq!(candidates.cookie("c"), None);
    }
}
