//! `peer-pingora LISTEN UPSTREAM LOG`: a proxy on the crate pingora, with one thread.

use std::path::Path;
use std::time::Instant;

use access_log::AccessLog;
use async_trait::async_trait;
use pingora::http::RequestHeader;
use pingora::prelude::{Error, HttpPeer, Server, http_proxy_service};
use pingora::proxy::{ProxyHttp, Session};
use pingora::server::configuration::ServerConf;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Proxy {
    upstream: String,
    log: AccessLog,
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Instant;

    fn new_ctx(&self) -> Instant {
        Instant::now()
    }

    async fn upstream_peer(
        &self,
        _session: &mut Session,
        _begin: &mut Instant,
    ) -> pingora::Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.upstream.as_str(), false, String::new())))
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        _begin: &mut Instant,
    ) -> pingora::Result<()> {
        if let Some(address) = session.client_addr().and_then(|address| address.as_inet()) {
            request.insert_header("X-Forwarded-For", address.ip().to_string())?;
        }
        request.insert_header("X-Forwarded-Proto", "http")?;
        Ok(())
    }

    async fn logging(&self, session: &mut Session, _error: Option<&Error>, begin: &mut Instant) {
        let request = session.req_header();
        let status = session.response_written().map_or(0, |response| response.status.as_u16());
        let path = request.uri.path();
        self.log.record(request.method.as_str(), path, status, begin.elapsed());
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [listen, upstream, log] = args.as_slice() else {
        return Err("usage: peer-pingora LISTEN UPSTREAM LOG".into());
    };
    let proxy = Proxy { upstream: upstream.clone(), log: AccessLog::open(Path::new(log))? };
    // Work stealing is for several threads: with one, the plain runtime is the cheaper one.
    let conf = ServerConf {
        threads: 1,
        work_stealing: false,
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(0),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut service = http_proxy_service(&server.configuration, proxy);
    service.add_tcp(listen);
    server.add_service(service);
    server.run_forever()
}
