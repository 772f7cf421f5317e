//! Records as they come out.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    net::{IpAddr, Ipv4Addr},
    sync::atomic::Ordering::Relaxed,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use super::*;

fn record() -> Record<'static> {
    Record {
        time: UNIX_EPOCH + Duration::from_millis(1_795_234_772_123),
        method: "GET",
        scheme: "http",
        host: b"shop.example",
        path: b"/account/17",
        protocol: "HTTP/1.1",
        status: 200,
        bytes_in: 0,
        bytes_out: 1024,
        duration: Duration::from_nanos(1_234_999),
        upstream_duration: Some(Duration::from_micros(987_006)),
        endpoint: Some("10.0.0.7:8001"),
        tries: 1,
        route: Some("get-account"),
        service: Some("accounts"),
        listener: Some("web"),
        client: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 255))),
        tls: None,
        consumer: None,
        user_agent: Some(b"curl/8.5 (x86_64)"),
        request_id: Some(b"01JD2K"),
        error: None,
        cause: None,
        notes: &[],
    }
}

fn formatted(record: &Record<'_>, format: LogFormat) -> String {
    let mut out = Vec::new();
    Style::new(format).push(record, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_record_in_json() {
    let expected = "{\"time\":\"2026-11-21T04:19:32.123Z\",\"method\":\"GET\",\"scheme\":\"http\",\
                    \"host\":\"shop.example\",\"path\":\"/account/17\",\"protocol\":\"HTTP/1.1\",\
                    \"status\":200,\"bytes_in\":0,\"bytes_out\":1024,\"duration_ms\":1.234,\
                    \"upstream_duration_ms\":987.006,\"endpoint\":\"10.0.0.7:8001\",\"tries\":1,\
                    \"route\":\"get-account\",\"service\":\"accounts\",\"listener\":\"web\",\
                    \"client\":\"192.0.2.255\",\"user_agent\":\"curl/8.5 (x86_64)\",\
                    \"request_id\":\"01JD2K\"}\n";
    assert_eq!(formatted(&record(), LogFormat::Json), expected);
}

#[test]
fn a_record_in_text() {
    let expected = "time=2026-11-21T04:19:32.123Z method=GET scheme=http host=shop.example \
                    path=/account/17 protocol=HTTP/1.1 status=200 bytes_in=0 bytes_out=1024 \
                    duration_ms=1.234 upstream_duration_ms=987.006 endpoint=10.0.0.7:8001 tries=1 \
                    route=get-account service=accounts listener=web client=192.0.2.255 \
                    user_agent=\"curl/8.5 (x86_64)\" request_id=01JD2K\n";
    assert_eq!(formatted(&record(), LogFormat::Text), expected);
}

#[test]
fn a_connection_has_a_record_in_both_forms() {
    let record = StreamRecord {
        time: record().time,
        protocol: "tls",
        sni: Some("db.example"),
        bytes_in: 517,
        bytes_out: 0,
        duration: Duration::from_millis(1500),
        endpoint: Some("10.0.0.7:5432"),
        tries: 2,
        route: Some("db"),
        service: Some("postgres"),
        listener: Some("sql"),
        client: record().client,
        error: Some("no_endpoint"),
        cause: Some("connect to 10.0.0.7:5432: refused"),
    };
    let line = |record: &StreamRecord<'_>, format| {
        let mut out = Vec::new();
        Style::new(format).push_stream(record, &mut out);
        String::from_utf8(out).unwrap()
    };
    let expected = "{\"time\":\"2026-11-21T04:19:32.123Z\",\"protocol\":\"tls\",\
                    \"sni\":\"db.example\",\"bytes_in\":517,\"bytes_out\":0,\
                    \"duration_ms\":1500.000,\"endpoint\":\"10.0.0.7:5432\",\"tries\":2,\
                    \"route\":\"db\",\"service\":\"postgres\",\"listener\":\"sql\",\
                    \"client\":\"192.0.2.255\",\"error\":\"no_endpoint\",\
                    \"cause\":\"connect to 10.0.0.7:5432: refused\"}\n";
    assert_eq!(line(&record, LogFormat::Json), expected);
    let expected = "time=2026-11-21T04:19:32.123Z protocol=tls sni=db.example bytes_in=517 \
                    bytes_out=0 duration_ms=1500.000 endpoint=10.0.0.7:5432 tries=2 route=db \
                    service=postgres listener=sql client=192.0.2.255 error=no_endpoint \
                    cause=\"connect to 10.0.0.7:5432: refused\"\n";
    assert_eq!(line(&record, LogFormat::Text), expected);
    let bare = StreamRecord {
        sni: None,
        endpoint: None,
        route: None,
        service: None,
        listener: None,
        client: None,
        error: None,
        cause: None,
        ..record
    };
    assert_eq!(
        line(&bare, LogFormat::Text),
        "time=2026-11-21T04:19:32.123Z protocol=tls bytes_in=517 bytes_out=0 \
         duration_ms=1500.000 tries=2\n"
    );
    serde_json::from_str::<Value>(&line(&bare, LogFormat::Json)).unwrap();
}

#[test]
fn what_is_not_known_is_left_out() {
    let bare = Record {
        upstream_duration: None,
        endpoint: None,
        tries: 0,
        route: None,
        service: None,
        listener: None,
        client: None,
        user_agent: None,
        request_id: None,
        error: Some("no_route"),
        cause: Some("nothing matches"),
        ..record()
    };
    let json: Value = serde_json::from_str(&formatted(&bare, LogFormat::Json)).unwrap();
    let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "time",
        "method",
        "scheme",
        "host",
        "path",
        "protocol",
        "status",
        "bytes_in",
        "bytes_out",
        "duration_ms",
        "tries",
        "error",
        "cause",
    ];
    let mut keys = keys;
    keys.sort_unstable();
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert!(
        formatted(&bare, LogFormat::Text)
            .ends_with(" tries=0 error=no_route cause=\"nothing matches\"\n")
    );
}

#[test]
fn addresses_are_written_as_their_family_writes_them() {
    for (client, text) in [
        ("0.10.200.9", "0.10.200.9"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
    ] {
        let record = Record { client: Some(client.parse().unwrap()), ..record() };
        let json: Value = serde_json::from_str(&formatted(&record, LogFormat::Json)).unwrap();
        assert_eq!(json["client"], text);
    }
}

#[test]
fn a_query_and_a_password_never_get_in() {
    let record = Record { path: b"/a?token=s3cret", host: b"user:s3cret@shop.example", ..record() };
    for format in [LogFormat::Json, LogFormat::Text] {
        let line = formatted(&record, format);
        assert!(!line.contains("s3cret"), "{line}");
        assert!(line.contains("/a") && line.contains("shop.example"), "{line}");
    }
}

/// The keys of the fields that hold text, and a record in which each of them is this text.
fn all_texts(text: &[u8]) -> (Vec<&'static str>, Record<'_>) {
    // Fields that are text already cannot hold what is not.
    let utf8 = std::str::from_utf8(text).ok();
    let mut keys = vec!["host", "path", "user_agent", "request_id"];
    let bytes = Record {
        host: text,
        path: text,
        user_agent: Some(text),
        request_id: Some(text),
        ..record()
    };
    let Some(utf8) = utf8 else { return (keys, bytes) };
    keys.extend([
        "method", "scheme", "protocol", "endpoint", "route", "service", "listener", "error",
        "cause",
    ]);
    let record = Record {
        method: utf8,
        scheme: utf8,
        protocol: utf8,
        endpoint: Some(utf8),
        route: Some(utf8),
        service: Some(utf8),
        listener: Some(utf8),
        error: Some(utf8),
        cause: Some(utf8),
        ..bytes
    };
    (keys, record)
}

/// What a record says about a text field, given what was put in.
fn said(key: &str, text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text).into_owned();
    match key {
        "path" => text.split('?').next().unwrap().to_owned(),
        "host" => text.rsplit('@').next().unwrap().to_owned(),
        _ => text,
    }
}

/// Reads a line of logfmt: quoted values are JSON strings.
fn parse_logfmt(line: &str) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    let mut rest = line.strip_suffix('\n').unwrap();
    while !rest.is_empty() {
        let (key, value) = rest.split_once('=').unwrap();
        let (value, after) = if value.starts_with('"') {
            let mut values = serde_json::Deserializer::from_str(value).into_iter::<String>();
            let text = values.next().unwrap().unwrap();
            (text, &value[values.byte_offset()..])
        } else {
            let end = value.find(' ').unwrap_or(value.len());
            (value[..end].to_owned(), &value[end..])
        };
        assert!(pairs.insert(key.to_owned(), value).is_none(), "{key} stands twice: {line}");
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    pairs
}

#[test]
fn whatever_a_text_holds_a_record_is_one_line_that_parses() {
    let mut texts: Vec<Vec<u8>> =
        (0..=255).flat_map(|byte| [vec![byte], vec![b'a', byte, b'b'], vec![byte; 9]]).collect();
    // The same as characters, so that also the fields that are text hold them, and some more.
    texts.extend(('\0'..='\u{ff}').map(|character| format!("a{character}b").into_bytes()));
    for text in ["", "a=b", "\u{2028}\u{202e}", "\u{1f600}", "}\n{\"forged\":1", "x\" status=200"] {
        texts.push(text.as_bytes().to_vec());
    }
    for text in &texts {
        let (keys, record) = all_texts(text);
        let line = formatted(&record, LogFormat::Json);
        let inside = line.strip_suffix('\n').unwrap();
        assert!(!inside.contains(|c: char| c.is_control() || c == '\u{2028}'), "{line:?}");
        let json: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        let logfmt = formatted(&record, LogFormat::Text);
        let inside = logfmt.strip_suffix('\n').unwrap();
        assert!(!inside.contains(|c: char| c.is_control() || c == '\u{2028}'), "{logfmt:?}");
        let pairs = parse_logfmt(&logfmt);
        for key in keys {
            assert_eq!(json[key], said(key, text), "{key}: {line:?}");
            assert_eq!(pairs[key], said(key, text), "{key}: {logfmt:?}");
        }
        assert_eq!((&json["status"], &*pairs["status"]), (&json!(200), "200"));
        assert!(!pairs.contains_key("forged"));
    }
}

#[test]
fn a_text_without_end_is_cut_between_characters() {
    for width in ["a", "\u{e4}", "\u{20ac}", "\u{1f600}"] {
        for shift in 0..4 {
            let text = "x".repeat(shift) + &width.repeat(10_000);
            let record =
                Record { path: text.as_bytes(), user_agent: Some(text.as_bytes()), ..record() };
            let line = formatted(&record, LogFormat::Json);
            assert!(!line.contains('\u{fffd}'), "{width} {shift}");
            let json: Value = serde_json::from_str(&line).unwrap();
            for (key, longest) in [("path", 8192), ("user_agent", 1024)] {
                let said = json[key].as_str().unwrap();
                let kept = said.strip_suffix('\u{2026}').unwrap();
                assert!(text.starts_with(kept) && kept.len() > longest - 4, "{}", kept.len());
                assert!(kept.len() <= longest);
            }
        }
    }
}

fn log_to_pipe() -> (BufReader<io::PipeReader>, AccessLog, Arc<AtomicU64>) {
    let (reader, writer) = io::pipe().unwrap();
    let file = File::from(std::os::fd::OwnedFd::from(writer));
    let dropped = Arc::<AtomicU64>::default();
    let log = AccessLog::new(Arc::clone(&dropped));
    let writer = Writer::start(file.into(), false).unwrap();
    log.switch(Prepared { writer: Some(writer), style: Style::new(LogFormat::Json) });
    (BufReader::new(reader), log, dropped)
}

#[test]
fn records_reach_the_output_and_late_ones_are_counted() {
    let (mut reader, log, dropped) = log_to_pipe();
    let (here, there) = (log.handle(), log.handle());
    assert!(here.is_enabled());
    here.write(&Record { status: 201, ..record() });
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let first: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(first["status"], 201);
    there.write(&Record { status: 202, ..record() });
    drop(log);
    here.write(&record());
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    let last: Value = serde_json::from_str(&rest).unwrap();
    assert_eq!(last["status"], 202);
    assert_eq!(dropped.load(Relaxed), 1);
}

#[test]
fn a_change_of_configuration_changes_output_and_format() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let config = |name: &str, format| portway_config::AccessLog {
        enabled: true,
        path: portway_config::LogOutput::File(file(name)),
        format,
    };
    let log = AccessLog::new(Arc::default());
    let handle = log.handle();
    assert!(!handle.is_enabled());
    handle.write(&record());

    log.switch(AccessLog::prepare(&config("a", None), LogFormat::Json).unwrap());
    handle.write(&record());
    log.switch(AccessLog::prepare(&config("b", Some(LogFormat::Text)), LogFormat::Json).unwrap());
    handle.write(&record());
    // What was only prepared is open, and changes nothing.
    drop(AccessLog::prepare(&config("c", None), LogFormat::Json).unwrap());
    let off = portway_config::AccessLog { enabled: false, ..config("d", None) };
    log.switch(AccessLog::prepare(&off, LogFormat::Json).unwrap());
    handle.write(&record());
    assert!(!handle.is_enabled());

    let end = std::time::Instant::now() + Duration::from_secs(10);
    let read = |name: &str| std::fs::read_to_string(file(name)).unwrap_or_default();
    while read("a").is_empty() || read("b").is_empty() {
        assert!(std::time::Instant::now() < end, "nothing was written");
        std::thread::yield_now();
    }
    assert_eq!(read("a"), formatted(&record(), LogFormat::Json));
    assert_eq!(read("b"), formatted(&record(), LogFormat::Text));
    assert_eq!(read("c"), "");
    assert!(!file("d").exists());

    let nowhere = portway_config::AccessLog {
        path: portway_config::LogOutput::File(file("no/such/folder")),
        ..config("e", None)
    };
    let error = AccessLog::prepare(&nowhere, LogFormat::Json).unwrap_err();
    assert!(error.to_string().starts_with("cannot open "), "{error}");
}

#[test]
fn times_follow_the_clock() {
    let (mut reader, log, _) = log_to_pipe();
    let before = SystemTime::now();
    log.handle().write(&Record { time: before, ..record() });
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let json: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(json["time"], crate::telemetry::rfc3339(before));
}

#[test]
fn tls_is_told_where_there_was_any() {
    let tls = Tls {
        version: "TLSv1.3",
        cipher: "TLS_AES_128_GCM_SHA256",
        sni: Some("shop.example"),
        client_subject: Some("CN=billing,O=Shop"),
    };
    let record = Record { scheme: "https", tls: Some(tls), ..record() };
    let json: Value = serde_json::from_str(&formatted(&record, LogFormat::Json)).unwrap();
    assert_eq!(json["tls_version"], "TLSv1.3");
    assert_eq!(json["sni"], "shop.example");
    let text = formatted(&record, LogFormat::Text);
    assert!(text.contains(" tls_cipher=TLS_AES_128_GCM_SHA256 sni=shop.example "), "{text}");
    assert!(text.contains(" client_subject=\"CN=billing,O=Shop\" "), "{text}");
}
