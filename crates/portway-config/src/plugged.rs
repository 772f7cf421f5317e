//! The instances of plugins that a configuration makes, and where they are attached.

use std::{collections::HashMap, fmt};

use portway_plugin::{Instance, value::Name};
use serde_json::Value;

use crate::resource::{Attached, Attachment, Config, Listener, Route, Service};

/// Where something is attached. Wider places come first: that is the order of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// For all requests.
    Global,
    /// For the requests that come by a listener: namespace and name.
    Listener(Name, Name),
    /// For the requests of a service.
    Service(Name, Name),
    /// For the requests of a route.
    Route(Name, Name),
    /// For the requests that go to an endpoint of a service, by its number.
    Endpoint(Name, Name, usize),
}

/// Which instance: it stays the same from revision to revision, so that state can be carried over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum InstanceId {
    /// A shared one, by namespace and name.
    Shared(Name, Name),
    /// The own one of an attachment, by what it is called there.
    Own(Level, Box<str>),
}

/// One instance of a plugin.
#[derive(Clone, Debug)]
pub struct Plugged {
    /// What it was made of.
    pub spec: Value,
    /// The instance, which has not been started.
    pub instance: Instance,
}

/// All instances of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Plugs(HashMap<InstanceId, Plugged>);

impl Plugs {
    pub(crate) fn insert(&mut self, id: InstanceId, plugged: Plugged) {
        self.0.insert(id, plugged);
    }

    /// The instance of this id.
    #[must_use]
    pub fn get(&self, id: &InstanceId) -> Option<&Plugged> {
        self.0.get(id)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&InstanceId, &Plugged)> {
        self.0.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One step of a chain.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    /// Where it is attached.
    pub level: Level,
    /// What it is called there.
    pub called: Box<str>,
    /// Its number among what is attached there.
    pub at: usize,
    /// Which instance it is.
    pub id: InstanceId,
    /// What the attachment says.
    pub attachment: std::borrow::Cow<'a, Attachment>,
}

/// The levels around one way through the gateway. What is left out has no plugins there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Way<'a> {
    /// The listener requests come by.
    pub listener: Option<&'a Listener>,
    /// The service they go to.
    pub service: Option<&'a Service>,
    /// The route that takes them.
    pub route: Option<&'a Route>,
    /// The endpoint of the service.
    pub endpoint: Option<usize>,
}

impl Config {
    /// The plugins on one way through the gateway, the outermost first: from wide to narrow; at
    /// one level by priority, then as they are declared; without those that a narrower level
    /// switches off or takes the place of.
    #[must_use]
    pub fn chain<'a>(&'a self, way: Way<'a>) -> Vec<Step<'a>> {
        let mut chain: Vec<Step<'a>> = Vec::new();
        for (level, attached) in self.levels(way) {
            let mut steps: Vec<Step<'a>> = Vec::new();
            for (at, one) in attached.iter().enumerate() {
                let attachment = one.attachment();
                if !attachment.enabled {
                    continue;
                }
                for gone in [&attachment.without, &attachment.replace].into_iter().flatten() {
                    chain.retain(|step| *step.called != *gone.as_str());
                }
                if attachment.without.is_none() {
                    steps.push(step(&level, at, attachment));
                }
            }
            // Stable: as they are declared.
            steps.sort_by_key(|step| std::cmp::Reverse(step.attachment.priority));
            chain.append(&mut steps);
        }
        chain
    }

    fn levels<'a>(&'a self, way: Way<'a>) -> impl Iterator<Item = (Level, &'a [Attached])> {
        let global = Some((Level::Global, &*self.global_plugins));
        let listener = way.listener.map(|listener| (listener.level(), &*listener.plugins));
        let service = way.service.map(|service| (service.level(), &*service.plugins));
        let route = way.route.map(|route| (route.level(), &*route.plugins));
        let endpoint = way.service.zip(way.endpoint).and_then(|(service, number)| {
            let endpoint = service.endpoints.get(number)?;
            Some((service.endpoint_level(number), &*endpoint.plugins))
        });
        [global, listener, service, route, endpoint].into_iter().flatten()
    }
}

fn step<'a>(level: &Level, at: usize, attachment: std::borrow::Cow<'a, Attachment>) -> Step<'a> {
    let called: Box<str> = attachment.called().into();
    let id = match &attachment.shared {
        Some(name) => InstanceId::Shared(level.namespace(), name.clone()),
        None => InstanceId::Own(level.clone(), called.clone()),
    };
    Step { level: level.clone(), called, at, id, attachment }
}

impl Level {
    /// The namespace whose shared instances may be named here.
    #[must_use]
    pub fn namespace(&self) -> Name {
        match self {
            Self::Global => Name::default(),
            Self::Listener(namespace, _)
            | Self::Service(namespace, _)
            | Self::Route(namespace, _)
            | Self::Endpoint(namespace, _, _) => namespace.clone(),
        }
    }

    /// The kind, in one word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Listener(..) => "listener",
            Self::Service(..) => "service",
            Self::Route(..) => "route",
            Self::Endpoint(..) => "endpoint",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Listener(_, name) | Self::Service(_, name) | Self::Route(_, name) => {
                write!(f, "{} {name}", self.kind())
            }
            Self::Endpoint(_, service, number) => write!(f, "endpoint {number} of {service}"),
        }
    }
}

impl Listener {
    /// The level of its plugins.
    #[must_use]
    pub fn level(&self) -> Level {
        Level::Listener(self.meta.namespace.clone(), self.meta.name.clone())
    }
}

impl Service {
    /// The level of its plugins.
    #[must_use]
    pub fn level(&self) -> Level {
        Level::Service(self.meta.namespace.clone(), self.meta.name.clone())
    }

    /// The level of the plugins of one of its endpoints.
    #[must_use]
    pub fn endpoint_level(&self, number: usize) -> Level {
        Level::Endpoint(self.meta.namespace.clone(), self.meta.name.clone(), number)
    }
}

impl Route {
    /// The level of its plugins.
    #[must_use]
    pub fn level(&self) -> Level {
        Level::Route(self.meta.namespace.clone(), self.meta.name.clone())
    }
}
