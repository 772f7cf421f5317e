//! Routes without code, and what is done to their paths.

use crate::Declared;

#[portway::service(name = "sales", prefix = "/sales/")]
mod sales {
    #[portway::get("/ping")]
    async fn ping() {}

    #[portway::get("/")]
    async fn root() {}

    #[portway::get("/items/{id}", to = "/internal/{id}/item")]
    async fn item() {}

    #[portway::post("/fixed", to = "/elsewhere")]
    async fn fixed() {}

    #[portway::any("/files/{*rest}", to = "/static/{rest}")]
    async fn files() {}

    #[portway::route("/several", methods = ["PUT", "PURGE"])]
    async fn several() {}
}

#[tokio::test]
async fn the_prefix_is_taken_off_and_templates_are_filled() {
    let gateway = Declared::of(sales::routes()).await;
    for (path, seen) in [
        ("/sales/ping", "/ping"),
        ("/sales/ping?a=1", "/ping"),
        ("/sales", "/"),
        ("/sales/items/7", "/internal/7/item"),
        ("/sales/files/a/b/c.txt", "/static/a/b/c.txt"),
    ] {
        let answer = gateway.get(path).await;
        assert_eq!((answer.status, answer.json()["path"].as_str()), (200, Some(seen)), "{path}");
    }
    let answer = gateway.post("/sales/fixed?q=x", "body").await;
    assert_eq!(answer.json()["path"], "/elsewhere");
    assert_eq!(answer.json()["query"], "q=x");
}

#[tokio::test]
async fn methods_are_those_of_the_attribute() {
    let gateway = Declared::of(sales::routes()).await;
    let status = async |method: &str, path: &str| {
        let method = method.parse().expect("a method");
        gateway.ask(crate::request(method, path, "")).await.status
    };
    assert_eq!(status("HEAD", "/sales/ping").await, 200);
    assert_eq!(status("POST", "/sales/ping").await, 405);
    assert_eq!(status("PURGE", "/sales/several").await, 200);
    assert_eq!(status("GET", "/sales/several").await, 405);
    assert_eq!(status("DELETE", "/sales/files/x").await, 200);
    assert_eq!(status("GET", "/other").await, 404);
}
