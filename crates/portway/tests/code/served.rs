//! A declared gateway on a socket of its own, with probes and access records.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use portway::{
    Builder, Problems,
    config::{Listener, LogFormat},
};
use portway_testkit::{Client, DEADLINE, eventually, free_addr, within};
use serde_json::{Value, json};
use tokio::{sync::oneshot, task::JoinHandle};

/// A gateway that serves until it is dropped.
pub(crate) struct Served {
    pub(crate) addr: SocketAddr,
    probes: SocketAddr,
    pub(crate) folder: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<Result<bool, Problems>>,
}

impl Served {
    /// Serves on a listener for plain HTTP.
    pub(crate) async fn start(builder: Builder) -> io::Result<Self> {
        Self::with(builder, json!({})).await
    }

    /// Serves on a listener with these settings besides name and address.
    pub(crate) async fn with(builder: Builder, listener: Value) -> io::Result<Self> {
        let (addr, probes, folder) = (free_addr()?, free_addr()?, tempfile::tempdir()?);
        let mut settings = listener;
        (settings["name"], settings["bind"]) = (json!("web"), json!(addr.to_string()));
        let listener: Listener = serde_json::from_value(settings).expect("a listener");
        let records = records(folder.path());
        let builder = builder.probes(&probes.to_string()).configure(|config| {
            config.access_log.format = Some(LogFormat::Json);
            config.access_log.path = records.to_string_lossy().into_owned().into();
        });
        let gateway = builder.build().map_err(io::Error::other)?;
        let (stop, stopped) = oneshot::channel();
        let mut serving = tokio::spawn(gateway.serve([listener], async {
            // Whoever has dropped the sender wants an end, too.
            let _ = stopped.await;
        }));
        let opened = async {
            while tokio::net::TcpStream::connect(addr).await.is_err() {
                tokio::task::yield_now().await;
            }
            Ok(())
        };
        tokio::select! {
            ended = &mut serving => match ended.expect("it does not panic") {
                Ok(_) => Err(io::Error::other("it has ended")),
                Err(problems) => Err(io::Error::other(problems)),
            },
            opened = within(DEADLINE, "gateway", opened) => {
                opened?;
                Ok(Self { addr, probes, folder, stop: Some(stop), serving })
            }
        }
    }

    /// The access record of the request for a path that was asked for once.
    pub(crate) async fn record(&self, path: &str) -> io::Result<Value> {
        let file = records(self.folder.path());
        let find = || {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let records = text.lines().filter_map(|line| serde_json::from_str(line).ok());
            records.into_iter().find(|record: &Value| record["path"] == path)
        };
        eventually(&format!("a record of {path}"), || find().is_some()).await?;
        Ok(find().expect("it was there"))
    }

    /// Waits until a metric without labels has this value.
    pub(crate) async fn metric_is(&self, name: &str, wanted: &str) -> io::Result<()> {
        // On the heap: it weighs much.
        let asked = Box::pin(async {
            loop {
                let answer = Client::h1(self.probes).get("/metrics").await?;
                let text = answer.text();
                let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
                if line == Some(wanted) {
                    return Ok(());
                }
                tokio::task::yield_now().await;
            }
        });
        within(DEADLINE, name, asked).await
    }

    /// Ends it. Whether all in flight could finish.
    pub(crate) async fn end(mut self) -> bool {
        self.stop.take().map(|stop| stop.send(()));
        let ended = (&mut self.serving).await.expect("it does not panic");
        ended.expect("it was right")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn records(folder: &Path) -> PathBuf {
    folder.join("access.log")
}
