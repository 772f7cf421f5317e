//! What a configuration asks for that this build was made without.

use portway_config::{Checked, Config, Problem, Target, UpstreamHttp2, value::EndpointScheme};

use crate::{driver::SPEAKS_HTTP2, files, protocol::Protocols, resolve::ASKS_SERVERS, tls};

/// What a build may be made without.
#[derive(Clone, Copy, Debug)]
struct Build {
    dns: bool,
    files: bool,
    tls: bool,
    http2: bool,
}

/// Finds all of it, so that a start or a change is refused instead of a connection.
pub(super) fn lacking(config: &Checked<Config>) -> Vec<Problem> {
    let build = Build {
        dns: ASKS_SERVERS,
        files: files::ARE_SENT,
        tls: tls::IS_SPOKEN,
        http2: SPEAKS_HTTP2,
    };
    lacking_in(build, config)
}

fn lacking_in(build: Build, config: &Checked<Config>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut lacks = |feature: &str, what: &str, path: String| {
        let problem = Problem::new("not_in_this_build", format!("this build does not {what}"));
        let problem = problem.at(config.declared_path(&path));
        problems.push(problem.hint(format!("build portway with the feature {feature}")));
    };
    if !config.resolver.servers.is_empty() && !build.dns {
        lacks("dns", "ask name servers", "resolver.servers".to_owned());
    }
    for (at, listener) in config.listeners.iter().enumerate() {
        if listener.tls.is_some() && !build.tls {
            lacks("tls", "speak TLS", format!("listeners[{at}].tls"));
        }
    }
    for (at, route) in config.routes.iter().enumerate() {
        if matches!(route.target, Some(Target::Files(_))) && !build.files {
            lacks("files", "send files", format!("routes[{at}].target.files"));
        }
    }
    for (at, service) in config.services.iter().enumerate() {
        if service.http2 == UpstreamHttp2::Always && !build.http2 {
            lacks("http2", "speak HTTP/2", format!("services[{at}].http2"));
        }
        let only = service.url.iter().map(|url| (url, "url".to_owned()));
        let listed = service.endpoints.iter().enumerate();
        let listed = listed.map(|(number, one)| (&one.url, format!("endpoints[{number}].url")));
        for (url, key) in only.chain(listed) {
            match url.scheme() {
                EndpointScheme::Https if !build.tls => {
                    lacks("tls", "speak TLS", format!("services[{at}].{key}"));
                }
                EndpointScheme::H2c if !build.http2 => {
                    lacks("http2", "speak HTTP/2", format!("services[{at}].{key}"));
                }
                _ => {}
            }
        }
    }
    problems
}

/// Finds the protocols that listeners name and this program has not brought along: it may have been
/// checked by another one.
pub(super) fn unspoken(protocols: &Protocols, config: &Checked<Config>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (at, listener) in config.listeners.iter().enumerate() {
        for (number, name) in listener.protocols.iter().enumerate() {
            if !protocols.names().any(|known| known == name) {
                let message = format!("this program does not bring the protocol {name} along");
                let path = config.declared_path(&format!("listeners[{at}].protocols[{number}]"));
                problems.push(Problem::new("unknown_protocol", message).at(path));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use portway_config::{Catalog, Lookup, load};
    use portway_testkit::tls::{Authority, Identity};

    use super::*;

    const EVERYTHING: Build = Build { dns: true, files: true, tls: true, http2: true };
    const ASKS: &str = "
resolver: {servers: ['127.0.0.1:53']}
listeners:
  - {name: clear, bind: '127.0.0.1:1'}
  - name: closed
    bind: '127.0.0.1:2'
    tls: {certificates: [{cert: 'a.pem', key: 'a.key'}]}
routes: [{name: site, match: {path: /}, target: {files: {root: /srv}}}]
services:
  - {name: plain, url: 'http://127.0.0.1:3'}
  - {name: sealed, url: 'https://127.0.0.1:4'}
  - {name: multiplexed, endpoints: [{url: 'http://127.0.0.1:5'}, {url: 'h2c://127.0.0.1:6'}]}
  - {name: both, url: 'https://127.0.0.1:7', http2: always}
";

    /// Has the files of one certificate.
    struct Files(Identity);

    impl Lookup for Files {
        fn env(&self, _: &str) -> Option<String> {
            None
        }

        fn file(&self, path: &str) -> Result<String, String> {
            let Identity { cert_pem, key_pem, .. } = &self.0;
            Ok(if path.ends_with("pem") { cert_pem.clone() } else { key_pem.clone() })
        }

        fn secret(&self, _: &str, _: &str) -> Option<String> {
            None
        }

        fn has_surroundings(&self) -> bool {
            true
        }
    }

    fn lacks(build: Build) -> Vec<(String, Option<String>)> {
        let files = Files(Authority::new().unwrap().issue(&["localhost"]).unwrap());
        let config = load(ASKS, "test.yaml", &files, &Catalog::default()).unwrap();
        let problems = lacking_in(build, &config.check().unwrap());
        assert!(problems.iter().all(|problem| problem.code == "not_in_this_build"));
        problems.into_iter().map(|problem| (problem.path, problem.hint.map(Into::into))).collect()
    }

    #[test]
    fn a_build_with_everything_lacks_nothing() {
        assert_eq!(lacks(EVERYTHING), []);
    }

    #[test]
    fn each_place_that_needs_more_is_named_with_what_it_needs() {
        let place = |path: &str, feature: &str| {
            (path.to_owned(), Some(format!("build portway with the feature {feature}")))
        };
        let tls = [
            place("listeners[1].tls", "tls"),
            place("services[1].url", "tls"),
            place("services[3].url", "tls"),
        ];
        assert_eq!(lacks(Build { tls: false, ..EVERYTHING }), tls);
        let http2 =
            [place("services[2].endpoints[1].url", "http2"), place("services[3].http2", "http2")];
        assert_eq!(lacks(Build { http2: false, ..EVERYTHING }), http2);
        assert_eq!(lacks(Build { dns: false, ..EVERYTHING }), [place("resolver.servers", "dns")]);
        let files = [place("routes[0].target.files", "files")];
        assert_eq!(lacks(Build { files: false, ..EVERYTHING }), files);
        let nothing = Build { dns: false, files: false, tls: false, http2: false };
        assert_eq!(lacks(nothing).len(), 7);
    }
}
