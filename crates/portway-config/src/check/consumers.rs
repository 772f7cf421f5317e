//! Consumers: nobody else has their credentials, and none is stored in clear that need not be.

use std::collections::HashMap;

use portway_plugin::{
    Problem,
    credential::Algorithm,
    value::{Name, Quoted},
};

use super::Findings;
use crate::{places::Places, resource::Config, walk::closest};

pub(super) fn check(config: &Config, places: &Places, findings: &mut Findings) {
    let mut seen: HashMap<(&str, &Name, &str), String> = HashMap::new();
    for (at, consumer) in config.consumers.iter().enumerate() {
        let at = format!("consumers[{at}]");
        let namespace = &consumer.meta.namespace;
        let mut credentials: Vec<(&str, &str, String)> = Vec::new();
        for (number, key) in consumer.keys.iter().enumerate() {
            credentials.push(("key", key, format!("{at}.keys[{number}]")));
        }
        for (number, password) in consumer.passwords.iter().enumerate() {
            let name = password.username.as_deref().unwrap_or(consumer.meta.name.as_str());
            credentials.push(("user name", name, format!("{at}.passwords[{number}]")));
            if !is_password_hash(&password.hash) {
                let message = "the hash is neither argon2 nor bcrypt";
                let problem = Problem::new("bad_value", message)
                    .hint("a password is stored as its hash: `portway hash` makes one");
                findings.problem(problem.at(format!("{at}.passwords[{number}].hash")));
            }
        }
        for (number, key) in consumer.jwt.iter().enumerate() {
            let path = format!("{at}.jwt[{number}]");
            jwt_key(key, &path, findings);
            credentials.push(("token key", &key.id, format!("{path}.id")));
        }
        for (number, secret) in consumer.hmac.iter().enumerate() {
            let path = format!("{at}.hmac[{number}]");
            if secret.secret.is_empty() {
                let problem = Problem::new("bad_value", "the secret is empty");
                findings.problem(problem.at(format!("{path}.secret")));
            }
            credentials.push(("signature key", &secret.id, format!("{path}.id")));
        }
        for (kind, id, path) in credentials {
            if id.is_empty() {
                let problem = Problem::new("bad_value", format!("the {kind} is empty"));
                findings.problem(problem.at(path));
            } else if let Some(first) = seen.insert((kind, namespace, id), path.clone()) {
                let first = places.named(&first);
                // Which it is, is not said: it may be a secret.
                let message = format!("this {kind} is another consumer's too: {first}");
                findings.problem(Problem::new("duplicate_credential", message).at(path));
            }
        }
    }
}

/// Whether it looks like the hash of a password rather than the password.
pub(super) fn is_password_hash(text: &str) -> bool {
    ["$argon2", "$2a$", "$2b$", "$2y$"].iter().any(|kind| text.starts_with(kind))
}

fn jwt_key(key: &crate::resource::JwtKey, path: &str, findings: &mut Findings) {
    let Some(algorithm) = Algorithm::named(&key.algorithm) else {
        let message = format!("{} is not an algorithm for tokens", Quoted(&key.algorithm));
        let problem = Problem::new("unknown_value", message).at(format!("{path}.algorithm"));
        findings.problem(match closest(&key.algorithm, Algorithm::names()) {
            Some(meant) => problem.hint(format!("did you mean {meant}?")),
            None => {
                let names: Vec<_> = Algorithm::names().collect();
                problem.hint(format!("there are {}", names.join(", ")))
            }
        });
        return;
    };
    let symmetric = algorithm.is_symmetric();
    let wanted = if symmetric { "secret" } else { "public_key" };
    if key.secret.is_some() != symmetric || key.public_key.is_some() == symmetric {
        let message = format!("a key for {} has a {wanted}, and nothing else", key.algorithm);
        findings.problem(Problem::new("one_of", message).at(path));
    }
}
