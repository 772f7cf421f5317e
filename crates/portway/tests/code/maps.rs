//! Maps: what was read, and what takes its place.

use portway::{
    Gateway, Halt, Head, MapResult, RawBody,
    code::{Form, Json},
};
use serde::{Deserialize, Serialize};

use crate::{Declared, request};

#[derive(Deserialize)]
struct Lookup {
    q: String,
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    tag: Vec<String>,
    max_price: Option<u32>,
}

#[derive(Serialize)]
struct Query<'a> {
    query: &'a str,
    limit: u32,
    source: &'a str,
}

#[derive(Serialize)]
struct Tags {
    tags: String,
}

#[derive(Deserialize, Clone)]
struct Page {
    page: u32,
}

struct Source(&'static str);

#[portway::map]
async fn remap<'a>(input: &'a Lookup, source: &'a Source) -> MapResult<Query<'a>> {
    Ok(Query { query: input.q.trim(), limit: 20, source: source.0 })
}

#[portway::map]
async fn only_look(input: Search) -> MapResult<()> {
    match input.max_price {
        Some(0) => Err(Halt::bad_request("nothing is free")),
        _ => Ok(()),
    }
}

#[portway::map]
async fn tags(input: Search) -> MapResult<Tags> {
    Ok(Tags { tags: input.tag.join("+") })
}

#[portway::map]
async fn twice(body: RawBody) -> MapResult<Vec<u8>> {
    Ok([body.as_bytes(), body.as_bytes()].concat())
}

#[portway::map]
async fn beside(input: Lookup, body: RawBody, head: &mut Head) -> MapResult<String> {
    head.set_header("x-raw", body.len())?;
    Ok(input.q)
}

#[portway::hook]
async fn next_page(page: &Page, head: &mut Head) -> portway::HookResult {
    head.set_query(&[("page", page.page + 1)])
}

#[portway::map]
async fn as_form(input: Lookup) -> MapResult<Form<Tags>> {
    Ok(Form(Tags { tags: input.q }))
}

#[portway::service]
mod maps {
    use super::{
        Json, Lookup, Page, Search, as_form, beside, next_page, only_look, remap, tags, twice,
    };

    #[portway::post("/lookup", json = Lookup, map = remap)]
    async fn lookup() {}

    #[portway::post("/search", json = Search)]
    async fn search() {}

    #[portway::post("/look", json = Search, map = only_look)]
    async fn look() {}

    #[portway::post("/form", form = Search, map = tags)]
    async fn form() {}

    #[portway::get("/form", form = Search, map = tags)]
    async fn form_in_query() {}

    #[portway::post("/twice", map = twice)]
    async fn raw() {}

    #[portway::post("/upload", multipart, map = twice)]
    async fn upload() {}

    #[portway::post("/upload-as-it-is", multipart)]
    async fn upload_as_it_is() {}

    #[portway::post("/beside", json = Lookup, map = beside)]
    async fn both() {}

    #[portway::get("/pages", query = Page, before = [next_page])]
    async fn pages() {}

    #[portway::post("/as-form", json = Lookup, map = as_form)]
    async fn to_form() {}

    #[portway::get("/sum/{a}/{b}", path = (u32, u32), handler)]
    async fn sum(numbers: (u32, u32)) -> Json<u32> {
        Json(numbers.0 + numbers.1)
    }

    #[portway::post("/echo", json = Lookup, handler)]
    async fn echo(input: Lookup) -> String {
        input.q
    }
}

async fn gateway() -> Declared {
    Declared::with(Gateway::builder().state(Source("gateway")), &[maps::routes()]).await
}

async fn form(gateway: &Declared, path: &str, kind: &'static str, body: &str) -> crate::Answer {
    let mut asked = request(http::Method::POST, path, body);
    asked.headers_mut().insert("content-type", http::HeaderValue::from_static(kind));
    gateway.ask(asked).await
}

fn length(answer: &crate::Answer) -> u64 {
    answer.json()["body"]["length"].as_u64().unwrap_or_default()
}

#[tokio::test]
async fn a_map_may_borrow_from_its_input_and_the_state() {
    let answer = gateway().await.post("/lookup", r#"{"q": " pen "}"#).await;
    assert_eq!(length(&answer), r#"{"query":"pen","limit":20,"source":"gateway"}"#.len() as u64);
    assert!(answer.text().contains("application/json"), "{}", answer.text());
}

#[tokio::test]
async fn a_body_that_is_only_checked_is_forwarded_as_it_came() {
    let gateway = gateway().await;
    let body = r#"{ "max_price":  3 }"#;
    for path in ["/search", "/look"] {
        assert_eq!(length(&gateway.post(path, body).await), body.len() as u64);
    }
    let answer = gateway.post("/look", r#"{"max_price": 0}"#).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "bad_request"));
    let answer = gateway.post("/search", r#"{"max_price": "x"}"#).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_json_body"));
    assert!(answer.text().contains("max_price"), "{}", answer.text());
}

#[tokio::test]
async fn forms_are_bodies_or_queries() {
    let gateway = gateway().await;
    let kind = "application/x-www-form-urlencoded";
    let answer = form(&gateway, "/form", kind, "tag=a&tag=b").await;
    assert_eq!(length(&answer), "tags=a%2Bb".len() as u64);
    let answer = gateway.get("/form?tag=a&tag=b").await;
    assert_eq!(answer.json()["query"], "tags=a%2Bb");
    let answer = gateway.post("/form", "tag=a").await;
    assert_eq!((answer.status, answer.code().as_str()), (415, "expected_form_urlencoded"));
    let answer = form(&gateway, "/form", kind, "max_price=x").await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_form_body"));
    let answer = gateway.get("/form?max_price=x").await;
    assert_eq!(answer.code(), "invalid_form_query");
    let answer = gateway.post("/as-form", r#"{"q": "a b"}"#).await;
    assert!(answer.text().contains(kind), "{}", answer.text());
}

#[tokio::test]
async fn bytes_are_mapped_as_they_are() {
    let gateway = gateway().await;
    assert_eq!(length(&gateway.post("/twice", "abc").await), 6);
    let answer = gateway.post("/upload", "abc").await;
    assert_eq!((answer.status, answer.code().as_str()), (415, "expected_multipart_form_data"));
    let kind = "multipart/form-data; boundary=x";
    for (path, count) in [("/upload", 6), ("/upload-as-it-is", 3)] {
        assert_eq!(length(&form(&gateway, path, kind, "abc").await), count);
    }
    // Text is a value of JSON where JSON was read.
    assert_eq!(length(&gateway.post("/beside", r#"{"q": "abc"}"#).await), 5);
}

#[tokio::test]
async fn a_query_is_read_before_hooks_and_written_by_them() {
    let gateway = gateway().await;
    assert_eq!(gateway.get("/pages?page=4").await.json()["query"], "page=5");
    let answer = gateway.get("/pages?page=x").await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_query"));
}

#[tokio::test]
async fn a_handler_answers_itself() {
    let gateway = gateway().await;
    assert_eq!(gateway.get("/sum/3/4").await.text(), "7");
    let answer = gateway.get("/sum/3/x").await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_path_parameters"));
    assert_eq!(gateway.post("/echo", r#"{"q": "hi"}"#).await.text(), "hi");
}
