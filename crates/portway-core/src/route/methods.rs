//! Sets of methods.

use std::fmt;

use http::Method;
use portway_plugin::value;

/// The methods a match takes; without any, all of them.
#[derive(Debug, Default)]
pub(super) struct MethodSet {
    /// One bit for each of the methods everybody knows.
    known: u16,
    others: Box<[Method]>,
}

impl MethodSet {
    pub(super) fn new(methods: &[value::Method]) -> Self {
        let mut others = Vec::new();
        let mut known = 0;
        for method in methods.iter().map(value::Method::get) {
            match bit(method) {
                Some(bit) => known |= bit,
                None => others.push(method.clone()),
            }
        }
        Self { known, others: others.into() }
    }

    /// Whether it is no condition.
    pub(super) fn is_any(&self) -> bool {
        self.known == 0 && self.others.is_empty()
    }

    pub(super) fn takes(&self, method: &Method) -> bool {
        match bit(method) {
            Some(bit) => self.known & bit != 0 || self.is_any(),
            None => self.others.contains(method) || self.is_any(),
        }
    }
}

/// The methods that would have been taken: what a 405 says in `Allow`. In the order of their
/// names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow(Vec<Method>);

impl Allow {
    /// The methods, in the order of their names.
    #[must_use]
    pub fn methods(&self) -> &[Method] {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn add(&mut self, set: &MethodSet) {
        let known = KNOWN.iter().enumerate().filter(|(at, _)| set.known & 1 << at != 0);
        for method in known.map(|(_, method)| method).chain(&set.others) {
            if let Err(at) = self.0.binary_search_by(|other| other.as_str().cmp(method.as_str())) {
                self.0.insert(at, method.clone());
            }
        }
    }
}

/// The value of the `Allow` field: `GET, POST`.
impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, method) in self.0.iter().enumerate() {
            if count > 0 {
                f.write_str(", ")?;
            }
            f.write_str(method.as_str())?;
        }
        Ok(())
    }
}

/// In the order of their bits.
const KNOWN: [Method; 9] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::HEAD,
    Method::OPTIONS,
    Method::PATCH,
    Method::CONNECT,
    Method::TRACE,
];

fn bit(method: &Method) -> Option<u16> {
    KNOWN.iter().position(|known| known == method).map(|at| 1 << at)
}
