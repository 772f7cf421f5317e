//! The instances of plugins that a revision has.

use std::{collections::HashMap, sync::Arc};

use portway_config::{InstanceId, Plugged, Plugs};
use portway_plugin::{BoxFuture, Error, Host, Instance, Request, Response, Result, value::Name};
use serde_json::Value;

use crate::host::{Outside, Tasks};

/// All instances of one revision.
#[derive(Debug, Default)]
pub(crate) struct Instances(HashMap<InstanceId, Arc<Running>>);

/// An instance, with what the gateway does for it. Its background work ends when it is dropped:
/// after the last request of the last revision that has it.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) instance: Instance,
    pub(crate) host: Host,
    spec: Value,
    _tasks: Tasks,
}

impl Instances {
    /// The instances of `plugs`. One whose spec did not change comes from `previous`, with its
    /// state.
    pub(crate) fn new(plugs: &Plugs, previous: Option<&Self>, outside: &Arc<Outside>) -> Self {
        let all = plugs.iter().map(|(id, plugged)| {
            let known = previous.and_then(|previous| previous.0.get(id));
            let running = match known.filter(|known| known.is(plugged)) {
                Some(known) => Arc::clone(known),
                None => Arc::new(Running::new(id, plugged, outside)),
            };
            (id.clone(), running)
        });
        Self(all.collect())
    }

    pub(super) fn get(&self, id: &InstanceId) -> Option<&Arc<Running>> {
        self.0.get(id)
    }

    /// The shared instances that answer in the admin API.
    pub(crate) fn administered(&self) -> impl Iterator<Item = (&Name, &Name, &'static str)> {
        self.0.iter().filter_map(|(id, running)| match id {
            InstanceId::Shared(namespace, name) => {
                running.instance.admin_routes()?;
                Some((namespace, name, running.instance.name()))
            }
            InstanceId::Own(..) => None,
        })
    }

    /// What one of them answers, which lives until it has. `None` where there is none.
    pub(crate) fn administer(
        &self,
        id: &InstanceId,
        request: Request,
    ) -> Option<BoxFuture<'static, Result<Response>>> {
        let running = Arc::clone(self.0.get(id)?);
        running.instance.admin_routes()?;
        Some(Box::pin(async move {
            match running.instance.admin_routes() {
                Some(routes) => routes.answer(request, &running.host).await,
                None => Err(Error::gateway("plugin_failed", "the plugin has no admin routes now")),
            }
        }))
    }

    /// Those that `previous` does not have: they have to be started.
    pub(crate) fn fresh<'a>(
        &'a self,
        previous: &'a Self,
    ) -> impl Iterator<Item = &'a Arc<Running>> {
        self.0.iter().filter_map(|(id, running)| {
            let known = previous.0.get(id).is_some_and(|known| Arc::ptr_eq(known, running));
            (!known).then_some(running)
        })
    }
}

impl Running {
    fn new(id: &InstanceId, plugged: &Plugged, outside: &Arc<Outside>) -> Self {
        let name = match id {
            InstanceId::Shared(_, name) => name.to_string(),
            InstanceId::Own(level, called) => format!("{called} of {level}"),
        };
        let instance = plugged.instance.clone();
        let (host, tasks) = outside.host(instance.name(), &name);
        Self { instance, host, spec: plugged.spec.clone(), _tasks: tasks }
    }

    fn is(&self, plugged: &Plugged) -> bool {
        self.instance.name() == plugged.instance.name() && self.spec == plugged.spec
    }
}
