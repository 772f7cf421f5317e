//! Documents, and what they need of their collections.

use std::io;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use portway_testkit::Client;
use serde_json::{Value, json};

use super::Administered;

#[tokio::test]
async fn documents_fit_the_schema_of_their_collection() -> io::Result<()> {
    let api = Administered::start("").await?;
    let schema = |least: u32| {
        json!({ "schema": { "type": "object", "required": ["url"],
                            "properties": { "url": { "type": "string", "minLength": least } } } })
    };
    api.put("/collections/links", schema(1)).await?;
    let at = |id: &str| format!("/documents/{id}?collection=links");
    let (status, body) = api.ask(Method::PUT, &at("a"), Some(json!({ "url": "http://x" }))).await?;
    assert_eq!((status, body["data"]["data"]["url"].as_str()), (201, Some("http://x")), "{body}");
    let (status, body) = api.ask(Method::PUT, &at("b"), Some(json!({ "url": 7 }))).await?;
    assert_eq!((status, body["problems"][0]["path"].as_str()), (422, Some("url")), "{body}");
    // Readers would not agree on which one counts.
    let twice = Bytes::from_static(br#"{ "url": "http://x", "more": { "a": 1, "a": 2 } }"#);
    for method in [Method::PUT, Method::PATCH] {
        let (status, body) = api.send(method, &at("a"), twice.clone()).await?;
        let problem = &body["problems"][0];
        assert_eq!((status, problem["code"].as_str()), (422, Some("duplicate_key")), "{body}");
        assert_eq!(problem["path"].as_str(), Some("more.a"), "{body}");
    }
    for id in ["b", "c", "d"] {
        api.put(&at(id), json!({ "url": id })).await?;
    }
    let page = api.get("/documents?collection=links&limit=3").await?;
    assert_eq!(page["data"].as_array().map(Vec::len), Some(3));
    let cursor = page["meta"]["cursor"].as_str().expect("there is more");
    let rest = api.get(&format!("/documents?collection=links&cursor={cursor}")).await?;
    assert_eq!(rest["data"][0]["id"], "d");
    // A schema that documents do not fit, and the end of their collection, have to be forced.
    let (status, body) = api.ask(Method::PUT, "/collections/links", Some(schema(5))).await?;
    assert_eq!((status, body["code"].as_str()), (409, Some("in_use")), "{body}");
    assert_eq!(api.ask(Method::DELETE, "/collections/links", None).await?.0, 409);
    assert_eq!(api.ask(Method::DELETE, "/collections/links?force=true", None).await?.0, 200);
    assert_eq!(api.ask(Method::GET, &at("a"), None).await?.0, 404);
    Ok(())
}

/// A collection whose documents have a text of at least so many letters.
fn links(least: u32) -> Value {
    json!({ "name": "links", "labels": { "set": "a" },
            "schema": { "properties": { "url": { "type": "string", "minLength": least } } } })
}

#[tokio::test]
async fn no_way_to_write_collections_takes_documents_away_unless_it_is_forced() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.reply("a", "/a", "a").await?;
    let empty = api.backup().await?;
    let apply = async |path: &str, collections: Value| {
        let document = json!({ "collections": collections });
        api.ask(Method::POST, &format!("/apply{path}"), Some(document)).await
    };
    let at = "/documents/a?collection=links";
    assert_eq!(apply("", json!([links(1)])).await?.0, 200);
    api.put(at, json!({ "url": "abc" })).await?;
    let in_use = |(status, body): (u16, Value)| {
        assert_eq!((status, body["code"].as_str()), (409, Some("in_use")), "{body}");
    };
    in_use(apply("", json!([links(5)])).await?);
    in_use(apply("?prune=set=a", json!([])).await?);
    let back = json!({ "revision": 1 });
    in_use(api.ask(Method::POST, "/rollback", Some(back.clone())).await?);
    in_use(api.restore(&empty, "").await?);
    assert_eq!(api.get(at).await?["data"]["data"]["url"], "abc");
    // What a backup has must fit what it has: this one was made when it did not.
    assert_eq!(apply("?force=true", json!([links(5)])).await?.0, 200);
    let unfit = api.backup().await?;
    in_use(api.restore(&unfit, "").await?);
    assert_eq!(api.restore(&unfit, "?force=true").await?.0, 200);
    assert_eq!(api.get(at).await?["data"]["data"]["url"], "abc");
    // The way back takes the documents with the collection: there are none when it is made again.
    let (status, body) = api.ask(Method::POST, "/rollback?force=true", Some(back)).await?;
    assert_eq!(status, 200, "{body}");
    assert_eq!(apply("", json!([links(5)])).await?.0, 200);
    assert_eq!(api.get("/documents?collection=links").await?["data"], json!([]));
    Ok(())
}

#[tokio::test]
async fn a_part_of_a_document_is_changed_by_a_patch() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.put("/collections/links", json!({ "schema": links(1)["schema"] })).await?;
    let at = "/documents/a?collection=links";
    assert_eq!(api.ask(Method::PATCH, at, Some(json!({ "n": 1 }))).await?.0, 404);
    api.put(at, json!({ "url": "abc", "n": 1 })).await?;
    let (status, body) = api.ask(Method::PATCH, at, Some(json!({ "n": null, "m": 2 }))).await?;
    assert_eq!((status, &body["data"]["data"]), (200, &json!({ "url": "abc", "m": 2 })), "{body}");
    let (status, body) = api.ask(Method::PATCH, at, Some(json!({ "url": 7 }))).await?;
    assert_eq!((status, body["problems"][0]["path"].as_str()), (422, Some("url")), "{body}");
    let patch = async |key: &str| {
        let patch = json!({ key: true });
        api.ask(Method::PATCH, at, Some(patch)).await
    };
    let answers = tokio::join!(patch("a"), patch("b"), patch("c"), patch("d"));
    for (status, body) in [answers.0?, answers.1?, answers.2?, answers.3?] {
        assert_eq!(status, 200, "{body}");
    }
    let data = &api.get(at).await?["data"]["data"];
    assert_eq!(*data, json!({ "url": "abc", "m": 2, "a": true, "b": true, "c": true, "d": true }));
    Ok(())
}

#[tokio::test]
async fn a_document_and_the_end_of_its_collection_do_not_both_happen() -> io::Result<()> {
    let api = Administered::start("").await?;
    let at = "/documents/a?collection=links";
    for _ in 0..20 {
        api.put("/collections/links", json!({})).await?;
        assert_eq!(api.get("/documents?collection=links").await?["data"], json!([]));
        let (written, deleted) = tokio::join!(
            api.ask(Method::PUT, at, Some(json!(1))),
            api.ask(Method::DELETE, "/collections/links", None),
        );
        match (written?.0, deleted?.0) {
            (404, 200) => {}
            (201, 409) => {
                let forced = "/collections/links?force=true";
                assert_eq!(api.ask(Method::DELETE, forced, None).await?.0, 200);
            }
            other => panic!("{other:?}"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_condition_that_is_not_understood_is_refused() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.put("/collections/links", json!({})).await?;
    let at = "/api/v1/documents/a?collection=links";
    let client = Client::h1(api.address());
    let write = async |method: Method, name: &str, value: &[u8]| {
        let request = Request::builder()
            .method(method)
            .uri(at)
            .header("host", "localhost")
            .header("authorization", format!("Bearer {}", api.token))
            .header(name, value)
            .body(Full::new(Bytes::from_static(b"{}")))
            .map_err(io::Error::other)?;
        io::Result::Ok(client.request(request).await?.status.as_u16())
    };
    assert_eq!(write(Method::PUT, "if-none-match", b"\"77\"").await?, 400);
    assert_eq!(write(Method::PUT, "if-none-match", b"*").await?, 201);
    assert_eq!(write(Method::PUT, "if-none-match", b"*").await?, 412);
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        for unclear in [&b"\"1\xff\""[..], b"\"one\"", b"\"1\", \"2\""] {
            assert_eq!(write(method.clone(), "if-match", unclear).await?, 400, "{method}");
        }
        assert_eq!(write(method.clone(), "if-match", b"\"1\"").await?, 412, "{method}");
    }
    let tag = api.get("/documents/a?collection=links").await?["data"]["etag"].clone();
    let tag = tag.as_str().expect("a tag").as_bytes();
    assert_eq!(write(Method::DELETE, "if-match", tag).await?, 200);
    assert_eq!(write(Method::PUT, "if-match", b"*").await?, 412);
    Ok(())
}

#[tokio::test]
async fn a_page_of_documents_is_no_larger_than_it_should_be() -> io::Result<()> {
    let api = Administered::start("").await?;
    api.put("/collections/files", json!({})).await?;
    let text = "x".repeat(1_400_000);
    for id in ["a", "b", "c", "d", "e", "f", "g"] {
        api.put(&format!("/documents/{id}?collection=files"), json!(text)).await?;
    }
    let ids = async |query: &str| {
        let page = api.get(&format!("/documents?collection=files&limit=1000{query}")).await?;
        let all = page["data"].as_array().cloned().unwrap_or_default();
        let ids: String = all.iter().filter_map(|one| one["id"].as_str()).collect();
        io::Result::Ok((ids, page["meta"]["cursor"].as_str().map(str::to_owned)))
    };
    let (first, cursor) = ids("").await?;
    assert_eq!((first.as_str(), cursor.as_deref()), ("abcde", Some("e")));
    assert_eq!(ids("&cursor=e").await?, ("fg".to_owned(), None));
    // What is left out may be more than a page has.
    assert_eq!(ids("&offset=6").await?, ("g".to_owned(), None));
    assert_eq!(ids("&offset=1&cursor=e").await?, ("g".to_owned(), None));
    for beyond in [7, usize::MAX] {
        assert_eq!(ids(&format!("&offset={beyond}")).await?, (String::new(), None));
    }
    Ok(())
}
