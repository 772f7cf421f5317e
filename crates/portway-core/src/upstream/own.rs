//! Connections that the program makes in the gateway's place.

use std::{fmt, sync::Arc, time::Duration};

use http::StatusCode;
use portway_config::{
    Service,
    value::{EndpointScheme, ServiceUrl},
};
use portway_plugin::{
    Error,
    panics::{Caught, caught},
};
use tokio::{io::AsyncWriteExt as _, time::Instant};

use super::{
    Endpoint, Upstream,
    connect::{Connected as Ready, untrusted},
    endpoint::Speech,
};
use crate::{
    connect::{Alpn, Cause, Connect, Connected, Dial, Target},
    socket::{Own, Wire},
    tls::Offer,
};

/// Who dials for an endpoint.
pub(super) struct Dialler {
    connect: Arc<dyn Connect>,
    target: Arc<Target>,
}

impl Dialler {
    /// `None`: it is spoken to in datagrams, for which there is no connection to be made.
    pub(super) fn new(
        connect: &Arc<dyn Connect>,
        service: &Service,
        url: &ServiceUrl,
    ) -> Option<Self> {
        let target = Target {
            service: service.meta.called().into(),
            url: url.clone(),
            public_only: service.deny_private_addresses,
        };
        let connect = Arc::clone(connect);
        (url.scheme() != EndpointScheme::Udp).then(|| Self { connect, target: Arc::new(target) })
    }

    async fn dial(&self, alpn: Alpn, limit: Option<Duration>) -> Result<Connected, Error> {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let dial = Dial {
            target: Arc::clone(&self.target),
            alpn,
            deadline: deadline.map(Instant::into_std),
        };
        let dialling =
            caught(|| self.connect.connect(dial)).map_err(|panic| self.refused(panic))?;
        let connected = Caught(dialling).await.map_err(|panic| self.refused(panic))?;
        let connected = connected.map_err(|cause| self.refused(cause))?;
        if connected.http2 && !matches!(alpn, Alpn::Either | Alpn::Http2) {
            return Err(self.refused("HTTP/2 was agreed on, which was not offered"));
        }
        Ok(connected)
    }

    fn refused(&self, cause: impl Into<Cause>) -> Error {
        let cause = cause.into();
        Error::upstream(
            StatusCode::BAD_GATEWAY,
            "upstream_connect",
            "no connection to the upstream could be made",
        )
        .because(format!("the program's dialler, to {}: {cause}", self.target.url))
        .unseen()
    }
}

/// A connection on which HTTP can be spoken.
pub(super) async fn dialled(
    dialler: &Dialler,
    (upstream, endpoint): (&Upstream, &Endpoint),
    limit: Option<Duration>,
    offer: Offer,
    introduction: Option<&[u8]>,
) -> Result<Ready, Error> {
    let alpn = match (offer, endpoint.speech) {
        (Offer::Http1, _) | (Offer::OfService, Speech::Http1) => Alpn::Http1,
        (Offer::Http2, _) | (Offer::OfService, Speech::Http2) => Alpn::Http2,
        (Offer::OfService, Speech::Agreed) => Alpn::Either,
    };
    let Connected { stream, http2, secured } = dialler.dial(alpn, limit).await?;
    let mut stream = Own::new(stream);
    if let Some(introduction) = introduction {
        let written = async {
            stream.write_all(introduction).await?;
            stream.flush().await
        };
        written.await.map_err(|error| dialler.refused(error))?;
    }
    if secured || endpoint.scheme != EndpointScheme::Https {
        return Ok(Ready { wire: Wire::Own(stream), http2 });
    }
    let tls = upstream.tls.as_ref().ok_or_else(|| untrusted("there is no TLS for it"))?;
    let name = endpoint.server_name.clone();
    let name = name.ok_or_else(|| untrusted("no certificate can be for its host"))?;
    let (wire, http2) = tls.connect_over(stream, name, offer).await.map_err(untrusted)?;
    Ok(Ready { wire, http2 })
}

/// A connection for bytes.
pub(super) async fn opened(dialler: &Dialler, limit: Option<Duration>) -> Result<Own, Error> {
    let Connected { stream, .. } = dialler.dial(Alpn::Nothing, limit).await?;
    Ok(Own::new(stream))
}

impl fmt::Debug for Dialler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialler").field("target", &self.target).finish_non_exhaustive()
    }
}
