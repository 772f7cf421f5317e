//! What `jwt` costs for one request: with a token it remembers, and with one it has to verify.
//!
//! `cargo bench -p portway-plugins --bench jwt`. Every figure is the median of rounds that take
//! turns, less the same request through no plugin at all.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    hmac,
    rand::SystemRandom,
    rsa::{self, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::Method;
use portway_plugin::{Next, Plugin, Problem, Request, Response, Result};
use portway_plugins::Jwt;
use portway_testkit::plugin::Stage;
use serde_json::{Value, json};

const ROUNDS: usize = 15;
const CALLS: u32 = 1000;
const SECRET: &str = "a secret of more than 32 bytes for HS256";

/// A plugin that does nothing: what the stage itself costs.
struct Nothing;

impl Plugin for Nothing {
    const NAME: &'static str = "nothing";
    type Spec = serde_json::Map<String, Value>;

    fn create(_: Self::Spec) -> Result<Self, Problem> {
        Ok(Self)
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        next.run(request).await
    }
}

/// An algorithm, the key of a spec, and a token signed with it.
fn signed() -> [(&'static str, Value, String); 3] {
    let random = SystemRandom::new();
    let rsa = rsa::KeyPair::generate(KeySize::Rsa2048).expect("a key");
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    let by_rsa = |message: &[u8]| {
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).expect("a signature");
        signature
    };
    let by_ec = |message: &[u8]| ec.sign(&random, message).expect("a signature").as_ref().to_vec();
    let by_secret = |message: &[u8]| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), message).as_ref().to_vec()
    };
    [
        ("HS256", json!({"secret": SECRET}), token("HS256", by_secret)),
        ("ES256", json!({"public_key": pem(ec.public_key())}), token("ES256", by_ec)),
        ("RS256", json!({"public_key": pem(rsa.public_key())}), token("RS256", by_rsa)),
    ]
}

fn token(algorithm: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let coded = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    // Good until 2100, with what providers usually say.
    let claims = json!({
        "iss": "https://id.example.com/", "sub": "7f0d4a52-3c1e-4b55-9d0e-2f8a4b6c1d3e",
        "aud": "shop", "iat": 1_767_225_600, "exp": 4_102_444_800_u64, "scope": "orders:read email",
    });
    let message = format!("{}.{}", coded(json!({"alg": algorithm, "typ": "JWT"})), coded(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("Bearer {message}.{signature}")
}

fn pem(key: &impl AsDer<PublicKeyX509Der<'static>>) -> String {
    let der = key.as_der().expect("it can be written");
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&*der))
}

/// What one of many calls takes, in nanoseconds.
async fn round(stage: &Stage, authorization: &str) -> f64 {
    let begin = Instant::now();
    for _ in 0..CALLS {
        let seen = stage.ask(Method::GET, "/", &[("authorization", authorization)]).await;
        assert_eq!(black_box(seen).status(), 200);
    }
    let took: Duration = begin.elapsed() / CALLS;
    took.as_secs_f64() * 1e9
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

async fn measure() {
    let nothing = Stage::of::<Nothing>(json!({})).await.expect("it has no spec");
    println!("| algorithm | remembered (µs) | verified (µs) | times |\n|---|--:|--:|--:|");
    for (algorithm, mut key, token) in signed() {
        key["algorithm"] = json!(algorithm);
        let stage = async |cache: u32| {
            let spec = json!({"keys": [key], "audiences": ["shop"], "cache": cache});
            Stage::of::<Jwt>(spec).await.expect("the spec is good")
        };
        let (remembers, verifies) = (stage(1024).await, stage(0).await);
        let [mut base, mut known, mut new] = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            base.push(round(&nothing, &token).await);
            known.push(round(&remembers, &token).await);
            new.push(round(&verifies, &token).await);
        }
        let base = median(base);
        let [known, new] = [known, new].map(|samples| (median(samples) - base) / 1000.0);
        println!("| {algorithm} | {known:.2} | {new:.1} | {:.0} |", new / known);
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(measure());
}
