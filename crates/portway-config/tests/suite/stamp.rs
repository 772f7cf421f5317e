//! A plugin for documents: it is checked like any other, and never called.

use portway_config::Catalog;
use portway_plugin::{
    Claim, Next, Plugin, Problem, Registry, Request, Response, Result,
    value::{Duration, FieldValue},
};
use schemars::JsonSchema;
use serde::Deserialize;

/// What documents may say here.
pub(crate) fn catalog() -> Catalog {
    Catalog::new(Registry::new().with::<Stamp>())
}

struct Stamp(Claim);

#[derive(Deserialize, JsonSchema)]
struct StampSpec {
    /// What is stamped on.
    value: FieldValue,
    /// How often.
    #[serde(rename = "every")]
    _every: Option<Duration>,
    /// What it claims on the way of a request.
    #[serde(default)]
    claim: ClaimSpec,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ClaimSpec {
    #[default]
    Nothing,
    OnlyOne,
    EveryRequest,
}

impl Plugin for Stamp {
    const NAME: &'static str = "stamp";
    type Spec = StampSpec;

    fn create(spec: StampSpec) -> Result<Self, Problem> {
        if spec.value.as_str() == "refused" {
            return Err(Problem::new("bad_value", "this stamp is refused").at("value"));
        }
        Ok(Self(match spec.claim {
            ClaimSpec::Nothing => Claim::Nothing,
            ClaimSpec::OnlyOne => Claim::OnlyOne,
            ClaimSpec::EveryRequest => Claim::EveryRequest,
        }))
    }

    fn claim(&self) -> Claim {
        self.0
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        next.run(request).await
    }
}
