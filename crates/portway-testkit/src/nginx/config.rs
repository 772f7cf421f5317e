//! The configuration of nginx.

use std::net::SocketAddr;
use std::path::Path;

/// What stands in the configuration file.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) keepalive_requests: u64,
    pub(super) keepalive_timeout: String,
    pub(super) directives: Vec<String>,
}

impl Config {
    /// The file, for a server that lives in `dir`. All paths it can write to are in there.
    pub(super) fn render(&self, dir: &Path, addr: SocketAddr, token: &str) -> String {
        let dir = dir.display();
        let Self { keepalive_requests, keepalive_timeout, directives } = self;
        let directives = directives.join("\n        ");
        // One process: it keeps the user it was started as, and killing it leaves nothing behind.
        format!(
            r#"daemon off;
master_process off;
pid {dir}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    types {{ text/plain txt; application/octet-stream bin; }}
    default_type application/octet-stream;
    log_format requests '$request|$status|$connection|$connection_requests';
    access_log {dir}/access.log requests;
    sendfile on;
    tcp_nopush on;
    keepalive_requests {keepalive_requests};
    keepalive_timeout {keepalive_timeout};
    client_max_body_size 0;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    server {{
        listen {addr};
        root {dir}/files;
        location = /ready {{ access_log off; return 200 "{token}"; }}
        location = /ok {{ return 200 "ok\n"; }}
        {directives}
    }}
}}
"#
        )
    }
}

impl Default for Config {
    fn default() -> Self {
        let keepalive_timeout = "75s".to_owned();
        Self { keepalive_requests: 1_000_000, keepalive_timeout, directives: Vec::new() }
    }
}
