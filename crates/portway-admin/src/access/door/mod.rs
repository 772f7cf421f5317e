//! Who is heard at all: from which addresses, by which names, for which pages of a browser. No
//! credential is looked at here.

mod client;
mod host;
mod origin;

use std::net::IpAddr;

use http::{HeaderMap, request::Parts};
use portway_config::{Admin, ClientCertificate, value::Cidr};

use super::Refusal;
use client::Proxies;
use host::Hosts;
use origin::Origins;

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// Its address.
    pub address: IpAddr,
    /// Whether the connection is under TLS.
    pub tls: bool,
    /// The certificate it has shown, which was verified.
    pub certificate: Option<ClientCertificate<'a>>,
}

/// What a configuration says about it.
#[derive(Debug)]
pub(super) struct Door {
    proxies: Proxies,
    allow: Box<[Cidr]>,
    hosts: Hosts,
    origins: Origins,
}

impl Door {
    pub(super) fn new(admin: &Admin) -> Self {
        let access = &admin.access;
        Self {
            proxies: Proxies::new(&access.trusted_proxies, access.forwarded_depth),
            allow: access.allow.clone().into(),
            hosts: Hosts::new(admin.bind, &access.allowed_hosts),
            origins: Origins::new(&access.allowed_origins),
        }
    }

    /// The client's address, if it is heard.
    pub(super) fn pass(&self, head: &Parts, peer: &Peer<'_>) -> Result<IpAddr, Refusal> {
        let client = self.proxies.client(peer.address, &head.headers)?;
        if !self.allow.is_empty() && !self.allow.iter().any(|block| block.contains(client)) {
            let detail = format!("nobody may ask from {client}");
            return Err(Refusal::forbidden("address_not_allowed", detail));
        }
        let host = self.hosts.asked_for(head)?;
        self.origins.check(head, &host, peer.tls)?;
        Ok(client)
    }

    /// Whether a browser asks what a page may ask.
    pub(super) fn is_preflight(head: &Parts) -> bool {
        origin::is_preflight(head)
    }

    /// What a browser is told whose page has an origin that is allowed.
    pub(super) fn cors(&self, head: &Parts) -> Option<HeaderMap> {
        self.origins.cors(head)
    }
}
