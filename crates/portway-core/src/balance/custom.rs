//! Balancers that a program brings along. Whatever they do, it is one request's error.

use std::sync::Arc;

use http::StatusCode;
use portway_config::balance::{Balancer, Candidates, Ending, Endpoint, Factory};
use portway_plugin::{Error, Result, panics::caught};
use tokio::time::Instant;

use super::{Ask, Member, Pick};

/// A balancer and the endpoints it chooses among.
pub(crate) struct Custom {
    /// Why there is none, in its place.
    balancer: Result<Arc<dyn Balancer>, String>,
    endpoints: Box<[Endpoint]>,
}

/// A request that a balancer was told of.
pub(super) struct Running {
    balancer: Arc<dyn Balancer>,
    endpoint: usize,
    started: Instant,
    ending: Option<Ending>,
}

impl Custom {
    pub(super) fn new(factory: Option<&Factory>, members: &[Member]) -> Self {
        let endpoints: Box<[_]> = members.iter().map(|member| member.endpoint.clone()).collect();
        let balancer = match factory {
            Some(factory) => caught(|| factory.make(&endpoints)),
            // The check refuses such a service.
            None => Err("there is no such balancer".to_owned()),
        };
        Self { balancer, endpoints }
    }

    pub(super) fn pick(&self, tried: &[usize], ask: Ask<'_>) -> Result<Option<Pick>> {
        let balancer = self.balancer.as_ref().map_err(|cause| failed(cause.clone()))?;
        let candidates = Candidates::new(ask.of, ask.headers, &self.endpoints, tried);
        let picked = caught(|| balancer.pick(&candidates)).map_err(failed)?;
        let Some(index) = picked else { return Ok(None) };
        if !candidates.is_free(index) {
            let count = self.endpoints.len();
            return Err(failed(format!("endpoint {index} of {count} cannot be chosen")));
        }
        let running = Running {
            balancer: Arc::clone(balancer),
            endpoint: index,
            started: Instant::now(),
            ending: None,
        };
        // From here on its end is told, whatever comes.
        caught(|| balancer.started(index)).map_err(failed)?;
        Ok(Some(Pick { index, permit: Some(running.into()), key: None }))
    }
}

impl Running {
    pub(super) fn answered(&mut self, status: Option<StatusCode>) {
        self.ending = Some(Ending::answered(status, self.started.elapsed()));
    }

    pub(super) fn failed(&mut self, code: &'static str) {
        self.ending = Some(Ending::failed(code, self.started.elapsed()));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let ending = self.ending.unwrap_or_else(|| Ending::abandoned(self.started.elapsed()));
        if let Err(cause) = caught(|| self.balancer.ended(self.endpoint, &ending)) {
            tracing::error!(cause, "a balancer failed when it was told of an end");
        }
    }
}

fn failed(cause: String) -> Error {
    Error::gateway("balancer_failed", "the gateway could not choose an upstream").because(cause)
}

impl std::fmt::Debug for Custom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Custom").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use portway_plugin::Registry;

    use super::{super::Connection, super::tests::members, *};

    /// Picks what it is told to, and remembers what it was told.
    struct Told {
        picks: fn(&Candidates<'_>) -> Option<usize>,
        heard: Arc<Mutex<Vec<String>>>,
    }

    impl Balancer for Told {
        fn pick(&self, candidates: &Candidates<'_>) -> Option<usize> {
            (self.picks)(candidates)
        }

        fn started(&self, endpoint: usize) {
            self.heard.lock().unwrap().push(format!("started {endpoint}"));
        }

        fn ended(&self, endpoint: usize, ending: &Ending) {
            let how = match ending {
                Ending::Answered { status, .. } => format!("answered {status:?}"),
                Ending::Failed { code, .. } => format!("failed {code}"),
                _ => "abandoned".to_owned(),
            };
            self.heard.lock().unwrap().push(format!("ended {endpoint} {how}"));
            assert!(endpoint != 2, "told of the third");
        }
    }

    fn custom(picks: fn(&Candidates<'_>) -> Option<usize>) -> (Custom, Arc<Mutex<Vec<String>>>) {
        let heard = Arc::default();
        let told = Arc::clone(&heard);
        let make = move |_: &[Endpoint]| Told { picks, heard: Arc::clone(&told) };
        let registry = Registry::new().balancer("told", make);
        (Custom::new(registry.balancers().get("told"), &members(&[1, 0, 1])), heard)
    }

    fn pick(custom: &Custom, tried: &[usize]) -> Result<Option<Pick>> {
        let from = Connection([10, 0, 0, 1].into());
        custom.pick(tried, Ask { of: &from, headers: None })
    }

    #[test]
    fn every_start_has_its_end() {
        let (custom, heard) = custom(|candidates| candidates.free().next());
        let mut answered = pick(&custom, &[]).unwrap().unwrap();
        answered.permit.as_mut().unwrap().answered(Some(StatusCode::OK));
        let mut failing = pick(&custom, &[]).unwrap().unwrap();
        failing.permit.as_mut().unwrap().failed("upstream_connect");
        drop((answered, failing, pick(&custom, &[]).unwrap()));
        assert_eq!(
            *heard.lock().unwrap(),
            [
                "started 0",
                "started 0",
                "started 0",
                "ended 0 answered Some(200)",
                "ended 0 failed upstream_connect",
                "ended 0 abandoned",
            ]
        );
    }

    #[test]
    fn what_cannot_be_chosen_is_one_requests_error() {
        for (number, picks) in [1, 3]
            .into_iter()
            .zip([(|_| Some(1)) as fn(&Candidates<'_>) -> Option<usize>, |_| Some(3)])
        {
            let (custom, heard) = custom(picks);
            let error = pick(&custom, &[]).unwrap_err();
            assert_eq!((error.status().as_u16(), error.code()), (500, "balancer_failed"));
            assert!(error.cause().contains(&format!("endpoint {number} of 3")), "{error:?}");
            assert!(heard.lock().unwrap().is_empty());
        }
        let (custom, _) = custom(|_| Some(0));
        assert!(pick(&custom, &[0]).is_err(), "it was tried");
    }

    #[test]
    fn panics_stay_inside() {
        let (panics, _) = custom(|_| panic!("no idea"));
        assert!(pick(&panics, &[]).unwrap_err().cause().contains("no idea"));
        let (custom, heard) = custom(|_| Some(2));
        drop(pick(&custom, &[]).unwrap());
        assert_eq!(heard.lock().unwrap().len(), 2);
        let registry = Registry::new().balancer("broken", |_| -> Told { panic!("cannot be made") });
        let broken = Custom::new(registry.balancers().get("broken"), &members(&[1]));
        assert!(pick(&broken, &[]).unwrap_err().cause().contains("cannot be made"));
    }

    #[test]
    fn nobody_is_an_answer() {
        let (custom, _) = custom(|_| None);
        assert!(pick(&custom, &[]).unwrap().is_none());
    }
}
