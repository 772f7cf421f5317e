//! The plugins a gateway has, and the balancers of one's own.

use std::{fmt, sync::Arc};

use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use crate::{
    BoxFuture, Instance, Next, Plugin, Problem, Request, Response, Result,
    balance::{Balancer, Balancers, Endpoint},
};

/// The plugins a configuration may name: an explicit list, in a visible order.
///
/// ```
/// # use portway_plugin::{Next, Plugin, Problem, Registry, Request, Response, Result};
/// # struct Nothing;
/// # impl Plugin for Nothing {
/// #     const NAME: &'static str = "nothing";
/// #     type Spec = serde_json::Map<String, serde_json::Value>;
/// #     fn create(_: Self::Spec) -> Result<Self, Problem> { Ok(Self) }
/// #     async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
/// #         next.run(request).await
/// #     }
/// # }
/// let registry = Registry::new().with::<Nothing>();
/// assert_eq!(registry.iter().map(|entry| entry.name()).collect::<Vec<_>>(), ["nothing"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Registry {
    entries: Vec<Entry>,
    balancers: Balancers,
}

/// One plugin of a [`Registry`].
#[derive(Clone)]
pub struct Entry {
    name: &'static str,
    example: &'static str,
    schema: fn(&mut SchemaGenerator) -> Schema,
    create: Arc<dyn Fn(Value) -> Result<Instance, Problem> + Send + Sync>,
}

impl Registry {
    /// A registry of no plugin.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more plugin. One of the same name takes the place of the other.
    #[must_use]
    pub fn with<P: Plugin>(self) -> Self {
        self.made(P::create)
    }

    /// The same, where instances are made with what the program has besides the spec: a pool, a
    /// list, a handle. As pure as [`Plugin::create`], whose place it takes.
    #[must_use]
    pub fn made<P: Plugin>(
        self,
        create: impl Fn(P::Spec) -> Result<P, Problem> + Send + Sync + 'static,
    ) -> Self {
        self.and(Entry {
            name: P::NAME,
            example: P::EXAMPLE,
            schema: |generator| generator.subschema_for::<P::Spec>(),
            create: Arc::new(move |spec| {
                let spec = serde_json::from_value(spec);
                let spec = spec.map_err(|error| Problem::new("bad_value", error.to_string()))?;
                create(spec).map(Instance::of)
            }),
        })
    }

    /// With one more plugin that is nothing but a function and has no spec.
    #[must_use]
    pub fn hook<F>(self, name: &'static str, call: F) -> Self
    where
        F: for<'a> Fn(Request, Next<'a>) -> BoxFuture<'a, Result<Response>>,
        F: Send + Sync + 'static,
    {
        let instance = Instance::hook(name, call);
        self.and(Entry {
            name,
            example: "",
            schema: |generator| generator.subschema_for::<Nothing>(),
            create: Arc::new(move |_| Ok(instance.clone())),
        })
    }

    /// With one more balancer, for services that say `balance: {custom: name}`. `make` gets the
    /// endpoints of a service, and makes the balancer of that service: it is never shared. One of
    /// the same name takes the place of the other.
    #[must_use]
    pub fn balancer<B: Balancer>(
        mut self,
        name: &'static str,
        make: impl Fn(&[Endpoint]) -> B + Send + Sync + 'static,
    ) -> Self {
        self.balancers.add(name, make);
        self
    }

    /// The balancers of one's own.
    #[must_use]
    pub fn balancers(&self) -> &Balancers {
        &self.balancers
    }

    fn and(mut self, entry: Entry) -> Self {
        match self.entries.iter_mut().find(|other| other.name == entry.name) {
            Some(other) => *other = entry,
            None => self.entries.push(entry),
        }
        self
    }

    /// The plugin of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }
}

impl Entry {
    /// The plugin's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// A whole configuration with it.
    #[must_use]
    pub fn example(&self) -> Option<&'static str> {
        (!self.example.is_empty()).then_some(self.example)
    }

    /// The JSON Schema of its spec.
    pub fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.schema)(generator)
    }

    /// Makes an instance. Pure.
    ///
    /// # Errors
    /// What is wrong with the spec. A path of the problem is one in the spec.
    pub fn create(&self, spec: Value) -> Result<Instance, Problem> {
        (self.create)(spec)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entry").field(&self.name).finish()
    }
}

/// The spec of a plugin that has none: `{}`.
#[derive(schemars::JsonSchema)]
#[schemars(extend("properties" = {}))]
struct Nothing {}
