//! `fault-injection` at work.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use portway_plugin::{
    Body, Host, Next, Plugin, Problem, Request, Response, Result,
    value::{Duration, Percent},
};

use super::{FaultInjectionSpec, error::FaultInjected};

/// Lets requests wait and fail by chance.
#[derive(Debug)]
pub struct FaultInjection {
    delay: Option<(Duration, Percent)>,
    abort: Option<Abort>,
}

#[derive(Debug)]
struct Abort {
    status: StatusCode,
    percent: Percent,
    body: Option<Bytes>,
}

impl Plugin for FaultInjection {
    const NAME: &'static str = "fault-injection";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = FaultInjectionSpec;

    fn create(spec: FaultInjectionSpec) -> Result<Self, Problem> {
        if spec.delay.is_zero() && spec.abort.is_none() {
            let problem = Problem::new("bad_value", "neither delay nor abort is given");
            return Err(problem.hint("write delay: 2s or abort: 503"));
        }
        if spec.body.is_some() && spec.abort.is_none() {
            let problem = Problem::new("bad_value", "there is a body, and nothing that has it");
            return Err(problem.at("body").hint("add the status: abort: 503"));
        }
        let (percent, body) = (spec.abort_percent, spec.body.map(Bytes::from));
        let delay = (!spec.delay.is_zero()).then_some((spec.delay, spec.delay_percent));
        let abort = spec.abort.map(|status| Abort { status: status.get(), percent, body });
        Ok(Self { delay, abort })
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        let host = next.host();
        if let Some((delay, percent)) = self.delay
            && is_drawn(percent, host)
        {
            // A request with too many notes has said enough.
            let _ = next.note("delay", delay.to_string());
            host.sleep(delay.get()).await;
        }
        match &self.abort {
            Some(abort) if is_drawn(abort.percent, host) => {
                let _ = next.note("abort", abort.status.as_str());
                abort.answer()
            }
            _ => next.run(request).await,
        }
    }
}

impl Abort {
    fn answer(&self) -> Result<Response> {
        let Some(body) = &self.body else { return Err(FaultInjected(self.status).into()) };
        let mut response = Response::new(Body::from(body.clone()));
        *response.status_mut() = self.status;
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        Ok(response)
    }
}

fn is_drawn(percent: Percent, host: &Host) -> bool {
    if percent == Percent::ALL {
        return true;
    }
    let mut draw = [0; 4];
    host.random(&mut draw);
    percent.takes(u32::from_le_bytes(draw))
}
