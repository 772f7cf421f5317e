//! What plugins and consumers keep to themselves is in nothing that the gateway says: neither in
//! what its commands print, nor in its log, its records, its metrics or its answers.

use std::{fs, io, path::Path, process::Command};

use http::Request;
use portway_testkit::{Client, free_addr};

use crate::fixture::{Gateway, PORTWAY, directory};

/// Stands in every secret of the table. Long enough to be one, and valid wherever it is put.
const MARK: &str = "S3CRET-of-the-table-0123456789-abcdef";
/// The same as a hash of bcrypt, of no password anybody knows.
const HASH: &str = "$2b$04$S3CRETS3CRETS3CRETS3CRETS3CRETS3CRETS3CRETS3CRETS3CRETS3C";

/// The example of a plugin, with our secrets in the place of its own and nobody to ask. `written`
/// says whether they stand in the file or in the environment.
fn example(name: &str, written: bool) -> io::Result<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../portway-plugins/src");
    let text = fs::read_to_string(folder.join(name.replace('-', "_")).join("example.yaml"))?;
    // No two consumers have one key.
    let mut number = 0;
    let mut mark = || {
        number += 1;
        if written { format!("{MARK}-{number}") } else { format!("${{MARK_{number}}}") }
    };
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        let (_, after) = after.split_once('}').expect("a reference ends");
        out += before;
        out += &mark();
        rest = after;
    }
    out += rest;
    let nobody = free_addr()?;
    let lines = out.lines().map(|line| {
        let (key, value) = line.split_once(": ").unwrap_or((line, ""));
        let indent = &key[..key.len() - key.trim_start().len()];
        // Whom a plugin asks: nobody is there, and the key is in the query.
        let asked = key.trim() == "url" && indent.len() > 10;
        if asked {
            return format!("{key}: \"http://{nobody}/asked?key={}\"\n", mark());
        }
        if key.trim() == "hash" {
            let hash = if written { HASH } else { "${HASH}" };
            return format!("{key}: \"{hash}\"\n");
        }
        if key.trim() == "keys" && value.contains("sha256:") {
            return format!("{key}: [\"{}\"]\n", mark());
        }
        line.replace("127.0.0.1:8080", "127.0.0.1:0") + "\n"
    });
    let mut text: String = lines.collect();
    text.push_str("log: {level: debug}\n");
    Ok(text)
}

/// What a command prints, on both channels.
fn prints(arguments: &[&str], file: &Path) -> io::Result<(bool, String)> {
    let output = Command::new(PORTWAY)
        .args(arguments)
        .arg(file)
        .envs((1..9).map(|number| (format!("MARK_{number}"), format!("{MARK}-{number}"))))
        .env("HASH", HASH)
        .output()?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

fn assert_hidden(text: &str, what: &str) {
    assert!(!text.contains("S3CRET"), "{what} shows a secret:\n{text}");
}

const NAMES: [&str; 23] = [
    "key-auth",
    "basic-auth",
    "jwt",
    "hmac-auth",
    "forward-auth",
    "acl",
    "rate-limit",
    "concurrency-limit",
    "request-size-limit",
    "ip-restriction",
    "request-headers",
    "response-headers",
    "rewrite",
    "redirect",
    "cors",
    "compression",
    "body-transform",
    "set-scheme",
    "set-version",
    "static-response",
    "maintenance",
    "fault-injection",
    "inject",
];

/// Those whose examples have secrets; in the others there is nothing to be seen.
const WITH_SECRETS: [&str; 7] =
    ["key-auth", "basic-auth", "jwt", "hmac-auth", "forward-auth", "acl", "inject"];

#[test]
fn the_table_has_every_plugin() -> io::Result<()> {
    let listed = Command::new(PORTWAY).arg("plugins").output()?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    for name in NAMES {
        assert!(listed.contains(name), "{listed}");
        let marked = example(name, true)?.contains("S3CRET");
        assert_eq!(marked, WITH_SECRETS.contains(&name), "{name}");
    }
    let all = portway::plugins::registry();
    assert_eq!(all.iter().map(portway::plugin::Entry::name).collect::<Vec<_>>(), NAMES);
    Ok(())
}

#[test]
fn no_command_prints_a_secret() -> io::Result<()> {
    let folder = directory()?;
    for name in NAMES {
        for written in [true, false] {
            let file = folder.path().join(format!("{name}-{written}.yaml"));
            fs::write(&file, example(name, written)?)?;
            for arguments in [
                &["check"][..],
                &["check", "--output", "json"],
                &["routes"],
                &["routes", "--plugins"],
                &["routes", "--plugins", "--output", "json"],
                &["routes", "--output", "json"],
            ] {
                let what = format!("portway {arguments:?} of {name}, written: {written}");
                let (good, text) = prints(arguments, &file)?;
                assert!(good, "{what}: {text}");
                assert_hidden(&text, &what);
            }
        }
    }
    Ok(())
}

/// What is wrong with a secret, or beside it, is told without it.
#[test]
fn no_problem_shows_a_secret() -> io::Result<()> {
    let folder = directory()?;
    let file = folder.path().join("wrong.yaml");
    for name in WITH_SECRETS {
        for written in [true, false] {
            let good = example(name, written)?;
            let (mark, hash) = match written {
                true => (format!("{MARK}-1"), HASH),
                false => ("${MARK_1}".to_owned(), "${HASH}"),
            };
            for (wrong, what) in [
                (good.replace(&format!("\"{mark}\""), &format!("[\"{mark}\"]")), "a list"),
                (good.replace(&format!("\"{mark}\""), &format!("{{a: \"{mark}\"}}")), "a map"),
                (good.replace(&format!("[\"{mark}\"]"), &format!("\"{mark}\"")), "no list"),
                (good.replace(hash, &format!("S3CRET {hash}")), "no hash"),
                (good.replace(&format!("key={mark}"), &format!("key={mark} #")), "no URL"),
                (good.replace("secret:", "secrets: 5, secret:"), "an unknown key beside it"),
                (good.replace("algorithm: HS256", "algorithm: HS257"), "no algorithm beside it"),
                (good.replace("id: ", "id: 5, idd: "), "a key that is missing beside it"),
                (good.replace(&mark, "S3CRET"), "too short"),
            ] {
                // A URL is no secret, but what a reference brings into it may be one.
                if wrong == good || (written && what == "no URL") {
                    continue;
                }
                fs::write(&file, &wrong)?;
                let (good, text) = prints(&["check"], &file)?;
                let what = format!("{name}, {what}, written: {written}");
                assert_hidden(&text, &what);
                // Not every secret has a length it must have.
                assert!(!good || what.contains("too short"), "{what}: {text}\n{wrong}");
                if good {
                    continue;
                }
                for arguments in [&["check", "--output", "json"][..], &["run"]] {
                    assert_hidden(&prints(arguments, &file)?.1, &what);
                }
            }
        }
    }
    Ok(())
}

/// Also at work: with credentials that are wrong, and with nobody there to be asked.
#[tokio::test]
async fn no_log_record_metric_or_answer_shows_a_secret() -> io::Result<()> {
    for name in NAMES {
        let config = example(name, true)?.replace("http://127.0.0.1:9000", "http://127.0.0.1:1");
        let gateway = Gateway::start(&config).await?;
        let client = gateway.client();
        let paths = ["/", "/orders/1", "/payments", "/account", "/reports", "/office", "/events"];
        let credentials = ["", "Basic YWxpY2U6d3Jvbmc=", "Bearer e30.e30.e30", "Bearer no"];
        let mut asked = 0;
        for path in paths {
            for credentials in credentials {
                let request = Request::get(path).header("authorization", credentials);
                let request = request.header("accept", "application/json").body(String::new());
                let answer = Box::pin(client.request(request.map_err(io::Error::other)?)).await;
                // One that is aborted has no answer, and shows nothing.
                let Ok(answer) = answer else { continue };
                asked += 1;
                assert_hidden(&format!("{:?} {}", answer.headers, answer.text()), name);
            }
        }
        assert!(asked > 0, "{name}");
        assert_hidden(&gateway.metrics().await?, name);
        let probes = Client::h1(gateway.probes());
        assert_hidden(&probes.get("/readyz").await?.text(), name);
        // A change that is refused is told in the log and by the probe.
        let wrong = config.replace("listeners:", "listeners: 5\nlistenerz:");
        assert!(gateway.reload(&wrong).await.is_err(), "{name}");
        assert_hidden(&probes.get("/readyz").await?.text(), name);
        for record in gateway.records(1).await? {
            assert_hidden(&record.to_string(), name);
        }
        assert_hidden(&gateway.process.stderr().join("\n"), name);
    }
    Ok(())
}
