//! The page of the admin API, in a real browser. It is Chromium, driven over its own protocol.

use std::{io, net::SocketAddr};

use portway_testkit::{
    WebSocket,
    client::Message,
    process::{Command, Process},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Administered;

/// A page in a browser. The browser is killed on drop.
struct Page {
    socket: WebSocket,
    session: String,
    last: u64,
    /// Everything the browser told besides answers.
    events: Vec<Value>,
    // Dropped before the directory in which it works.
    _browser: Process,
    _profile: TempDir,
}

impl Page {
    /// Opens a browser with an empty page that is so wide.
    async fn open(width: u32) -> io::Result<Self> {
        let profile = tempfile::tempdir()?;
        let mut command = Command::new("chromium");
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-dev-shm-usage"]);
        command.arg("--remote-debugging-port=0").arg(format!("--window-size={width},900"));
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        let browser = Process::spawn(&mut command).map_err(|error| {
            io::Error::new(error.kind(), format!("{error}; is the package chromium installed?"))
        })?;
        let line = browser.wait_for_line(|line| line.contains("DevTools listening on ws://"));
        let line = line.await?;
        let place = line.split_once("ws://").map_or("", |(_, place)| place.trim());
        let (address, path) = place.split_once('/').expect("an address and a path");
        let address: SocketAddr = address.parse().map_err(io::Error::other)?;
        let socket = WebSocket::connect(address, &format!("/{path}")).await?;
        let (session, last, events) = (String::new(), 0, Vec::new());
        let mut page = Self { socket, session, last, events, _browser: browser, _profile: profile };
        let target = page.call("Target.createTarget", json!({ "url": "about:blank" })).await?;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = page.call("Target.attachToTarget", attach).await?;
        attached["sessionId"].as_str().unwrap_or_default().clone_into(&mut page.session);
        for domain in ["Network", "Page", "Runtime", "Log"] {
            page.call(&format!("{domain}.enable"), json!({})).await?;
        }
        Ok(page)
    }

    /// Calls a method of the browser and returns its result.
    async fn call(&mut self, method: &str, params: Value) -> io::Result<Value> {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = self.session.as_str().into();
        }
        self.socket.send_text(&message.to_string()).await?;
        loop {
            let Some(Message::Text(text)) = self.socket.receive().await? else { continue };
            let answer: Value = serde_json::from_str(&text)?;
            if answer["id"] != self.last {
                self.events.push(answer);
                continue;
            }
            let failed = answer.get("error").map(|error| format!("{method}: {error}"));
            return failed.map_or(Ok(answer["result"].clone()), |why| Err(io::Error::other(why)));
        }
    }

    /// Evaluates a script in the page, and waits for what it promises.
    async fn eval(&mut self, script: &str) -> io::Result<Value> {
        let params = json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
        let result = self.call("Runtime.evaluate", params).await?;
        assert!(result["exceptionDetails"].is_null(), "{script}: {result:#}");
        Ok(result["result"]["value"].clone())
    }

    /// Waits in the page until an expression is true.
    async fn until(&mut self, expression: &str) -> io::Result<()> {
        let script = format!(
            "new Promise((done, failed) => {{
               const began = Date.now();
               const look = () => {{
                 if ({expression}) done(true);
                 else if (Date.now() - began > 8000) failed(document.body.innerText);
                 else setTimeout(look, 20);
               }};
               look();
             }})"
        );
        self.eval(&script).await.map(drop)
    }

    /// The addresses that were asked for.
    fn asked(&self) -> Vec<&str> {
        let sent =
            self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        sent.filter_map(|event| event["params"]["request"]["url"].as_str()).collect()
    }

    /// What the browser complains about: errors of scripts, breaches of the policy.
    fn complaints(&self) -> Vec<&Value> {
        let is_bad = |event: &&Value| {
            event["method"] == "Runtime.exceptionThrown"
                || (event["method"] == "Log.entryAdded"
                    && event["params"]["entry"]["level"] == "error"
                    // That a token was not good is what a test asks for.
                    && event["params"]["entry"]["source"] != "network")
        };
        self.events.iter().filter(is_bad).collect()
    }
}

const LISTED: &str = "document.querySelectorAll('details[data-text]').length > 60";

#[tokio::test]
async fn the_page_asks_the_gateway_and_nobody_else() -> io::Result<()> {
    let api = Administered::start("").await?;
    let mut page = Page::open(1280).await?;
    let home = format!("http://{}/", api.address());
    page.call("Page.navigate", json!({ "url": home })).await?;
    page.until(LISTED).await?;
    let token = api.token.clone();
    // A token that is not good is told, a good one too.
    let typed = |token: &str| {
        format!(
            "(() => {{ const field = document.getElementById('token'); field.value = '{token}';
               field.dispatchEvent(new Event('change')); }})()"
        )
    };
    page.eval(&typed("pwt_nobody")).await?;
    page.until("document.getElementById('known').textContent.includes('401')").await?;
    page.eval(&typed(&token)).await?;
    page.until("document.getElementById('known').className === 'good'").await?;

    page.eval("document.getElementById('status').open = true").await?;
    page.until("document.querySelector('#status button')").await?;
    page.eval("document.querySelector('#status button').click()").await?;
    page.until("document.querySelector('#status pre').textContent.includes('started_at')").await?;
    let line = page.eval("document.querySelector('#status .answer p').textContent").await?;
    assert!(line.as_str().is_some_and(|line| line.starts_with("200 OK")), "{line}");

    // Something is written with it.
    let write = "(() => { const form = document.getElementById('putRoute'); form.open = true; })()";
    page.eval(write).await?;
    page.until("document.querySelector('#putRoute textarea')").await?;
    page.eval(
        "(() => { const form = document.querySelector('#putRoute form');
           form.querySelector('[name=name]').value = 'clicked';
           form.querySelector('textarea').value =
             JSON.stringify({ match: { path: '/clicked' }, target: { reply: { body: 'yes' } } });
           form.querySelector('button').click(); })()",
    )
    .await?;
    page.until("document.querySelector('#putRoute .answer p')?.textContent.startsWith('201')")
        .await?;
    assert_eq!(api.seen("/clicked").await?.1, "yes");

    let elsewhere: Vec<_> =
        page.asked().into_iter().filter(|url| !url.starts_with(&home)).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    assert!(page.asked().len() > 5, "{:?}", page.asked());
    let addresses = page.asked().join(" ");
    assert!(!addresses.contains(&token), "a token stood in an address");
    let complaints = page.complaints();
    assert!(complaints.is_empty(), "{complaints:#?}");
    Ok(())
}

#[tokio::test]
async fn the_page_fits_a_telephone_and_finds_things() -> io::Result<()> {
    let api = Administered::start("").await?;
    let mut page = Page::open(1280).await?;
    let small = json!({ "width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": true });
    page.call("Emulation.setDeviceMetricsOverride", small).await?;
    let url = format!("http://{}/#putRoute", api.address());
    page.call("Page.navigate", json!({ "url": url })).await?;
    page.until(LISTED).await?;
    // A link to an operation has opened it, and nothing is wider than the screen.
    page.until("document.querySelector('#putRoute form')").await?;
    let wide = page.eval("document.documentElement.scrollWidth").await?;
    assert!(wide.as_u64().is_some_and(|wide| wide <= 360), "{wide}");
    page.eval(
        "(() => { const field = document.getElementById('find'); field.value = 'roll back';
           field.dispatchEvent(new Event('input')); })()",
    )
    .await?;
    let found = "[...document.querySelectorAll('details[data-text]')].filter((one) => !one.hidden)";
    let found = page.eval(&format!("{found}.map((one) => one.id).join()")).await?;
    assert_eq!(found, "rollback");
    // Scripts of others are not run: the policy forbids them.
    let inline = "(() => { const script = document.createElement('script');
        script.textContent = 'window.ran = true'; document.body.append(script);
        return window.ran ?? false; })()";
    assert_eq!(page.eval(inline).await?, false);
    assert_eq!(page.complaints().len(), 1, "{:#?}", page.complaints());
    Ok(())
}
