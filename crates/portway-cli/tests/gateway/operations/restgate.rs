//! RESTGate's file is served as it is.

use std::{fs, io};

use portway_testkit::{
    Client, Echo,
    process::{Process, free_port},
};

use crate::fixture::PORTWAY;

#[tokio::test]
async fn restgates_file_and_its_ways_to_start_work_unchanged() -> io::Result<()> {
    let echo = Echo::start().await?;
    let (port, admin) = (free_port()?, free_port()?);
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("restgate.yaml");
    let text = format!(
        "port: {port}\nadmin_port: {admin}\nlog_format: json\nread_timeout: 5s\n\
         observed_services:\n  - name: accounts\n    service_url: {url}\n    routes:\n      \
         - name: get account\n        methods: \"GET, DELETE\"\n        pattern: /account/{{id}}\n",
        url = echo.url()
    );
    fs::write(&file, text)?;
    let file = file.display().to_string();
    // By the flag with one dash, and by the variable alone.
    for (args, variables) in
        [(vec!["-config", &*file], vec![]), (vec![], vec![("RESTGATE_CONFIG_PATH", &*file)])]
    {
        let process = Process::start(PORTWAY, &args, &variables)?;
        process.wait_for_line(|line| line.contains("serving")).await?;
        let client = Client::h1(([127, 0, 0, 1], port).into());
        assert_eq!(client.get("/account/5").await?.status, 200);
        assert_eq!(client.get("/other").await?.status, 404);
        let request = http::Request::post("/account/5").body(String::new());
        let refused = client.request(request.map_err(io::Error::other)?).await?;
        assert_eq!((refused.status.as_u16(), refused.header("allow")), (405, Some("DELETE, GET")));
        let probes = Client::h1(([127, 0, 0, 1], admin).into());
        assert_eq!(probes.get("/readyz").await?.status, 200);
        let metrics = probes.get("/metrics").await?.text().into_owned();
        assert!(metrics.contains("restgate_requests_total{"), "{metrics}");
        assert!(metrics.contains("get account"), "{metrics}");
    }
    Ok(())
}
