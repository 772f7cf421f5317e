//! Has the products. They are written as JSON for every answer, as a service does that reads them
//! from somewhere.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Answer, json, refused};

#[derive(Serialize)]
struct Product {
    id: &'static str,
    owner_id: &'static str,
    name: &'static str,
    price: i64,
    category: &'static str,
}

const PRODUCTS: [Product; 7] = [
    product("p1", "u1", "Blue pen", 200, "office"),
    product("p2", "u1", "Notebook A5", 500, "office"),
    product("p3", "u1", "Paper clips", 50, "office"),
    product("p4", "u2", "Ceramic mug", 800, "kitchen"),
    product("p5", "u2", "Tea spoon", 100, "kitchen"),
    product("p6", "u3", "Desk lamp", 3000, "home"),
    product("p7", "u3", "Floor mat", 1500, "home"),
];

const fn product(
    id: &'static str,
    owner_id: &'static str,
    name: &'static str,
    price: i64,
    category: &'static str,
) -> Product {
    Product { id, owner_id, name, price, category }
}

#[derive(Deserialize)]
struct Search {
    category: Option<String>,
    max_price: Option<i64>,
}

#[derive(Deserialize)]
struct Lookup {
    query: String,
    limit: usize,
}

pub(super) async fn answer(request: Request<Incoming>) -> hyper::Result<Answer> {
    Ok(match (request.method(), request.uri().path()) {
        (&Method::GET, "/items") => products(|_| true, usize::MAX),
        (&Method::GET, "/my-items") => match request.headers().get("x-user-id") {
            Some(user) => products(|one| user == one.owner_id, usize::MAX),
            None => refused(StatusCode::UNAUTHORIZED, "nobody said who asks"),
        },
        (&Method::POST, "/items/search") => match read::<Search>(request).await? {
            Some(search) => products(
                |one| {
                    search.category.as_ref().is_none_or(|category| category == one.category)
                        && search.max_price.is_none_or(|most| one.price <= most)
                },
                usize::MAX,
            ),
            None => refused(StatusCode::BAD_REQUEST, "not a search"),
        },
        (&Method::POST, "/items/lookup") => match read::<Lookup>(request).await? {
            Some(Lookup { query, limit }) => {
                let query = query.to_lowercase();
                products(|one| one.name.to_lowercase().contains(&query), limit)
            }
            None => refused(StatusCode::BAD_REQUEST, "not a lookup"),
        },
        _ => refused(StatusCode::NOT_FOUND, "not found"),
    })
}

async fn read<T: DeserializeOwned>(request: Request<Incoming>) -> hyper::Result<Option<T>> {
    let body: Bytes = request.into_body().collect().await?.to_bytes();
    Ok(serde_json::from_slice(&body).ok())
}

fn products(wanted: impl Fn(&Product) -> bool, most: usize) -> Answer {
    let found: Vec<&Product> = PRODUCTS.iter().filter(|one| wanted(one)).take(most).collect();
    json(serde_json::to_vec(&found).expect("texts and numbers are JSON"))
}
