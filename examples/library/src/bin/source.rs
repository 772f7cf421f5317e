//! A source of configuration of one's own: whoever asks for `/publish/…` says what is served from
//! then on. What cannot be served changes nothing.
//!
//! ```sh
//! curl -s -o /dev/null -w '%{http_code}\n' http://127.0.0.1:8080/blue
//! #> 404
//!
//! curl -s -X POST http://127.0.0.1:8080/publish/blue
//! #> served
//!
//! curl -s http://127.0.0.1:8080/blue
//! #> "path": "/blue"
//!
//! curl -s -X POST http://127.0.0.1:8080/publish/not%20a%20path
//! #> refused: bad_path
//!
//! curl -s http://127.0.0.1:8080/blue
//! #> "path": "/blue"
//! ```

use futures_util::stream;
use portway::{
    Gateway, Problems,
    build::{Make, Route, Service, config},
    config::{Config, Outcome},
    source,
};
use portway_examples::{listen, upstream};
use tokio::sync::{Mutex, mpsc};

/// What is to be served, and what became of it.
struct Publisher {
    say: mpsc::Sender<Result<Config, Problems>>,
    heard: Mutex<mpsc::UnboundedReceiver<String>>,
}

#[portway::service]
mod control {
    use super::{Publisher, configuration};

    #[portway::post("/publish/{path}", path = String, handler)]
    async fn publish(path: String, publisher: &Publisher) -> String {
        // One at a time: what is heard is about what was said.
        let mut heard = publisher.heard.lock().await;
        let said = publisher.say.send(configuration(Some(&path))).await;
        let outcome = if said.is_ok() { heard.recv().await } else { None };
        outcome.unwrap_or_else(|| "nobody listens".to_owned())
    }
}

/// A service, and a route to it once there is a path.
fn configuration(path: Option<&str>) -> Result<Config, Problems> {
    let service = Service::new("shop").endpoint(upstream()).make();
    let route =
        path.map(|path| Route::new("published").to("shop").path(&format!("/{path}")).make());
    config([service].into_iter().chain(route))
}

#[tokio::main]
async fn main() -> Result<(), Problems> {
    let (say, mut said) = mpsc::channel(1);
    let (tell, heard) = mpsc::unbounded_channel();
    // A gateway begins when every source has said something.
    let configurations = stream::once(async { configuration(None) });
    let configurations =
        stream::StreamExt::chain(configurations, stream::poll_fn(move |cx| said.poll_recv(cx)));
    let mut is_first = true;
    let registry = source::stream("registry", configurations).on_outcome(move |outcome| {
        let text = match outcome {
            Outcome::Applied { .. } => "served\n".to_owned(),
            Outcome::Rejected { problems, .. } => format!("refused: {}\n", problems[0].code),
        };
        if !std::mem::take(&mut is_first) {
            // The program is ending where nobody hears it.
            let _ = tell.send(text);
        }
    });
    let gateway = Gateway::builder()
        .mount(control::routes())
        .state(Publisher { say, heard: Mutex::new(heard) })
        .source(registry)
        .configure(|config| {
            config.probes.enabled = false;
            config.access_log.enabled = false;
        })
        .build()?;
    gateway.run(&listen()).await?;
    Ok(())
}
