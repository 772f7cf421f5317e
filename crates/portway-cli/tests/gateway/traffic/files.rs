//! Files of the gateway's own: what is sent, of which part, and what never is.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use http::Request;
use portway_testkit::{Client, RawClient, RawResponse};
use tempfile::TempDir;

use crate::fixture::{Gateway, directory};

const DAY: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// A folder `www` with files in it, and a secret beside it.
struct Site(TempDir);

impl Site {
    fn new() -> io::Result<Self> {
        let dir = directory()?;
        let www = dir.path().join("www");
        fs::create_dir_all(www.join("sub/deeper"))?;
        fs::create_dir_all(www.join("empty"))?;
        fs::create_dir_all(www.join(".git"))?;
        fs::create_dir_all(www.join(".well-known"))?;
        for (name, text) in [
            ("../secret.txt", "secret"),
            ("index.html", "<h1>home</h1>"),
            ("a.txt", "0123456789"),
            ("b.bin", "\0\u{1}"),
            ("page.js", "let a;"),
            ("a b \u{e9}.txt", "spaced"),
            ("none", ""),
            (".env", "KEY=secret"),
            (".git/config", "secret"),
            (".well-known/security.txt", "contact"),
            ("sub/page.html", "<p>sub</p>"),
            ("sub/deeper/index.html", "deeper"),
        ] {
            fs::write(www.join(name), text)?;
        }
        Ok(Self(dir))
    }

    fn www(&self) -> std::path::PathBuf {
        self.0.path().join("www")
    }

    /// A gateway that serves the folder at `/`.
    async fn serve(&self, more: &str) -> io::Result<Gateway> {
        Gateway::start(&config(&self.www(), more)).await
    }
}

fn ask(method: &str, target: &str, more: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{more}\r\n")
}

async fn get(raw: &mut RawClient, target: &str, more: &str) -> io::Result<RawResponse> {
    raw.exchange(ask("GET", target, more)).await
}

#[tokio::test]
async fn files_are_sent_with_what_is_known_of_them() -> io::Result<()> {
    let site = Site::new()?;
    let gateway = site.serve("cache_control: \"max-age=60\"").await?;
    let mut raw = gateway.raw().await?;
    for (path, kind, text) in [
        ("/a.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/", "text/html; charset=utf-8", "<h1>home</h1>"),
        ("/index.html", "text/html; charset=utf-8", "<h1>home</h1>"),
        ("/sub/deeper/", "text/html; charset=utf-8", "deeper"),
        ("/page.js", "text/javascript; charset=utf-8", "let a;"),
        ("/b.bin", "application/octet-stream", "\0\u{1}"),
        ("/a%20b%20%c3%a9.txt?x=/../y", "text/plain; charset=utf-8", "spaced"),
        ("/none", "application/octet-stream", ""),
        ("/sub/../a.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/.well-known/security.txt", "text/plain; charset=utf-8", "contact"),
    ] {
        let answer = get(&mut raw, path, "").await?;
        let found = (answer.status, answer.headers.get("content-type"), answer.text());
        assert_eq!(found, (200, Some(kind), text.into()), "{path}");
        let length = text.len().to_string();
        for (name, value) in [
            ("content-length", &*length),
            ("accept-ranges", "bytes"),
            ("cache-control", "max-age=60"),
        ] {
            assert_eq!(answer.headers.get(name), Some(value), "{path} {name}");
        }
        assert!(answer.headers.contains("etag") && answer.headers.contains("last-modified"));
        assert!(!answer.headers.contains("vary"), "nothing is precompressed");
    }
    let record = gateway.record("/a.txt").await?;
    assert_eq!((&record["status"], &record["bytes_out"]), (&200.into(), &10.into()));
    Ok(())
}

#[tokio::test]
async fn a_head_is_the_same_without_the_body() -> io::Result<()> {
    let site = Site::new()?;
    let gateway = site.serve("listing: true").await?;
    let mut raw = gateway.raw().await?;
    for path in ["/a.txt", "/none", "/sub/"] {
        let whole = get(&mut raw, path, "").await?;
        // A range says nothing to a HEAD (RFC 9110 section 14.2).
        raw.send(ask("HEAD", path, "Range: bytes=1-2\r\n")).await?;
        let head = raw.read_response_to_head().await?;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        for name in ["content-type", "content-length", "etag", "last-modified"] {
            assert_eq!(head.headers.get(name), whole.headers.get(name), "{path} {name}");
        }
    }
    let h2c = Client::h2c(gateway.addr());
    for (method, length) in [("GET", 10), ("HEAD", 0)] {
        let request = Request::builder().method(method).uri("http://a/a.txt").body(String::new());
        let answer = h2c.request(request.map_err(io::Error::other)?).await?;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, length));
        assert_eq!(answer.header("content-length"), Some("10"));
    }
    Ok(())
}

#[tokio::test]
async fn other_methods_are_told_which_there_are() -> io::Result<()> {
    let site = Site::new()?;
    let gateway = site.serve("fallback: index.html").await?;
    let mut raw = gateway.raw().await?;
    for (method, path) in [("DELETE", "/a.txt"), ("OPTIONS", "/a.txt"), ("PURGE", "/nothing")] {
        let answer = raw.exchange(ask(method, path, "")).await?;
        assert_eq!((answer.status, answer.headers.get("allow")), (405, Some("GET, HEAD")));
        assert!(answer.text().contains("\"code\":\"method_not_allowed\""));
    }
    let post = ask("POST", "/a.txt", "Content-Length: 3\r\n") + "abc";
    assert_eq!(raw.exchange(post).await?.status, 405);
    assert_eq!(get(&mut raw, "/a.txt", "").await?.status, 200, "the body was not a request");
    Ok(())
}

#[tokio::test]
async fn what_the_client_has_already_is_not_sent_again() -> io::Result<()> {
    let site = Site::new()?;
    let gateway = site.serve("cache_control: no-cache, precompressed: [gzip]").await?;
    let mut raw = gateway.raw().await?;
    let first = get(&mut raw, "/a.txt", "").await?;
    let (tag, changed) = (
        first.headers.get("etag").unwrap_or_default().to_owned(),
        first.headers.get("last-modified").unwrap_or_default().to_owned(),
    );
    for (condition, status) in [
        (format!("If-None-Match: {tag}"), 304),
        (format!("If-None-Match: W/{tag}"), 304),
        (format!("If-None-Match: \"x\", {tag}"), 304),
        (format!("If-None-Match: \"x\"\r\nIf-None-Match: {tag}"), 304),
        ("If-None-Match: *".to_owned(), 304),
        ("If-None-Match: \"x\"".to_owned(), 200),
        (format!("If-Modified-Since: {changed}"), 304),
        (format!("If-Modified-Since: {DAY}"), 200),
        // The tag counts, not the date.
        (format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {changed}"), 200),
        (format!("If-Match: {tag}"), 200),
        ("If-Match: \"x\"".to_owned(), 412),
        (format!("If-Match: W/{tag}"), 412),
        (format!("If-Unmodified-Since: {DAY}"), 412),
        (format!("If-Unmodified-Since: {changed}"), 200),
        (format!("If-None-Match: {tag}\r\nRange: bytes=0-1"), 304),
        (format!("If-Match: {tag}\r\nRange: bytes=0-1"), 206),
    ] {
        let answer = get(&mut raw, "/a.txt", &format!("{condition}\r\n")).await?;
        assert_eq!(answer.status, status, "{condition}");
        match status {
            304 => {
                assert!(answer.body.is_empty(), "{condition}");
                assert_eq!(answer.headers.get("etag"), Some(&*tag), "{condition}");
                assert_eq!(answer.headers.get("cache-control"), Some("no-cache"), "{condition}");
                assert_eq!(answer.headers.get("vary"), Some("accept-encoding"), "{condition}");
            }
            412 => assert!(answer.text().contains("\"code\":\"precondition_failed\"")),
            _ => {}
        }
    }
    fs::write(site.www().join("a.txt"), "changed and longer")?;
    let answer = get(&mut raw, "/a.txt", &format!("If-None-Match: {tag}\r\n")).await?;
    assert_eq!((answer.status, answer.text()), (200, "changed and longer".into()));
    Ok(())
}

#[tokio::test]
async fn a_range_of_a_file() -> io::Result<()> {
    let site = Site::new()?;
    let gateway = site.serve("").await?;
    let mut raw = gateway.raw().await?;
    for (range, content_range, text) in [
        ("bytes=0-0", "bytes 0-0/10", "0"),
        ("bytes=3-5", "bytes 3-5/10", "345"),
        ("bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=7-700", "bytes 7-9/10", "789"),
        ("bytes=-4", "bytes 6-9/10", "6789"),
        ("bytes=-400", "bytes 0-9/10", "0123456789"),
        ("BYTES=003-4", "bytes 3-4/10", "34"),
        ("bytes=20-, 1-2", "bytes 1-2/10", "12"),
    ] {
        let answer = get(&mut raw, "/a.txt", &format!("Range: {range}\r\n")).await?;
        let found = (answer.status, answer.headers.get("content-range"), answer.text());
        assert_eq!(found, (206, Some(content_range), text.into()), "{range}");
        assert_eq!(answer.headers.get("content-type"), Some("text/plain; charset=utf-8"));
    }
    for range in [
        "bytes=5-3",
        "lines=0-1",
        "bytes=x",
        "bytes=0-,0-,0-",
        "bytes",
        "bytes=0-1\r\nRange: bytes=2-3",
    ] {
        let answer = get(&mut raw, "/a.txt", &format!("Range: {range}\r\n")).await?;
        assert_eq!((answer.status, answer.body.len()), (200, 10), "{range}");
    }
    for (path, range, length) in [
        ("/a.txt", "bytes=10-", "*/10"),
        ("/a.txt", "bytes=-0", "*/10"),
        ("/a.txt", "bytes=20-30,40-", "*/10"),
        ("/none", "bytes=0-", "*/0"),
    ] {
        let answer = get(&mut raw, path, &format!("Range: {range}\r\n")).await?;
        assert_eq!(answer.status, 416, "{range}");
        assert_eq!(answer.headers.get("content-range"), Some(&*format!("bytes {length}")));
        assert!(answer.text().contains("\"code\":\"range_not_satisfiable\""), "{range}");
    }
    assert_eq!(get(&mut raw, "/none", "Range: bytes=-5\r\n").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn several_ranges_of_a_file() -> io::Result<()> {
    let site = Site::new()?;
    let gateway = site.serve("").await?;
    let mut raw = gateway.raw().await?;
    let answer = get(&mut raw, "/a.txt", "Range: bytes=0-1, -2,4-4, 50-\r\n").await?;
    assert_eq!(answer.status, 206);
    assert!(!answer.headers.contains("content-range"));
    let kind = answer.headers.get("content-type").unwrap_or_default();
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap_or_default();
    assert!(boundary.len() > 10, "{kind}");
    let part = |range: &str, text: &str| {
        format!(
            "--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes \
             {range}/10\r\n\r\n{text}\r\n"
        )
    };
    let expected =
        format!("{}{}{}--{boundary}--\r\n", part("0-1", "01"), part("8-9", "89"), part("4-4", "4"));
    assert_eq!(answer.text(), expected);
    let length = expected.len().to_string();
    assert_eq!(answer.headers.get("content-length"), Some(&*length));
    assert_eq!(gateway.record("/a.txt").await?["bytes_out"], expected.len());
    assert_eq!(get(&mut raw, "/none", "").await?.status, 200, "the connection goes on");
    Ok(())
}

#[tokio::test]
async fn a_range_is_only_of_the_file_that_is_meant() -> io::Result<()> {
    let site = Site::new()?;
    let gateway = site.serve("").await?;
    let mut raw = gateway.raw().await?;
    let first = get(&mut raw, "/a.txt", "").await?;
    let tag = first.headers.get("etag").unwrap_or_default();
    let changed = first.headers.get("last-modified").unwrap_or_default();
    for (condition, status) in [
        (tag.to_owned(), 206),
        (changed.to_owned(), 206),
        (format!("W/{tag}"), 200),
        ("\"x\"".to_owned(), 200),
        (DAY.to_owned(), 200),
    ] {
        for (ranges, one) in [("0-1", true), ("0-1,3-4", false), ("90-", true)] {
            let fields = format!("If-Range: {condition}\r\nRange: bytes={ranges}\r\n");
            let answer = get(&mut raw, "/a.txt", &fields).await?;
            let status = if ranges == "90-" && status == 206 { 416 } else { status };
            assert_eq!(answer.status, status, "{condition} {ranges}");
            match status {
                200 => assert_eq!(answer.text(), "0123456789"),
                206 if one => assert_eq!(answer.text(), "01"),
                _ => {}
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_compressed_copy_is_sent_to_whoever_reads_it() -> io::Result<()> {
    let site = Site::new()?;
    for name in ["a.txt.gz", "a.txt.br", "page.js.zst"] {
        fs::write(site.www().join(name), format!("this is {name}"))?;
    }
    symlink("../secret.txt", site.www().join("page.js.gz"))?;
    let gateway = site.serve("precompressed: [gzip, br, zstd]").await?;
    let mut raw = gateway.raw().await?;
    for (path, accepted, coding, text) in [
        ("/a.txt", "gzip", Some("gzip"), "this is a.txt.gz"),
        ("/a.txt", "gzip;q=0.5, br", Some("br"), "this is a.txt.br"),
        ("/a.txt", "zstd", None, "0123456789"),
        ("/a.txt", "gzip;q=0", None, "0123456789"),
        ("/a.txt", "identity", None, "0123456789"),
        ("/page.js", "zstd, gzip", Some("zstd"), "this is page.js.zst"),
        // The other copy is a link that leads out.
        ("/page.js", "gzip", None, "let a;"),
    ] {
        let answer = get(&mut raw, path, &format!("Accept-Encoding: {accepted}\r\n")).await?;
        let found = (answer.status, answer.headers.get("content-encoding"), answer.text());
        assert_eq!(found, (200, coding, text.into()), "{path} {accepted}");
        assert_eq!(answer.headers.get("vary"), Some("accept-encoding"), "{path} {accepted}");
        let kind = answer.headers.get("content-type").unwrap_or_default();
        assert!(kind.starts_with("text/"), "{path}: the type is that of the content");
    }
    let answer =
        get(&mut raw, "/a.txt", "Accept-Encoding: gzip\r\nRange: bytes=0-3,-2\r\n").await?;
    assert_eq!((answer.status, answer.headers.get("content-encoding")), (206, Some("gzip")));
    assert!(answer.text().contains("bytes 0-3/16\r\n\r\nthis\r\n"), "{}", answer.text());
    gateway.reload(&config(&site.www(), "")).await?;
    let answer = get(&mut raw, "/a.txt", "Accept-Encoding: gzip\r\n").await?;
    assert_eq!(
        (answer.headers.get("content-encoding"), answer.text()),
        (None, "0123456789".into())
    );
    Ok(())
}

#[tokio::test]
async fn a_single_page_answers_for_every_path_that_names_no_file() -> io::Result<()> {
    let site = Site::new()?;
    symlink("../secret.txt", site.www().join("out"))?;
    let gateway = site.serve("fallback: index.html").await?;
    let mut raw = gateway.raw().await?;
    for path in ["/accounts/7", "/accounts/7/", "/empty/", "/a.txt/", "/.env", "/out", "/sub/x?y"] {
        let answer = get(&mut raw, path, "").await?;
        assert_eq!((answer.status, answer.text()), (200, "<h1>home</h1>".into()), "{path}");
    }
    assert_eq!(get(&mut raw, "/a.txt", "").await?.text(), "0123456789");
    raw.send(ask("HEAD", "/accounts/7", "")).await?;
    assert_eq!(raw.read_response_to_head().await?.status, 200);
    fs::remove_file(site.www().join("index.html"))?;
    assert_eq!(get(&mut raw, "/accounts/7", "").await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn a_folder_is_told_by_its_slash() -> io::Result<()> {
    let site = Site::new()?;
    let root = site.www();
    let gateway = Gateway::start(&format!(
        "routes:
  - name: assets
    match: {{path: {{prefix: /assets}}}}
    rewrite: {{strip_prefix: /assets}}
    target: {{files: {{root: \"{root}\", index: [start.html, page.html]}}}}
  - {{name: rest, match: {{path: \"/{{*rest}}\"}}, rewrite: {{path: \"/{{rest}}\"}}, target: {{files: {{root: \"{root}\"}}}}}}",
        root = root.display()
    ))
    .await?;
    let mut raw = gateway.raw().await?;
    for (asked, location) in [
        ("/assets/sub", "/assets/sub/"),
        ("/assets/%73ub?a=b/c", "/assets/sub/?a=b/c"),
        ("/assets/sub/deeper", "/assets/sub/deeper/"),
        ("/sub", "/sub/"),
    ] {
        let answer = get(&mut raw, asked, "").await?;
        let found = (answer.status, answer.headers.get("location"));
        assert_eq!(found, (308, Some(location)), "{asked}");
    }
    let long = format!("/assets/{}", "a".repeat(300));
    for (asked, status, text) in [
        (&*long, 404, ""),
        ("/assets/a.txt", 200, "0123456789"),
        ("/assets/sub/", 200, "<p>sub</p>"),
        ("/assets", 404, ""),
        ("/assets/empty/", 404, ""),
        ("/assets/a.txt/", 404, ""),
        ("/assets/a.txt/b", 404, ""),
    ] {
        let answer = get(&mut raw, asked, "").await?;
        assert_eq!(answer.status, status, "{asked}");
        if status == 200 {
            assert_eq!(answer.text(), text, "{asked}");
        } else {
            assert!(answer.text().contains("\"code\":\"file_not_found\""), "{asked}");
        }
    }
    let html = get(&mut raw, "/nothing", "Accept: text/html\r\n").await?;
    assert_eq!(html.headers.get("content-type"), Some("text/html; charset=utf-8"));
    assert!(html.text().contains("file_not_found"));
    Ok(())
}

#[tokio::test]
async fn a_folder_shows_what_may_be_read_of_it() -> io::Result<()> {
    let site = Site::new()?;
    fs::write(site.www().join("empty/<b>&\"x'.txt"), "12345")?;
    fs::write(site.www().join("empty/.hidden"), "")?;
    fs::create_dir(site.www().join("empty/zz"))?;
    symlink("../../secret.txt", site.www().join("empty/out"))?;
    symlink("../a.txt", site.www().join("empty/in"))?;
    let gateway = site.serve("listing: true").await?;
    let mut raw = gateway.raw().await?;
    let page = get(&mut raw, "/empty/", "").await?;
    assert_eq!(page.headers.get("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.headers.get("content-security-policy").unwrap_or_default().contains("'none'"));
    let html = page.text();
    assert!(html.contains("<h1>Index of /empty/</h1>"), "{html}");
    let links: Vec<_> =
        html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(links, ["../", "./zz/", "./%3Cb%3E%26%22x%27.txt", "./in"]);
    assert!(html.contains(">&lt;b&gt;&amp;&quot;x&#39;.txt</a>"), "{html}");
    for link in ["zz/", "%3Cb%3E%26%22x%27.txt", "in"] {
        assert_eq!(get(&mut raw, &format!("/empty/{link}"), "").await?.status, 200, "{link}");
    }
    let home = get(&mut raw, "/", "").await?;
    assert_eq!(home.text(), "<h1>home</h1>", "an index comes before a listing");
    Ok(())
}

/// Ways out of the root, and into what is hidden in it.
const WAYS_OUT: &[&str] = &[
    "/../secret.txt",
    "/sub/../../secret.txt",
    "/%2e%2e/secret.txt",
    "/%2E%2E/%2e%2e/etc/passwd",
    "/.%2e/secret.txt",
    "/sub/%2e%2e/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e%2fsecret.txt",
    "/..%5csecret.txt",
    "/..\\secret.txt",
    "/%5c..%5csecret.txt",
    "/sub%2f..%2f..%2fsecret.txt",
    "/%252e%252e/secret.txt",
    "/..%252fsecret.txt",
    "/%c0%ae%c0%ae/secret.txt",
    "/%c0%ae%c0%ae%c0%afsecret.txt",
    "/%e0%80%ae%e0%80%ae/secret.txt",
    "/..%c0%afsecret.txt",
    "/%uff0e%uff0e/secret.txt",
    "/..;/secret.txt",
    "/..%00/secret.txt",
    "/secret.txt%00.txt",
    "/a.txt%00",
    "/a.txt%00.html",
    "//secret.txt",
    "//etc/passwd",
    "/etc/passwd",
    "///../secret.txt",
    "//a.txt",
    "/sub//page.html",
    "/./../secret.txt",
    "/~/../../secret.txt",
    "/.env",
    "/%2eenv",
    "/.git/config",
    "/sub/../.git/config",
    "/.well-known/../.env",
    "/%ff",
];

#[tokio::test]
async fn no_spelling_leads_out_of_the_root() -> io::Result<()> {
    let site = Site::new()?;
    let gateway = site.serve("").await?;
    let root = site.www();
    let lenient = Gateway::start(&format!(
        "listeners: [{{name: web, bind: \"127.0.0.1:0\", ambiguous_paths: allow}}]
routes: [{{name: www, match: {{path: \"/{{*rest}}\"}}, rewrite: {{path: \"/{{rest}}\"}}, target: {{files: {{root: \"{}\"}}}}}}]",
        root.display()
    ))
    .await?;
    for gateway in [&gateway, &lenient] {
        for path in WAYS_OUT {
            let mut raw = gateway.raw().await?;
            let answer = get(&mut raw, path, "").await?;
            assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
            let text = answer.text();
            assert!(text.contains("\"code\":") && !text.contains("secret"), "{path}: {text}");
        }
        let mut raw = gateway.raw().await?;
        assert_eq!(get(&mut raw, "/a.txt", "").await?.status, 200);
    }
    Ok(())
}

#[tokio::test]
async fn links_lead_out_only_where_they_may() -> io::Result<()> {
    let site = Site::new()?;
    let www = site.www();
    symlink("../secret.txt", www.join("out.txt"))?;
    symlink("..", www.join("up"))?;
    symlink("a.txt", www.join("in.txt"))?;
    symlink("sub", www.join("folder"))?;
    symlink(site.0.path().join("www/a.txt"), www.join("absolute.txt"))?;
    symlink("nowhere", www.join("broken"))?;
    symlink("round", www.join("round"))?;
    // A folder whose name only begins like the root's.
    fs::create_dir(site.0.path().join("www-private"))?;
    fs::write(site.0.path().join("www-private/x.txt"), "secret")?;
    symlink("../www-private", www.join("beside"))?;
    symlink("www", site.0.path().join("current"))?;
    let gateway = Gateway::start(&config(&site.0.path().join("current"), "")).await?;
    let mut raw = gateway.raw().await?;
    let paths = [
        ("/in.txt", 200, 200),
        ("/folder/page.html", 200, 200),
        ("/absolute.txt", 200, 200),
        ("/out.txt", 404, 200),
        ("/up/secret.txt", 404, 200),
        ("/up", 404, 308),
        ("/up/www/a.txt", 200, 200),
        ("/beside/x.txt", 404, 200),
        ("/broken", 404, 404),
    ];
    for (path, inside, _) in paths {
        assert_eq!(get(&mut raw, path, "").await?.status, inside, "{path}");
    }
    let round = get(&mut raw, "/round", "").await?;
    assert!(round.status >= 400 && !round.text().contains("www"), "{}", round.text());
    gateway.reload(&config(&site.0.path().join("current"), "follow_symlinks: true")).await?;
    for (path, _, followed) in paths {
        assert_eq!(get(&mut raw, path, "").await?.status, followed, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn hidden_files_are_served_where_it_is_said() -> io::Result<()> {
    let site = Site::new()?;
    let gateway = site.serve("hidden: true").await?;
    let mut raw = gateway.raw().await?;
    assert_eq!(get(&mut raw, "/.env", "").await?.text(), "KEY=secret");
    assert_eq!(get(&mut raw, "/.git/config", "").await?.status, 200);
    assert!(matches!(get(&mut raw, "/%2e%2e/secret.txt", "").await?.status, 400 | 404));
    Ok(())
}

#[tokio::test]
async fn only_files_are_opened_and_only_those_that_may_be() -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let site = Site::new()?;
    let pipe = site.www().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status()?;
    assert!(made.success());
    let locked = site.www().join("locked.txt");
    fs::write(&locked, "locked")?;
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000))?;
    let gateway = site.serve("listing: true").await?;
    let mut raw = gateway.raw().await?;
    assert_eq!(get(&mut raw, "/pipe", "").await?.status, 404);
    assert_eq!(get(&mut raw, "/pipe/", "").await?.status, 404);
    let answer = get(&mut raw, "/locked.txt", "").await?;
    // Nothing is locked to the superuser.
    if fs::File::open(&locked).is_err() {
        assert_eq!(answer.status, 403);
        assert!(answer.text().contains("\"code\":\"file_forbidden\""));
    } else {
        assert_eq!(answer.status, 200);
    }
    Ok(())
}

#[tokio::test]
async fn a_root_may_come_and_go() -> io::Result<()> {
    let site = Site::new()?;
    let root = site.0.path().join("later");
    let gateway = Gateway::start(&config(&root, "fallback: index.html")).await?;
    gateway
        .process
        .wait_for_line(|line| line.contains("the root of files cannot be served"))
        .await?;
    let mut raw = gateway.raw().await?;
    let answer = get(&mut raw, "/a.txt", "").await?;
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("\"code\":\"file_not_found\""));
    fs::rename(site.www(), &root)?;
    assert_eq!(get(&mut raw, "/a.txt", "").await?.text(), "0123456789");
    fs::remove_dir_all(&root)?;
    assert_eq!(get(&mut raw, "/a.txt", "").await?.status, 404);
    Ok(())
}

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_large_file_is_read_as_it_is_sent() -> io::Result<()> {
    let site = Site::new()?;
    let size = 64 * MIB;
    let pattern: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap_or_default()).collect();
    fs::write(site.www().join("large.bin"), &pattern)?;
    let gateway = site.serve("").await?;
    let mut warm = gateway.raw().await?;
    assert_eq!(get(&mut warm, "/a.txt", "").await?.status, 200);
    let before = gateway.process.rss_kib()?;
    // Those who do not read keep nothing in memory but what the gateway has in its hands.
    fs::hard_link(site.www().join("large.bin"), site.www().join("cut.bin"))?;
    let mut waiting = Vec::new();
    for (path, range) in [
        ("/cut.bin", ""),
        ("/large.bin", ""),
        ("/large.bin", "Range: bytes=1-\r\n"),
        ("/large.bin", "Range: bytes=0-30000000,40000000-60000000\r\n"),
    ] {
        let mut raw = gateway.raw().await?;
        raw.send(ask("GET", path, range)).await?;
        let head = raw.read_head().await?;
        assert!(matches!(head.status, 200 | 206), "{}", head.status);
        waiting.push(raw);
    }
    let mut reader = gateway.raw().await?;
    let answer = get(&mut reader, "/large.bin", "").await?;
    assert_eq!(answer.status, 200);
    assert!(answer.body == pattern, "the file came as it is");
    let grown = gateway.process.rss_kib()?.saturating_sub(before);
    assert!(grown < 24 * 1024, "{grown} KiB more for files of {size} bytes");
    let part = get(&mut reader, "/large.bin", "Range: bytes=33554432-33554532\r\n").await?;
    assert_eq!(part.body, pattern[32 * MIB..=32 * MIB + 100]);
    // A file that becomes shorter does not look complete.
    let mut cut = waiting.swap_remove(0);
    fs::OpenOptions::new().write(true).open(site.www().join("large.bin"))?.set_len(100)?;
    let came = cut.read_to_end().await.map_or(0, |bytes| bytes.len());
    assert!(came < size, "{came} bytes");
    assert_eq!(gateway.record("/cut.bin").await?["error"], "file_changed");
    Ok(())
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_let_go() -> io::Result<()> {
    let site = Site::new()?;
    fs::File::create(site.www().join("large.bin"))?.set_len(64 << 20)?;
    let config = config(&site.www(), "");
    let gateway =
        Gateway::start(&config.replace("target:", "timeouts: {idle: 300ms}, target:")).await?;
    let mut raw = gateway.raw().await?;
    raw.send(ask("GET", "/large.bin", "")).await?;
    let record = gateway.record("/large.bin").await?;
    let found = (&record["status"], &record["error"]);
    assert_eq!(found, (&200.into(), &"client_closed_request".into()), "as for any answer");
    drop(raw);
    Ok(())
}

fn config(root: &Path, more: &str) -> String {
    format!(
        "routes: [{{name: www, match: {{path: {{prefix: /}}}}, target: {{files: {{root: \"{}\", {more}}}}}}}]",
        root.display()
    )
}
