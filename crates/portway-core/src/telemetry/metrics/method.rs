//! Methods as a label: a fixed list, and `other` for the rest.

use http::Method;

/// The values of the label, by index. The last one stands for every method that is not listed.
pub(super) const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "other"];

/// The index of `other`.
pub(super) const OTHER: u8 = 9;

/// The index of a method in [`METHODS`].
pub(super) fn index(method: &Method) -> u8 {
    match *method {
        Method::GET => 0,
        Method::HEAD => 1,
        Method::POST => 2,
        Method::PUT => 3,
        Method::DELETE => 4,
        Method::CONNECT => 5,
        Method::OPTIONS => 6,
        Method::TRACE => 7,
        Method::PATCH => 8,
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_method_has_its_own_name() {
        for (at, name) in METHODS.iter().enumerate() {
            let method = Method::from_bytes(name.as_bytes()).unwrap();
            assert_eq!(usize::from(index(&method)), at, "{name}");
        }
        assert_eq!(index(&Method::from_bytes(b"get").unwrap()), OTHER);
        assert_eq!(index(&Method::from_bytes(b"PROPFIND").unwrap()), OTHER);
    }
}
