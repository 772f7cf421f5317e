//! Bodies and queries, with types: they are read, checked, and made anew.
//!
//! ```sh
//! # JSON is checked, and forwarded as it came.
//! curl -s -d '{"category": "office",  "max_price": 300}' http://127.0.0.1:8080/search
//! #> "text": "{\"category\": \"office\",  \"max_price\": 300}"
//!
//! # What is wrong with it is told with its place.
//! curl -s -i -d '{"max_price": "cheap"}' http://127.0.0.1:8080/search
//! #> 400 Bad Request
//! #> "code":"invalid_json_body"
//! #> max_price: invalid type
//!
//! # A map puts something else in its place.
//! curl -s -d '{"q": " pen "}' http://127.0.0.1:8080/lookup
//! #> "application/json"
//! #> "text": "{\"query\":\"pen\",\"limit\":20,\"source\":\"gateway\"}"
//!
//! # A form; a name that comes twice is a list.
//! curl -s -d 'tag=red&tag=new' http://127.0.0.1:8080/tags
//! #> "text": "tags=red%2Cnew"
//! curl -s -i -H 'content-type: text/plain' -d 'tag=red' http://127.0.0.1:8080/tags
//! #> 415 Unsupported Media Type
//! #> "code":"expected_form_urlencoded"
//!
//! # A query is read before hooks, and one of them may write another one.
//! curl -s 'http://127.0.0.1:8080/pages?page=4&size=10'
//! #> "query": "offset=40&limit=10"
//! curl -s -i 'http://127.0.0.1:8080/pages?page=last'
//! #> 400 Bad Request
//! #> "code":"invalid_query"
//!
//! # The bytes themselves, for a signature.
//! curl -s -H 'x-signature: 5' -d 'hello' http://127.0.0.1:8080/signed
//! #> "text": "hello"
//! curl -s -i -H 'x-signature: 6' -d 'hello' http://127.0.0.1:8080/signed
//! #> 401 Unauthorized
//! ```

use portway::{Gateway, Halt, Head, HookResult, MapResult, Problems, RawBody};
use portway_examples::{listen, upstream};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[expect(dead_code, reason = "it is only checked")]
struct Search {
    category: Option<String>,
    max_price: Option<u32>,
}

#[derive(Deserialize)]
struct Lookup {
    q: String,
}

#[derive(Serialize)]
struct Query<'a> {
    query: &'a str,
    limit: u32,
    source: &'static str,
}

#[derive(Deserialize, Serialize)]
struct Tags {
    #[serde(default, rename(deserialize = "tag"))]
    tags: Vec<String>,
}

#[derive(Serialize)]
struct Joined {
    tags: String,
}

#[derive(Clone, Deserialize)]
struct Page {
    page: u64,
    #[serde(default)]
    size: Option<u64>,
}

#[derive(Serialize)]
struct Window {
    offset: u64,
    limit: u64,
}

/// What a map gives back may borrow from what it was given.
#[portway::map]
async fn remap(input: &Lookup) -> MapResult<Query<'_>> {
    Ok(Query { query: input.q.trim(), limit: 20, source: "gateway" })
}

#[portway::map]
async fn join(input: Tags) -> MapResult<Joined> {
    Ok(Joined { tags: input.tags.join(",") })
}

#[portway::hook]
async fn window(head: &mut Head, page: &Page) -> HookResult {
    let limit = page.size.unwrap_or(20);
    head.set_query(&Window { offset: page.page.saturating_mul(limit), limit })
}

/// `()` leaves the body as it is.
#[portway::map]
async fn verify(body: RawBody, head: &Head) -> MapResult<()> {
    // A real one would compute an HMAC.
    match head.header("x-signature") == Some(&body.len().to_string()) {
        true => Ok(()),
        false => Err(Halt::unauthorized("the signature does not fit")),
    }
}

#[portway::service]
mod shop {
    use super::{Lookup, Page, Search, Tags, join, remap, verify, window};

    #[portway::post("/search", json = Search)]
    async fn search() {}

    #[portway::post("/lookup", json = Lookup, map = remap)]
    async fn lookup() {}

    #[portway::post("/tags", form = Tags, map = join)]
    async fn tags() {}

    #[portway::get("/pages", query = Page, before = [window])]
    async fn pages() {}

    #[portway::post("/signed", map = verify)]
    async fn signed() {}
}

#[tokio::main]
async fn main() -> Result<(), Problems> {
    let gateway = Gateway::builder().mount_service(shop::routes(), [upstream()]).build()?;
    gateway.run(&listen()).await?;
    Ok(())
}
