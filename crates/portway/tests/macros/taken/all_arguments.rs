//! Every argument there is.

use std::collections::HashMap;

use portway::{Head, HookResult, MapResult, RawBody, code::Json, plugin::Response};

type Fields = HashMap<String, String>;

#[portway::hook]
pub async fn look(head: &mut Head) -> HookResult {
    head.set_header("x-looked", "yes")
}

#[portway::map]
pub async fn remap(input: Fields) -> MapResult<Fields> {
    Ok(input)
}

#[portway::map]
pub async fn raw(body: RawBody) -> MapResult<RawBody> {
    Ok(body)
}

#[portway::after]
pub async fn stamp(answer: &mut Response) {
    answer.headers_mut().clear();
}

#[portway::service(
    name = "shop",
    prefix = "/shop",
    policy = "sticky",
    hosts = ["shop.example"],
    plugins = ["limits"],
)]
pub mod shop {
    use super::{Fields, Json};

    #[portway::get("/", to = "/home")]
    async fn home() {}

    #[portway::get("/items/{id}", to = "/v2/{id}", path = u32, query = Fields)]
    async fn item() {}

    #[portway::post(
        "/items",
        json = Fields,
        before = [super::look, super::look],
        map = super::remap,
        after = [super::stamp],
        policy = "other",
        timeout = "5s",
        body_limit = "1MiB",
        hosts = ["other.example"],
        plugins = ["more"],
    )]
    async fn add() {}

    #[portway::put("/items/{id}", form = Fields)]
    async fn replace() {}

    #[portway::patch("/items/{id}", multipart, map = super::raw)]
    async fn change() {}

    #[portway::delete("/items/{id}", handler)]
    async fn remove(head: &Head) -> Json<String> {
        Json(head.uri().to_string())
    }

    #[portway::head("/all")]
    async fn all() {}

    #[portway::options("/all")]
    async fn ask() {}

    #[portway::any("/files/{*rest}")]
    async fn files() {}

    #[portway::route("/purge", methods = ["PURGE", "M-SEARCH"])]
    async fn purge() {}

    use portway::Head;
}

pub fn program() -> portway::Builder {
    portway::Gateway::builder().mount(shop::routes())
}
