//! `portway top`: counters of the gateway, twice, are rates.

mod keys;
mod rates;
mod screen;

use std::{io::IsTerminal, process::ExitCode};

use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use self::{
    rates::{Rates, Sample},
    screen::Screen,
};
use super::client;
use crate::{
    remote::{
        args::{Form, Top},
        client::{Client, Request},
        show,
    },
    terminal::print,
};

pub(super) async fn top(args: &Top) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let is_live = !args.once
        && args.output.form == Form::Table
        && std::io::stdout().is_terminal()
        && std::io::stdin().is_terminal();
    if is_live {
        return screen::follow(&client, args).await;
    }
    let mut before = sample(&client).await?;
    loop {
        sleep_until(Instant::now() + args.interval).await;
        let now = sample(&client).await?;
        let mut rates = Rates::between(&before, &now);
        rates.sort(args.sort);
        rates.keep(args.rows);
        match args.output.form {
            Form::Table => print(&screen::page(&rates))?,
            // Each table is a line, so that programs can read on.
            Form::Json if !args.once => print(&format!("{}\n", rates.json()))?,
            form => show::value(form, &rates.json(), |_| String::new())?,
        }
        if args.once {
            return Ok(ExitCode::SUCCESS);
        }
        before = now;
    }
}

async fn sample(client: &Client) -> anyhow::Result<Sample> {
    let said = client.ask(Request::get("/traffic")).await?;
    Ok(Sample { at: Instant::now(), data: said.data })
}

/// What a key does to the screen.
impl Screen {
    fn summary(&self, client: &Client, data: &Value) -> String {
        let count = |key: &str| data[key].as_u64().unwrap_or_default();
        format!(
            "{}  {} connections, {} requests in flight  (sorted by {}; q r e l n s)",
            client.settings.admin.url(),
            count("connections"),
            count("requests_in_flight"),
            self.sort_word(),
        )
    }
}
