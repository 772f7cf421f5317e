//! The four requests, and the one that a gateway makes itself.

use std::{net::SocketAddr, str::FromStr};

use bytes::Bytes;

use crate::upstream::issue;

/// One of the four routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// All products: the gateway does nothing.
    Items,
    /// Those of whoever asks: the gateway asks the auth service who that is.
    MyItems,
    /// Those that fit: the gateway looks at the body.
    Search,
    /// Those that are called so: the gateway writes another body.
    Lookup,
    /// What the gateway asks the auth service: to see what that can do by itself.
    Verify,
}

impl Route {
    /// Those that a gateway has.
    pub const ALL: [Self; 4] = [Self::Items, Self::MyItems, Self::Search, Self::Lookup];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::MyItems => "my-items",
            Self::Search => "search",
            Self::Lookup => "lookup",
            Self::Verify => "verify",
        }
    }

    /// Bytes in the body of the answer.
    #[must_use]
    pub fn answer(self) -> usize {
        match self {
            Self::Items => 558,
            Self::MyItems => 2,
            Self::Search => 159,
            Self::Lookup => 79,
            Self::Verify => 44,
        }
    }

    /// The request as it is sent to a gateway, or directly to the data service as a gateway would
    /// send it.
    #[must_use]
    pub fn request(self, to: SocketAddr, directly: bool) -> Bytes {
        let (line, fields, body) = match (self, directly) {
            (Self::Items, _) => ("GET /items", String::new(), ""),
            (Self::MyItems, false) => ("GET /my-items", bearer(), ""),
            (Self::MyItems, true) => (
                "GET /my-items",
                "X-User-Id: u9\r\nX-User-Email: load@shop.example\r\n".to_owned(),
                "",
            ),
            (Self::Search, _) => {
                ("POST /items/search", posted(37), r#"{"category":"office","max_price":300}"#)
            }
            (Self::Verify, _) => ("POST /verify", format!("{}Content-Length: 0\r\n", bearer()), ""),
            (Self::Lookup, false) => ("POST /items/lookup", posted(11), r#"{"q":"pen"}"#),
            (Self::Lookup, true) => (
                "POST /items/lookup",
                posted(45),
                r#"{"query":"pen","limit":20,"source":"gateway"}"#,
            ),
        };
        format!("{line} HTTP/1.1\r\nHost: {to}\r\nUser-Agent: shop\r\n{fields}\r\n{body}").into()
    }
}

/// A token that is good until 2100.
fn bearer() -> String {
    format!("Authorization: Bearer {}\r\n", issue("u9", "load@shop.example", 4_102_444_800))
}

fn posted(length: usize) -> String {
    format!("Content-Type: application/json\r\nContent-Length: {length}\r\n")
}

impl FromStr for Route {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter().chain([Self::Verify]);
        let found = all.find(|route| route.name() == text);
        found.ok_or_else(|| format!("{text:?} is none of items, my-items, search, lookup, verify"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_as_long_as_they_say() {
        let to = SocketAddr::from(([127, 0, 0, 1], 80));
        for route in Route::ALL.into_iter().chain([Route::Verify]) {
            for directly in [false, true] {
                let request = route.request(to, directly);
                let text = std::str::from_utf8(&request).unwrap();
                let (head, body) = text.split_once("\r\n\r\n").unwrap();
                let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
                assert_eq!(length.unwrap_or("0"), body.len().to_string(), "{text}");
            }
        }
    }
}
