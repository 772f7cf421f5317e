//! From a source to the end of the process: start, follow changes, drain.

use std::future::Future;

use portway_config::{Checked, Config, Origin, Outcome, Places, Problem, Revision, Source};

use super::{Options, Server};

/// Why a running gateway is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// What is in flight may finish.
    Drain,
}

/// Serves what `source` says, and follows it, until `stop` is there; then drains, unless `stop` is
/// there a second time. Returns whether everything in flight could finish.
///
/// # Errors
/// The problems of the first revision: nothing was opened.
pub async fn run<S, F>(
    mut source: impl Source,
    options: Options,
    mut stop: S,
    started: impl FnOnce(&Server, &[Problem]),
) -> Result<bool, Vec<Problem>>
where
    S: FnMut() -> F,
    F: Future<Output = Stop>,
{
    let Some(first) = source.next().await else {
        let problem = Problem::new("no_configuration", "there is no configuration");
        return Err(vec![problem]);
    };
    let number = first.number;
    let (mut server, warnings) = start(first, options).await?;
    source.learn(&Outcome::Applied { number, warnings: warnings.clone() });
    started(&server, &warnings);
    loop {
        tokio::select! {
            Stop::Drain = stop() => break,
            Some(revision) = source.next() => {
                let outcome = follow(&mut server, revision).await;
                source.learn(&outcome);
            }
        }
    }
    let finished = tokio::select! {
        finished = server.drain() => finished,
        Stop::Drain = stop() => {
            tracing::warn!("ended by a second signal");
            false
        }
    };
    Ok(finished)
}

/// Starts with the first revision, and keeps nothing of its text.
async fn start(first: Revision, options: Options) -> Result<(Server, Vec<Problem>), Vec<Problem>> {
    let (places, config) = checked(first)?;
    let warnings = config.warnings().to_vec();
    let started = Server::start(config, options).await;
    Ok((started.map_err(|problems| located(problems, &places))?, warnings))
}

/// Goes over to a further revision, or says why not.
async fn follow(server: &mut Server, revision: Revision) -> Outcome {
    // Whoever has the file read again, by a signal, may have moved the access log just before.
    server.access.reopen();
    let number = revision.number;
    let origin = revision.origin.clone();
    let applied = match checked(revision) {
        Ok((places, config)) => {
            let warnings = config.warnings().to_vec();
            match server.apply(config).await {
                Ok(()) => Ok(warnings),
                Err(problems) => Err(located(problems, &places)),
            }
        }
        Err(problems) => Err(problems),
    };
    match applied {
        Ok(warnings) => {
            tracing::info!(%origin, revision = server.revision(), "configuration applied");
            Outcome::Applied { number, warnings }
        }
        Err(problems) => {
            server.rejected(&problems);
            report(&origin, &problems);
            Outcome::Rejected { number, problems }
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
        problem.place = places.place(&problem.path);
    }
    problems
}

type Located = (Places, Checked<Config>);

fn checked(revision: Revision) -> Result<Located, Vec<Problem>> {
    let loaded = revision.content?;
    let places = loaded.places.clone();
    Ok((places, loaded.check()?))
}
