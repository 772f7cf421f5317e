//! A plugin in two functions: one makes it of its settings, one is called for each request. It may
//! be attached in configuration files, too, and stands around the code of routes.
//!
//! ```sh
//! curl -s -i http://127.0.0.1:8080/cave
//! #> 403 Forbidden
//! #> "code":"wrong_word"
//!
//! curl -s -i -H 'x-word: sesame' http://127.0.0.1:8080/cave
//! #> 200 OK
//! #> x-welcome: yes
//! ```

use http::{HeaderValue, StatusCode};
use portway::{
    Gateway, Problems,
    config::PluginInstance,
    plugin::{Error, Next, Plugin, Problem, Request, Response, Result},
};
use portway_examples::{listen, upstream};
use serde_json::json;

/// Lets in who says the word of the day.
struct Word(String);

impl Plugin for Word {
    const NAME: &'static str = "word";
    type Spec = String;

    fn create(word: String) -> Result<Self, Problem> {
        match word.is_empty() {
            true => Err(Problem::new("bad_value", "the word is empty").hint("write sesame")),
            false => Ok(Self(word)),
        }
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        if request.headers().get("x-word").is_none_or(|word| word != self.0.as_str()) {
            return Err(Error::client(StatusCode::FORBIDDEN, "wrong_word", "say the word"));
        }
        let mut response = next.run(request).await?;
        response.headers_mut().insert("x-welcome", HeaderValue::from_static("yes"));
        Ok(response)
    }
}

#[portway::service(plugins = ["word-of-today"])]
mod cave {
    #[portway::get("/cave")]
    async fn treasure() {}
}

#[tokio::main]
async fn main() -> std::result::Result<(), Problems> {
    let shared = json!({ "name": "word-of-today", "word": "sesame" });
    let shared: PluginInstance =
        serde_json::from_value(shared).expect("a plugin with its settings");
    let gateway = Gateway::builder()
        .plugins(portway::plugins::registry().with::<Word>())
        .configure(|config| config.plugins.push(shared))
        .mount_service(cave::routes(), [upstream()])
        .build()?;
    gateway.run(&listen()).await?;
    Ok(())
}
