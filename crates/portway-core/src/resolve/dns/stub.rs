//! What the host says about names: its hosts file, and which name servers to ask under which
//! search list. Read again when the files change.

use std::{
    fs, io,
    net::{IpAddr, SocketAddr},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use hickory_resolver::{
    Hosts, TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::Query,
        rr::{Name as DnsName, RecordType},
    },
    system_conf::parse_resolv_conf,
};

/// How long a configured name server may take, and how often it is asked again. The system's
/// servers have their own figures in `resolv.conf`.
const SERVER_TIMEOUT: Duration = Duration::from_secs(2);
const SERVER_RETRIES: usize = 1;

/// A stub resolver as the files describe it (RFC 9499 section 6).
pub(super) struct Stub {
    hosts: Hosts,
    pub(super) client: TokioResolver,
    search: Search,
}

/// The search list and when it is used.
struct Search {
    domains: Vec<DnsName>,
    /// A name with at least as many dots is first tried as it is.
    ndots: usize,
}

/// Whom to ask: the current [`Stub`] and what it was made from.
pub(in crate::resolve) struct Servers {
    servers: Vec<SocketAddr>,
    hosts: PathBuf,
    resolv_conf: PathBuf,
    made: Mutex<Option<(Stamps, Arc<Stub>)>>,
}

/// Enough of a file's metadata to notice another content.
type Stamp = Option<(u64, u64, SystemTime)>;
type Stamps = [Stamp; 2];

impl Servers {
    /// Asks `servers`, or those of the system when there are none. Reads nothing yet.
    pub(in crate::resolve) fn new(servers: Vec<SocketAddr>) -> Self {
        Self::with_files(servers, "/etc/hosts".into(), "/etc/resolv.conf".into())
    }

    pub(super) fn with_files(
        servers: Vec<SocketAddr>,
        hosts: PathBuf,
        resolv_conf: PathBuf,
    ) -> Self {
        Self { servers, hosts, resolv_conf, made: Mutex::new(None) }
    }

    /// The stub for the files as they are now.
    pub(super) fn current(&self) -> Result<Arc<Stub>, NetError> {
        let stamps = [stamp(&self.hosts), stamp(&self.resolv_conf)];
        // A panic while the lock was held left a whole value behind, or none.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((before, stub)) = &*made
            && *before == stamps
        {
            return Ok(Arc::clone(stub));
        }
        let stub = Arc::new(self.make()?);
        *made = Some((stamps, Arc::clone(&stub)));
        Ok(stub)
    }

    fn make(&self) -> Result<Stub, NetError> {
        let (system, mut options) = read_resolv_conf(&self.resolv_conf)?;
        let (domain, mut domains, mut servers) = system.into_parts();
        if domains.is_empty() {
            domains.extend(domain);
        }
        if !self.servers.is_empty() {
            servers = self.servers.iter().map(|address| name_server(*address)).collect();
            options.timeout = SERVER_TIMEOUT;
            options.attempts = SERVER_RETRIES;
        }
        let search = Search { domains, ndots: options.ndots };
        // Both are done here: the hosts file is read again when it changes, and an answer is
        // kept by the name's watcher, for as long as the answer says.
        options.use_hosts_file = ResolveHosts::Never;
        options.cache_size = 0;
        let client = TokioResolver::builder_with_config(
            ResolverConfig::from_name_servers(servers),
            TokioRuntimeProvider::default(),
        )
        .with_options(options)
        .build()?;
        Ok(Stub { hosts: read_hosts(&self.hosts), client, search })
    }
}

impl Stub {
    /// The addresses the hosts file gives for this name.
    pub(super) fn hosts_file_says(&self, host: &str) -> Vec<IpAddr> {
        let Ok(name) = DnsName::from_str(&host.to_lowercase()) else {
            return Vec::new();
        };
        [RecordType::A, RecordType::AAAA]
            .into_iter()
            .filter_map(|kind| self.hosts.lookup_static_host(&Query::query(name.clone(), kind)))
            .flat_map(|found| {
                found
                    .answers()
                    .iter()
                    .filter_map(|record| record.data.ip_addr())
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// The absolute names to ask for, in order.
    pub(super) fn candidates(&self, host: &str) -> Result<Vec<DnsName>, NetError> {
        self.search.candidates(host)
    }
}

impl Search {
    /// As resolv.conf(5) says: a name that ends in a dot is absolute; one with at least `ndots`
    /// dots is tried as it is before the search list, any other one after it.
    fn candidates(&self, host: &str) -> Result<Vec<DnsName>, NetError> {
        let name = DnsName::from_str_relaxed(host)?;
        let mut absolute = name.clone();
        absolute.set_fqdn(true);
        if name.is_fqdn() {
            return Ok(vec![absolute]);
        }
        let dots = host.bytes().filter(|byte| *byte == b'.').count();
        let mut names = Vec::with_capacity(1 + self.domains.len());
        // A name that becomes too long under a domain does not exist there.
        names.extend(
            self.domains.iter().filter_map(|domain| name.clone().append_domain(domain).ok()),
        );
        let place = if dots >= self.ndots { 0 } else { names.len() };
        names.insert(place, absolute);
        Ok(names)
    }
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()]
        .map(|mut connection| {
            connection.port = address.port();
            connection
        })
        .to_vec();
    NameServerConfig::new(address.ip(), true, connections)
}

fn read_hosts(path: &Path) -> Hosts {
    let mut hosts = Hosts::default();
    let read = fs::File::open(path).and_then(|file| hosts.read_hosts_conf(file));
    match read {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(path = %path.display(), %error, "cannot read the hosts file"),
    }
    hosts
}

/// The file's name servers, search list and options. Without the file, or without a server in
/// it, the server is the one on this machine (resolv.conf(5)).
fn read_resolv_conf(path: &Path) -> Result<(ResolverConfig, ResolverOpts), NetError> {
    let mut text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(NetError::Msg(format!("cannot read {}: {error}", path.display())));
        }
    };
    let names_server =
        text.lines().any(|line| line.split_whitespace().next() == Some("nameserver"));
    if !names_server {
        text.push_str("\nnameserver 127.0.0.1\n");
    }
    parse_resolv_conf(text)
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.ino(), metadata.len(), metadata.modified().ok()?))
}

#[cfg(test)]
mod tests {
    use std::{fs, net::IpAddr, sync::Arc};

    use super::{DnsName, Search, Servers, read_resolv_conf};

    fn search(domains: &[&str], ndots: usize) -> Search {
        let domains =
            domains.iter().map(|domain| DnsName::from_str_relaxed(domain).unwrap()).collect();
        Search { domains, ndots }
    }

    #[test]
    fn names_are_tried_in_the_order_of_resolv_conf() {
        let cluster = ["shop.svc.cluster.local", "svc.cluster.local"];
        for (host, domains, ndots, expected) in [
            ("db", &[][..], 1, &["db."][..]),
            ("db", &["a.test", "b.test."], 1, &["db.a.test.", "db.b.test.", "db."]),
            ("db.a", &["a.test"], 1, &["db.a.", "db.a.a.test."]),
            ("db.a.", &["a.test"], 5, &["db.a."]),
            (
                "db.shop",
                &cluster,
                5,
                &["db.shop.shop.svc.cluster.local.", "db.shop.svc.cluster.local.", "db.shop."],
            ),
            ("my_service", &["a.test"], 1, &["my_service.a.test.", "my_service."]),
        ] {
            let names = search(domains, ndots).candidates(host).unwrap();
            let names = names.iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(names, expected, "{host}");
        }
    }

    #[test]
    fn a_name_that_cannot_be_one_is_an_error() {
        let label = "x".repeat(64);
        assert!(search(&["a.test"], 1).candidates(&label).is_err());
    }

    #[test]
    fn without_a_name_server_it_is_the_one_on_this_machine() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("resolv.conf");
        let (config, _) = read_resolv_conf(&path).unwrap();
        assert_eq!(config.name_servers()[0].ip.to_string(), "127.0.0.1");

        fs::write(&path, "search a.test b.test\noptions ndots:3 timeout:1 attempts:4\n").unwrap();
        let (config, options) = read_resolv_conf(&path).unwrap();
        assert_eq!(config.name_servers()[0].ip.to_string(), "127.0.0.1");
        assert_eq!(config.search().len(), 2);
        assert_eq!((options.ndots, options.timeout.as_secs(), options.attempts), (3, 1, 4));
    }

    #[test]
    fn the_hosts_file_is_read_again_when_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let hosts = folder.path().join("hosts");
        let source = Servers::with_files(Vec::new(), hosts.clone(), folder.path().join("none"));
        let look = |host: &str| source.current().unwrap().hosts_file_says(host);

        assert_eq!(look("db.test"), Vec::<IpAddr>::new());
        fs::write(&hosts, "127.0.0.5 db.test DB2\n::1 db.test # both\n").unwrap();
        let both: Vec<IpAddr> = vec!["127.0.0.5".parse().unwrap(), "::1".parse().unwrap()];
        assert_eq!(look("db.test"), both);
        assert_eq!(look("DB.Test"), both);
        assert_eq!(look("db2"), both[..1]);
        assert!(Arc::ptr_eq(&source.current().unwrap(), &source.current().unwrap()));

        fs::write(&hosts, "127.0.0.66 db.test\n").unwrap();
        assert_eq!(look("db.test"), ["127.0.0.66".parse::<IpAddr>().unwrap()]);
    }
}
