//! The balancers of one's own that a gateway has.

use std::{fmt, sync::Arc};

use super::{Balancer, Endpoint};

/// Makes a balancer for the endpoints of a service.
#[derive(Clone)]
pub struct Factory {
    name: &'static str,
    make: Arc<Make>,
}

type Make = dyn Fn(&[Endpoint]) -> Arc<dyn Balancer> + Send + Sync;

/// The balancers a configuration may name, in their order.
#[derive(Clone, Debug, Default)]
pub struct Balancers(Vec<Factory>);

impl Factory {
    /// The name in `balance: {custom: name}`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Makes one. Pure but for memory: it opens, asks and starts nothing.
    #[must_use]
    pub fn make(&self, endpoints: &[Endpoint]) -> Arc<dyn Balancer> {
        (self.make)(endpoints)
    }
}

impl Balancers {
    /// Adds one. One of the same name takes the place of the other.
    pub(crate) fn add<B: Balancer>(
        &mut self,
        name: &'static str,
        make: impl Fn(&[Endpoint]) -> B + Send + Sync + 'static,
    ) {
        let make = Arc::new(move |endpoints: &[Endpoint]| -> Arc<dyn Balancer> {
            Arc::new(make(endpoints))
        });
        let factory = Factory { name, make };
        match self.0.iter_mut().find(|other| other.name == name) {
            Some(other) => *other = factory,
            None => self.0.push(factory),
        }
    }

    /// What makes the balancers of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Factory> {
        self.0.iter().find(|factory| factory.name == name)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|factory| factory.name)
    }
}

impl fmt::Debug for Factory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Factory").field(&self.name).finish()
    }
}
