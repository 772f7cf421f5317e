//! The code of a route as a plugin, which is how it gets into a chain.

use std::{collections::HashMap, sync::Arc};

use portway_plugin::{
    Claim, Next, Plugin, Problem, Registry, Request, Response, Result, value::Quoted,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, CodeFn, Route, call::Settings};

/// Runs a function of this program: `code: shop.item` is what the route `item` of the service
/// `shop` has in its table.
pub(crate) struct Code {
    run: CodeFn,
    route: &'static Route,
    settings: Arc<Settings>,
}

/// The name of a service and that of its route: `shop.item`.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct CodeSpec(String);

/// The code that a program has, by name.
#[derive(Default)]
pub(crate) struct Codes(HashMap<String, (CodeFn, &'static Route)>);

impl Codes {
    pub(crate) fn add(&mut self, name: String, run: CodeFn, route: &'static Route) {
        self.0.insert(name, (run, route));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lets configurations name the code.
    pub(crate) fn register(self, registry: Registry, settings: Arc<Settings>) -> Registry {
        registry.made(move |spec: CodeSpec| {
            let Some(&(run, route)) = self.0.get(&spec.0) else {
                return Err(self.unknown(&spec.0));
            };
            Ok(Code { run, route, settings: Arc::clone(&settings) })
        })
    }

    fn unknown(&self, name: &str) -> Problem {
        let message = format!("this program has no code called {}", Quoted(name));
        let mut names: Vec<_> = self.0.keys().map(String::as_str).collect();
        names.sort_unstable();
        Problem::new("unknown_code", message).hint(match names.is_empty() {
            true => "routes with code are served by the program that has it".to_owned(),
            false => format!("there is {}", names.join(", ")),
        })
    }
}

impl Plugin for Code {
    const NAME: &'static str = "code";
    type Spec = CodeSpec;

    fn create(spec: CodeSpec) -> Result<Self, Problem> {
        Err(Codes::default().unknown(&spec.0))
    }

    fn claim(&self) -> Claim {
        if self.route.answers { Claim::EveryRequest } else { Claim::Nothing }
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        let mut call = Call::new(request, next, self.route, &self.settings);
        match (self.run)(&mut call).await {
            Ok(response) => Ok(response),
            Err(halt) => halt.into_result(),
        }
    }
}
