//! From the sources to the end of the process: start, follow changes, drain.

use std::{future::Future, sync::Arc, time::SystemTime};

use portway_config::{Origin, Outcome, Places, Problem, Source};
use tokio::{sync::watch, task::JoinSet};

use super::{Options, Server};
use crate::change::{Changes, Intent, OriginStatus, Origins, Part, Proposal, Proposals, Running};

/// Why a running gateway is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// What is in flight may finish.
    Drain,
}

/// Serves what `sources` and `parts` say together, and follows the sources and whatever else is
/// proposed, until `stop` is there; then drains, unless `stop` is there a second time. Returns
/// whether everything in flight could finish.
///
/// # Errors
/// The problems of the start: nothing was opened.
pub async fn run<S, F, I>(
    mut sources: Vec<I>,
    parts: Vec<(Origin, Part)>,
    proposals: Proposals,
    options: Options,
    mut stop: S,
    started: impl FnOnce(&Server, &[Problem]),
) -> Result<bool, Vec<Problem>>
where
    S: FnMut() -> F,
    F: Future<Output = Stop>,
    I: Source + 'static,
{
    let Proposals { mut queue, tell, catalog, changes } = proposals;
    let mut origins = Origins::new(catalog);
    let statuses = first_states(&mut sources, parts, &mut origins).await?;
    let (places, config) = origins.checked()?;
    let warnings = config.warnings().to_vec();
    let server = Server::start(config, options).await;
    let server = server.map_err(|problems| located(problems, &places))?;
    for (source, status) in sources.iter_mut().zip(&statuses) {
        source.learn(&Outcome::Applied { number: status.number, warnings: warnings.clone() });
    }
    started(&server, &warnings);
    let mut following = Following { server, origins, statuses, started: SystemTime::now() };
    tell.send_replace(Some(Arc::new(following.running())));
    // They end with the gateway, also when nobody waits for it any more.
    let mut followers = JoinSet::new();
    for source in sources {
        followers.spawn(follow(source, changes.clone()));
    }
    loop {
        tokio::select! {
            Stop::Drain = stop() => break,
            Some(proposal) = queue.recv() => {
                following.take(proposal, &tell).await;
            }
        }
    }
    followers.abort_all();
    let finished = tokio::select! {
        finished = following.server.drain() => finished,
        Stop::Drain = stop() => {
            tracing::warn!("ended by a second signal");
            false
        }
    };
    Ok(finished)
}

/// What all sources say at first. A gateway never begins with half of it.
async fn first_states(
    sources: &mut [impl Source],
    parts: Vec<(Origin, Part)>,
    origins: &mut Origins,
) -> Result<Vec<OriginStatus>, Vec<Problem>> {
    let (mut statuses, mut problems) = (Vec::new(), Vec::new());
    for source in sources {
        let Some(first) = source.next().await else {
            problems.push(Problem::new("no_configuration", "there is no configuration"));
            continue;
        };
        let (origin, number) = (first.origin, first.number);
        match first.content {
            Ok(loaded) => origins.set(&origin, Part::Loaded(Arc::new(loaded))),
            Err(more) => problems.extend(more),
        }
        statuses.push(OriginStatus { origin, number, problems: Vec::new() });
    }
    for (origin, part) in parts {
        origins.set(&origin, part);
        statuses.push(OriginStatus { origin, number: 0, problems: Vec::new() });
    }
    if problems.is_empty() { Ok(statuses) } else { Err(problems) }
}

/// Proposes each further state of a source.
async fn follow(mut source: impl Source, changes: Changes) {
    while let Some(revision) = source.next().await {
        let (origin, number) = (revision.origin, revision.number);
        let content = revision.content.map(|loaded| Part::Loaded(Arc::new(loaded)));
        let outcome = changes.propose(origin, number, content, Intent::Apply).await;
        source.learn(&outcome);
    }
}

/// A gateway that takes changes.
struct Following {
    server: Server,
    origins: Origins,
    statuses: Vec<OriginStatus>,
    started: SystemTime,
}

impl Following {
    /// Goes over to what is proposed, or says why not. Whoever proposed it hears of it last: what
    /// they look at then is what they have made.
    async fn take(&mut self, proposal: Proposal, tell: &watch::Sender<Option<Arc<Running>>>) {
        let Proposal { origin, number, content, intent, reply } = proposal;
        if matches!(intent, Intent::DryRun) {
            let outcome = self.would_be(&origin, number, content);
            let _ = reply.send(outcome);
            return;
        }
        // Whoever has a file read again, by a signal, may have moved the access log just before.
        self.server.access.reopen();
        let outcome = match self.apply(&origin, content, intent).await {
            Ok(warnings) => {
                let revision = self.server.revision();
                tracing::info!(%origin, revision, "configuration applied");
                Outcome::Applied { number, warnings }
            }
            Err(problems) => {
                self.server.rejected(&problems);
                report(&origin, &problems);
                Outcome::Rejected { number, problems }
            }
        };
        self.remember(origin, &outcome);
        tell.send_replace(Some(Arc::new(self.running())));
        // Whoever asked may have left.
        let _ = reply.send(outcome);
    }

    fn would_be(
        &self,
        origin: &Origin,
        number: u64,
        content: Result<Part, Vec<Problem>>,
    ) -> Outcome {
        let checked = content.and_then(|part| {
            let mut origins = self.origins.clone();
            origins.set(origin, part);
            Ok(origins.checked()?.1.warnings().to_vec())
        });
        match checked {
            Ok(warnings) => Outcome::Applied { number, warnings },
            Err(problems) => Outcome::Rejected { number, problems },
        }
    }

    async fn apply(
        &mut self,
        origin: &Origin,
        content: Result<Part, Vec<Problem>>,
        intent: Intent,
    ) -> Result<Vec<Problem>, Vec<Problem>> {
        let mut origins = self.origins.clone();
        origins.set(origin, content?);
        let (places, config) = origins.checked()?;
        let warnings = config.warnings().to_vec();
        let commit = async || match intent {
            Intent::Commit(commit) => commit().await,
            Intent::Apply | Intent::DryRun => Ok(()),
        };
        let applied = self.server.apply_and(config, commit).await;
        applied.map_err(|problems| located(problems, &places))?;
        self.origins = origins;
        Ok(warnings)
    }

    fn remember(&mut self, origin: Origin, outcome: &Outcome) {
        let (number, problems) = match outcome {
            Outcome::Applied { number, .. } => (*number, Vec::new()),
            Outcome::Rejected { number, problems } => (*number, problems.clone()),
        };
        self.statuses.retain(|status| status.origin != origin);
        self.statuses.push(OriginStatus { origin, number, problems });
    }

    fn running(&self) -> Running {
        Running {
            snapshot: Arc::clone(&self.server.snapshot),
            parts: self.origins.parts().to_vec(),
            origins: self.statuses.clone(),
            addresses: self.server.addresses(),
            started: self.started,
            cores: self.server.cores.len(),
            metrics: Arc::clone(&self.server.metrics),
            readiness: Arc::clone(&self.server.readiness),
        }
    }
}

fn report(origin: &Origin, problems: &[Problem]) {
    for problem in problems {
        tracing::error!(code = problem.code, "{problem}");
    }
    tracing::error!(
        %origin,
        problems = problems.len(),
        "configuration rejected; what was served before is served on"
    );
}

/// Says where in the document a problem of opening something stands.
fn located(mut problems: Vec<Problem>, places: &Places) -> Vec<Problem> {
    for problem in &mut problems {
        if let Some(place) = places.place(&problem.path) {
            problem.place = Some(place);
        }
    }
    problems
}
