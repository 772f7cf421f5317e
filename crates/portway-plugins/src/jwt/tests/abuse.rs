//! What has been tried on those who verify tokens.

use aws_lc_rs::signature::KeyPair;
use http::Method;
use serde_json::json;

use super::{
    assert_invalid, bear, claims,
    signing::{RSA, base64, hmac, jwk, key, pem, public, sign, signed, token},
    stage,
};
use crate::fixtures::credential;

#[tokio::test]
async fn tokens_that_nobody_signed() {
    let keys = json!({"keys": [key("RS256"), key("HS256")], "consumers": true});
    let stage = stage(keys).await;
    let claims = base64(claims().to_string());
    for algorithm in ["none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "HS1", "RS1", "ES256K"]
    {
        let head = base64(json!({"alg": algorithm}).to_string());
        for signature in ["", "AA", &base64(sign("HS256", format!("{head}.{claims}").as_bytes()))] {
            let token = format!("{head}.{claims}.{signature}");
            assert_invalid(&bear(&stage, &token).await, &format!("alg {algorithm:?}"));
        }
    }
    for head in [json!({}), json!({"alg": null}), json!({"alg": ["HS256"]}), json!({"alg": 1})] {
        let token = signed("HS256", &head.to_string(), &super::claims().to_string());
        assert_invalid(&bear(&stage, &token).await, &head.to_string());
    }
    let empty = format!("{}.{claims}.", base64(r#"{"alg":"RS256"}"#));
    assert_invalid(&bear(&stage, &empty).await, "an empty signature");
}

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let stage = stage(json!({"keys": [key("RS256")]})).await;
    let pkcs1 = pem("RSA PUBLIC KEY", pkcs1());
    let head = base64(r#"{"alg":"HS256"}"#);
    let message = format!("{head}.{}", base64(claims().to_string()));
    for secret in [public("RS256"), public("RS256").trim().to_owned(), pkcs1] {
        let signature = hmac(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes(), message.as_bytes());
        let token = format!("{message}.{}", base64(signature));
        assert_invalid(&bear(&stage, &token).await, "a public key as a secret");
    }
    // Nor where a consumer has it by mistake.
    let mut stage = super::stage(json!({})).await;
    let mistaken =
        credential(portway_plugin::CredentialKind::Jwt, "alice", &public("RS256"), Some("HS256"));
    stage.known.consumers = [mistaken].into_iter().collect();
    let head = base64(r#"{"alg":"HS256","kid":"alice"}"#);
    let message = format!("{head}.{}", base64(claims().to_string()));
    let secret = public("RS256");
    let signature = hmac(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes(), message.as_bytes());
    assert_invalid(&bear(&stage, &format!("{message}.{}", base64(signature))).await, "a mistake");
}

/// The public key in the form of PKCS #1.
fn pkcs1() -> &'static [u8] {
    RSA.public_key().as_ref()
}

#[tokio::test]
async fn keys_and_their_places_are_not_taken_from_tokens() {
    let stage = stage(json!({"keys": [key("ES256")]})).await.fetched(|request| {
        panic!("{} was asked", request.uri());
    });
    let url = "https://evil.example.com/keys.json";
    for extra in [
        json!({"jwk": jwk("RS256", "a")}),
        json!({"jku": url, "kid": "a"}),
        json!({"x5u": url}),
        json!({"x5c": ["AAAA"]}),
        json!({"kid": "../../../../dev/null"}),
        json!({"kid": "' OR 1=1 --"}),
    ] {
        let head = super::with(json!({"alg": "RS256"}), extra.clone());
        let token = signed("RS256", &head.to_string(), &claims().to_string());
        assert_invalid(&bear(&stage, &token).await, &extra.to_string());
        // What is not believed need not be refused, where the key is known.
        let head = super::with(json!({"alg": "ES256"}), extra);
        let token = signed("ES256", &head.to_string(), &claims().to_string());
        assert_eq!(bear(&stage, &token).await.status(), 200);
    }
}

#[tokio::test]
async fn what_is_not_understood_is_refused() {
    let stage = stage(json!({"keys": [key("HS256")]})).await;
    let good = claims().to_string();
    for head in [
        r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","crit":null}"#,
        r#"{"alg":"HS256","kid":1}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"HS256"} "#.trim_end_matches(' '),
        r#"["HS256"]"#,
        "",
        "null",
        "{\"alg\":\"HS256\"",
    ] {
        let seen = bear(&stage, &signed("HS256", head, &good)).await;
        if head == r#"{"alg":"HS256"}"# {
            assert_eq!(seen.status(), 200);
        } else {
            assert_invalid(&seen, head);
        }
    }
    let exp = super::signing::now() + 60;
    for claims in [
        format!(r#"{{"sub":"bob","exp":{exp},"exp":{exp}}}"#),
        format!(r#"{{"sub":"bob","sub":"root","exp":{exp}}}"#),
        format!(r#"{{"sub":"bob","exp":{exp},"a":{{"b":1,"b":2}}}}"#),
        format!(r#"{{"sub":"bob","exp":{exp}}}{{}}"#),
        "\"bob\"".to_owned(),
        "[]".to_owned(),
        String::new(),
        "[".repeat(4000),
    ] {
        let token = signed("HS256", r#"{"alg":"HS256"}"#, &claims);
        assert_invalid(&bear(&stage, &token).await, &claims);
    }
}

#[tokio::test]
async fn a_token_has_one_form() {
    let stage = stage(json!({"keys": [key("HS256")]})).await;
    let token = token("HS256", &claims());
    assert_eq!(bear(&stage, &token).await.status(), 200);
    let parts: Vec<&str> = token.split('.').collect();
    let [head, body, signature] = parts[..] else { panic!("three parts") };
    // 32 bytes leave two bits of the last digit unused.
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = digits.find(&signature[42..]).expect("a digit");
    let stray = format!("{head}.{body}.{}{}", &signature[..42], &digits[last + 1..last + 2]);
    for bad in [
        format!("{token}="),
        format!("{head}=.{body}.{signature}"),
        format!("{head}.{body}=.{signature}"),
        format!("{head}.{body}. {signature}"),
        format!("{head} .{body}.{signature}"),
        format!("{token}."),
        format!(".{token}"),
        format!("{head}.{body}"),
        format!("{head}.{body}.{signature}.{signature}.{signature}"),
        head.to_owned(),
        String::new(),
        "..".to_owned(),
        stray,
        token.replace('-', "+").replace('_', "/") + "+/",
        format!("{head}.{body}.{}", &signature[..20]),
        format!("{body}.{head}.{signature}"),
        format!("{token} {token}"),
        format!("{token},{token}"),
    ] {
        assert_invalid(&bear(&stage, &bad).await, &bad);
    }
    let filler = "x".repeat(9000);
    let large = super::with(claims(), json!({"filler": filler}));
    let seen = bear(&stage, &super::signing::token("HS256", &large)).await;
    assert_invalid(&seen, "more than 8 KiB");
    assert_invalid(&bear(&stage, &"A".repeat(1024 * 1024)).await, "1 MiB");
}

#[tokio::test]
async fn of_two_tokens_none_is_taken() {
    let stage = stage(json!({"keys": [key("HS256")], "query_names": ["t"]})).await;
    let good = format!("Bearer {}", token("HS256", &claims()));
    for other in [&*good, "Bearer x", "Basic YTpi", ""] {
        for two in [
            [("authorization", &*good), ("authorization", other)],
            [("authorization", other), ("authorization", &*good)],
        ] {
            assert_invalid(&stage.ask(Method::GET, "/", &two).await, other);
        }
    }
    let path = format!("/?t={}", &good[7..]);
    let both = stage.ask(Method::GET, &path, &[("authorization", &good)]).await;
    assert_invalid(&both, "one here, one there");
}

#[tokio::test]
async fn an_anonymous_consumer_is_no_way_out_for_a_bad_token() {
    let stage = stage(json!({"keys": [key("HS256")], "anonymous": "guest"})).await;
    assert_invalid(&bear(&stage, "x.y.z").await, "a bad token");
}
