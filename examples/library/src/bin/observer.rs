//! An observer: it hears what happens to every request. Without one, nothing is paid for it.
//! `Gateway::builder().trace_requests()` writes the same events to the program's `tracing`
//! subscriber.
//!
//! ```sh
//! curl -s http://127.0.0.1:8080/items
//! #> "path": "/items"
//!
//! curl -s -i http://127.0.0.1:8080/closed
//! #> 403 Forbidden
//!
//! # What was heard of the two.
//! curl -s http://127.0.0.1:8080/heard
//! #> shop.items: GET /items
//! #> shop.items: asks 127.0.0.1:9001
//! #> shop.items: answered 200 OK
//! #> shop.closed: GET /closed
//! #> shop.closed: refused, forbidden: it is Monday
//! ```

use std::sync::{Arc, Mutex, PoisonError};

use portway::{
    Gateway, Halt, HookResult, Problems,
    observe::{Event, What},
};
use portway_examples::{listen, upstream};

/// The lines that were heard. A real program would count, or send them somewhere.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn add(&self, event: &Event<'_>) {
        let what = match event.what {
            What::Started { method, path, .. } => format!("{method} {path}"),
            What::Refused { error } => format!("refused, {}: {}", error.code(), error.cause()),
            What::EndpointChosen { endpoint } => format!("asks {endpoint}"),
            What::Answered { status, took, .. } => format!("answered {status} in {took:?}"),
            What::Failed { error, .. } => format!("failed: {}", error.code()),
            What::Finished { status, bytes_out, .. } => {
                format!("done: {status}, {bytes_out} bytes")
            }
            // There may be more of them one day.
            _ => return,
        };
        let line = format!("{}: {what}\n", event.route.unwrap_or("no route"));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

#[portway::hook]
async fn closed() -> HookResult {
    Err(Halt::forbidden("come back tomorrow").because("it is Monday"))
}

#[portway::service]
mod shop {
    use super::Heard;

    #[portway::get("/items")]
    async fn items() {}

    #[portway::get("/closed", before = [super::closed])]
    async fn closed() {}

    #[portway::get("/heard", handler)]
    async fn heard(heard: &Heard) -> String {
        heard.0.lock().map(|lines| lines.concat()).unwrap_or_default()
    }
}

#[tokio::main]
async fn main() -> Result<(), Problems> {
    let heard = Heard::default();
    let ears = heard.clone();
    let gateway = Gateway::builder()
        .observer(move |event: &Event<'_>| ears.add(event))
        .state(heard)
        .mount_service(shop::routes(), [upstream()])
        .build()?;
    gateway.run(&listen()).await?;
    Ok(())
}
