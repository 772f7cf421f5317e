//! Signatures, good and bad.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use portway_testkit::plugin::{Seen, Stage};
use serde_json::{Value, json};

use super::HmacAuth;
use crate::fixtures::{consumers, identity_table};

const ALL: &str = r#""@method" "@authority" "@path" "@query""#;

async fn stage(spec: Value) -> Stage {
    let mut stage = Stage::of::<HmacAuth>(spec).await.expect("the spec is good");
    stage.known.consumers = consumers();
    stage
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn sign(secret: &str, base: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, base.as_bytes()))
}

/// The two fields of a signature over the lines that `covered` names.
fn standard(lines: &[(&str, &str)], parameters: &str) -> [(&'static str, String); 2] {
    let covered: Vec<String> = lines.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let list = format!("({}){parameters}", covered.join(" "));
    let mut base = String::new();
    for (name, value) in lines {
        base += &format!("\"{name}\": {value}\n");
    }
    base += &format!("\"@signature-params\": {list}");
    let signature = sign("shared", &base);
    [("signature-input", format!("sig1={list}")), ("signature", format!("sig1=:{signature}:"))]
}

/// What `GET /orders?a=b` at example.com is.
const REQUEST: [(&str, &str); 4] =
    [("@method", "GET"), ("@authority", "example.com"), ("@path", "/orders"), ("@query", "?a=b")];

fn parameters() -> String {
    format!(";created={};keyid=\"alice\"", now())
}

async fn ask(stage: &Stage, fields: &[(&str, String)]) -> Seen {
    let mut headers = vec![("host", "Example.com:80")];
    headers.extend(fields.iter().map(|(name, value)| (*name, value.as_str())));
    stage.ask(Method::GET, "/orders?a=b", &headers).await
}

fn refused(seen: &Seen, what: &str) {
    assert_eq!((seen.status(), seen.code()), (401, "invalid_signature"), "{what}");
    assert_eq!(seen.header("www-authenticate"), "Signature realm=\"portway\"");
    assert!(seen.targets.is_empty() && seen.consumer.is_none(), "{what}");
}

#[tokio::test]
async fn a_signature_of_the_request_is_let_in() {
    let stage = stage(json!({})).await;
    let uri = ("@target-uri", "http://example.com/orders?a=b");
    for lines in [
        REQUEST.to_vec(),
        vec![("@method", "GET"), uri],
        vec![("@method", "GET"), uri, ("x-a", "1, 2"), ("@scheme", "http")],
        vec![("@method", "GET"), ("@authority", "example.com"), ("@request-target", "/orders?a=b")],
    ] {
        let [input, signature] = standard(&lines, &parameters());
        let more = [("x-a", "1".to_owned()), ("x-a", " 2 ".trim().to_owned()), input, signature];
        let seen = ask(&stage, &more).await;
        assert_eq!(seen.status(), 200, "{lines:?} {:?}", seen.result);
        assert_eq!(&*seen.consumer.as_ref().expect("it is known").name, "alice");
        assert_eq!((seen.sent("signature"), seen.sent("signature-input")), ("", ""));
    }
    for parameters in [
        format!(";keyid=\"alice\";alg=\"hmac-sha256\";created={}", now()),
        format!("{};expires={};nonce=\"n\";tag=\"t\"", parameters(), now() + 60),
    ] {
        let seen = ask(&stage, &standard(&REQUEST, &parameters)).await;
        assert_eq!(seen.status(), 200, "{parameters}");
    }
}

#[tokio::test]
async fn the_example_of_the_rfc() {
    // RFC 9421 section B.2.5, with the key of section B.1.5.
    use base64::engine::general_purpose::STANDARD;
    let secret =
        "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
    let base = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\
                \"@authority\": example.com\n\
                \"content-type\": application/json\n\
                \"@signature-params\": (\"date\" \"@authority\" \"content-type\")\
                ;created=1618884473;keyid=\"test-shared-secret\"";
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(secret).unwrap());
    let signature = STANDARD.encode(hmac::sign(&key, base.as_bytes()));
    assert_eq!(signature, "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=");
    // The same request is read into the same text.
    let request = http::Request::builder()
        .uri("/foo?param=Value&Pet=dog")
        .header("host", "example.com")
        .header("date", "Tue, 20 Apr 2021 02:07:55 GMT")
        .header("content-type", "application/json")
        .header(
            "signature-input",
            "sig-b25=(\"date\" \"@authority\" \"content-type\")\
             ;created=1618884473;keyid=\"test-shared-secret\"",
        )
        .header("signature", format!("sig-b25=:{signature}:"))
        .body(portway_plugin::Body::empty())
        .unwrap();
    let known = portway_testkit::plugin::Known::default();
    let exchange = portway_plugin::Exchange::new(&known);
    let signed = super::standard::read(&request, &exchange).expect("it is a signature");
    assert_eq!(signed.base, base);
}

#[tokio::test]
async fn what_is_not_what_was_signed_is_refused() {
    let stage = stage(json!({})).await;
    for at in 0..REQUEST.len() {
        let mut lines = REQUEST.to_vec();
        lines[at].1 = "other";
        refused(&ask(&stage, &standard(&lines, &parameters())).await, lines[at].0);
        let mut fewer = REQUEST.to_vec();
        fewer.remove(at);
        refused(&ask(&stage, &standard(&fewer, &parameters())).await, "it covers less");
    }
    let good = standard(&REQUEST, &parameters());
    // The path that is served is the one that is looked at.
    let mut other = self::stage(json!({})).await;
    other.known.path = "/admin".to_owned();
    refused(&ask(&other, &good).await, "another path");
    let [input, signature] = good;
    let cut = ("signature", format!("{}:", &signature.1[..signature.1.len() - 6]));
    refused(&ask(&stage, &[input.clone(), cut]).await, "half a signature");
    refused(&ask(&stage, std::slice::from_ref(&input)).await, "no signature");
    refused(&ask(&stage, std::slice::from_ref(&signature)).await, "no input");
    refused(&ask(&stage, &[input.clone(), ("signature", "sig1=::".to_owned())]).await, "empty");
    let renamed = ("signature", signature.1.replacen("sig1", "sig2", 1));
    refused(&ask(&stage, &[input, renamed]).await, "another name");
}

#[tokio::test]
async fn parameters_that_will_not_do() {
    let stage = stage(json!({"max_age": "60s", "leeway": "10s"})).await;
    let now = now();
    for (parameters, good) in [
        (format!(";created={now};keyid=\"alice\""), true),
        (format!(";created={};keyid=\"alice\"", now - 65), true),
        (format!(";created={};keyid=\"alice\"", now - 80), false),
        (format!(";created={};keyid=\"alice\"", now + 5), true),
        (format!(";created={};keyid=\"alice\"", now + 30), false),
        (format!(";created={now};keyid=\"alice\";expires={}", now - 5), true),
        (format!(";created={now};keyid=\"alice\";expires={}", now - 20), false),
        (format!(";created=\"{now}\";keyid=\"alice\""), false),
        (format!(";created={now}"), false),
        (";keyid=\"alice\"".to_owned(), false),
        (format!(";created={now};keyid=\"bob\""), false),
        (format!(";created={now};keyid=\"alice\";alg=\"hmac-sha512\""), false),
        (format!(";created={now};keyid=\"alice\";alg=\"none\""), false),
        (format!(";created={now};created={now};keyid=\"alice\""), false),
    ] {
        let seen = ask(&stage, &standard(&REQUEST, &parameters)).await;
        if good {
            assert_eq!(seen.status(), 200, "{parameters}");
        } else {
            refused(&seen, &parameters);
        }
    }
}

#[tokio::test]
async fn forms_that_are_not_understood() {
    let stage = stage(json!({})).await;
    let [_, signature] = standard(&REQUEST, &parameters());
    let created = now();
    for input in [
        String::new(),
        "sig1".to_owned(),
        "sig1=".to_owned(),
        format!("sig1={ALL};created={created};keyid=\"alice\""),
        format!("sig1=({ALL} \"@method\");created={created};keyid=\"alice\""),
        format!("sig1=({ALL} \"@status\");created={created};keyid=\"alice\""),
        format!("sig1=({ALL} \"x-missing\");created={created};keyid=\"alice\""),
        format!("sig1=({ALL} \"X-A\");created={created};keyid=\"alice\""),
        format!("sig1=({ALL} \"@query-param\";name=\"a\");created={created};keyid=\"alice\""),
        format!("sig1=({ALL});created={created};keyid=\"alice\" x"),
    ] {
        refused(
            &ask(&stage, &[("signature-input", input.clone()), signature.clone()]).await,
            &input,
        );
    }
    let [input, signature] = standard(&REQUEST, &parameters());
    let two = ("signature-input", format!("{}, {}", input.1, input.1.replace("sig1", "sig2")));
    let seen = ask(&stage, &[two, signature.clone()]).await;
    assert_eq!((seen.status(), seen.code()), (401, "ambiguous_credentials"));
    let seen = ask(&stage, &[input.clone(), input, signature]).await;
    assert_eq!((seen.status(), seen.code()), (401, "ambiguous_credentials"));
}

/// `POST /orders` with a body, signed with its digest or without.
async fn post(stage: &Stage, body: &str, digest_of: Option<&str>) -> Seen {
    let digest = digest_of.map(|of| STANDARD.encode(digest(&SHA256, of.as_bytes())));
    let digest = digest.map(|digest| format!("sha-256=:{digest}:"));
    let mut lines = REQUEST.to_vec();
    lines[0].1 = "POST";
    lines.extend(digest.as_deref().map(|digest| ("content-digest", digest)));
    let [input, signature] = standard(&lines, &parameters());
    let mut headers =
        vec![("host", "example.com"), (input.0, &*input.1), (signature.0, &*signature.1)];
    headers.extend(digest.as_deref().map(|digest| ("content-digest", digest)));
    stage.send(Method::POST, "/orders?a=b", &headers, body.to_owned()).await
}

#[tokio::test]
async fn bodies_are_what_was_signed() {
    let strict = stage(json!({"max_body": "8B"})).await;
    let seen = post(&strict, "12345678", Some("12345678")).await;
    assert_eq!(seen.status(), 200, "{:?}", seen.result);
    assert_eq!(seen.target().unwrap().body(), "12345678");
    refused(&post(&strict, "1234567x", Some("12345678")).await, "another body");
    refused(&post(&strict, "", Some("12345678")).await, "no body");
    refused(&post(&strict, "12345678", None).await, "no digest");
    assert_eq!(post(&strict, "", None).await.status(), 200);
    assert_eq!(post(&strict, "123456789", Some("123456789")).await.status(), 413);
    let lax = stage(json!({"require_digest": false, "max_body": "8B"})).await;
    assert_eq!(post(&lax, "123456789", None).await.status(), 200);
    refused(&post(&lax, "1234567x", Some("12345678")).await, "a digest that is signed counts");
}

#[tokio::test]
async fn what_must_be_covered_is_the_specs_to_say() {
    let stage = stage(json!({"required": ["@method", "x-tenant"]})).await;
    for (lines, good) in [
        (vec![("@method", "GET"), ("x-tenant", "t")], true),
        (vec![("@method", "GET")], false),
        (vec![("x-tenant", "t")], false),
    ] {
        let [input, signature] = standard(&lines, &parameters());
        let seen = ask(&stage, &[("x-tenant", "t".to_owned()), input, signature]).await;
        assert_eq!(seen.status() == 200, good, "{lines:?}");
    }
}

fn draft(headers: &str, base: &str, more: &str) -> String {
    let signature = sign("shared", base);
    format!("keyId=\"alice\",headers=\"{headers}\",signature=\"{signature}\"{more}")
}

#[tokio::test]
async fn the_older_form() {
    let stage = stage(json!({"mode": "draft"})).await;
    let date = httpdate::fmt_http_date(SystemTime::now());
    let old = httpdate::fmt_http_date(SystemTime::now() - Duration::from_secs(3600));
    let created = now();
    let line = "(request-target): get /orders?a=b\nhost: Example.com:80";
    let dated = format!("{line}\ndate: {date}");
    let aged = format!("{line}\ndate: {old}");
    let made = format!("(created): {created}\n{line}");
    let ends = format!("{made}\n(expires): {}", created - 60);
    let with_date = "(request-target) host date";
    let with_created = "(created) (request-target) host";
    for (date, value, good) in [
        (&date, draft(with_date, &dated, ""), true),
        (&date, draft("(Request-Target) Host Date", &dated, ",algorithm=\"hmac-sha256\""), true),
        (&date, draft(with_date, &dated, ",algorithm=\"hs2019\",opaque=\"x\""), true),
        (&date, draft(with_date, &dated, ",algorithm=\"rsa-sha256\""), false),
        (&date, draft(with_date, &dated, ",keyId=\"alice\""), false),
        (&old, draft(with_date, &aged, ""), false),
        (&old, draft(with_date, &dated, ""), false),
        (&date, draft("(request-target) host", line, ""), false),
        (&date, draft("date", &format!("date: {date}"), ""), false),
        (&date, draft(with_created, &made, &format!(",created={created}")), true),
        (&date, draft(with_created, &made, &format!(",created={}", created - 1)), false),
        (&date, draft(with_created, &made, ""), false),
        (
            &date,
            draft(
                "(created) (request-target) host (expires)",
                &ends,
                &format!(",created={created},expires={}", created - 60),
            ),
            false,
        ),
        (&date, "keyId=\"alice\"".to_owned(), false),
        (&date, String::new(), false),
    ] {
        for (name, value) in
            [("authorization", format!("Signature {value}")), ("signature", value.clone())]
        {
            let seen = ask(&stage, &[("date", date.clone()), (name, value.clone())]).await;
            if good {
                assert_eq!(seen.status(), 200, "{name}: {value} {:?}", seen.result);
                assert_eq!(seen.sent(name), "");
            } else {
                refused(&seen, &value);
            }
        }
    }
    let good = draft(with_date, &dated, "");
    let both = [
        ("date", date.clone()),
        ("authorization", format!("Signature {good}")),
        ("signature", good.clone()),
    ];
    assert_eq!(ask(&stage, &both).await.code(), "ambiguous_credentials");
    // The two forms are not mixed.
    let standard_only = self::stage(json!({})).await;
    let seen = ask(&standard_only, &[("date", date), ("signature", good)]).await;
    refused(&seen, "the older form");
}

#[tokio::test]
async fn the_options_of_all_such_plugins() {
    let lines = [("@method", "GET"), ("@path", "/")];
    let [input, signature] = standard(&lines, &parameters());
    let good = [(input.0, &*input.1), (signature.0, &*signature.1)];
    let spec = json!({"required": ["@method", "@path"]});
    identity_table::<HmacAuth>(spec, &good, "signature").await;
    let open = stage(json!({"hide_credentials": false})).await;
    let seen = ask(&open, &standard(&REQUEST, &parameters())).await;
    assert!(seen.sent("signature-input").starts_with("sig1=("));
}

#[tokio::test]
async fn specs_that_make_no_sense() {
    for (spec, path) in [
        (json!({"required": ["@method", "@status"]}), "required[1]"),
        (json!({"required": ["X-Tenant"]}), "required[0]"),
        (json!({"required": ["(request-target)"]}), "required[0]"),
        (json!({"mode": "draft", "required": ["@method"]}), "required[0]"),
        (json!({"max_age": "0"}), "max_age"),
        (json!({"mode": "rsa"}), ""),
    ] {
        let problem = Stage::of::<HmacAuth>(spec.clone()).await.err();
        let problem = problem.unwrap_or_else(|| panic!("{spec} is taken"));
        assert_eq!(problem.path, path, "{spec}");
    }
}

#[tokio::test]
async fn a_secret_is_shown_nowhere() {
    let stage = stage(json!({})).await;
    let seen = ask(&stage, &standard(&REQUEST, ";keyid=\"alice\"")).await;
    assert!(!format!("{seen:?} {stage:?} {:?}", stage.log()).contains("shared"));
}
