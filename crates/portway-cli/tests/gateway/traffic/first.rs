//! The shortest way through.

use std::io;

use portway_testkit::Echo;

use crate::fixture::Gateway;

#[tokio::test]
async fn a_request_goes_through_and_is_recorded() -> io::Result<()> {
    let echo = Echo::start().await?;
    let url = echo.url();
    let gateway = Gateway::start(&format!(
        "services: [{{name: echo, url: \"{url}\", routes: [{{name: all, match: {{path: {{prefix: /}}}}}}]}}]"
    ))
    .await?;
    let answer = gateway.client().get("/a?b=c").await?.answer()?;
    assert_eq!((answer.path.as_str(), answer.query.as_deref()), ("/a", Some("b=c")));
    let record = gateway.record("/a").await?;
    assert_eq!((&record["status"], &record["route"]), (&200.into(), &"all".into()));
    assert_eq!(gateway.metric("portway_requests_total", &["route=\"all\""]).await?, 1.0);
    assert!(gateway.stop().await?.success());
    Ok(())
}
