//! Errors in the program's own words, and observers.

use std::sync::{Arc, Mutex};

use portway::{
    Gateway, Halt, HookResult,
    observe::{Event, What},
    plugin::Error,
};

use crate::Declared;

#[portway::hook]
async fn refuse() -> HookResult {
    Err(Halt::forbidden("not you").because("it is Monday"))
}

#[portway::hook]
async fn answer() -> HookResult {
    Err(Halt::bad_request_json(&["as it is"]))
}

#[portway::service(prefix = "/shop")]
mod shop {
    use super::{answer, refuse};

    #[portway::get("/open")]
    async fn open() {}

    #[portway::get("/closed", before = [refuse])]
    async fn closed() {}

    #[portway::get("/own", before = [answer])]
    async fn own() {}
}

fn rendered(error: &Error, id: &str) -> portway::plugin::Response {
    let mut answer = http::Response::new(format!("{}|{}", error.code(), !id.is_empty()).into());
    *answer.status_mut() = error.status();
    answer
}

#[tokio::test]
async fn one_renderer_tells_all_errors_but_the_answers_of_code() {
    let gateway =
        Declared::with(Gateway::builder().error_renderer(rendered), &[shop::routes()]).await;
    for (path, status, body) in [
        ("/shop/closed", 403, "forbidden|true"),
        ("/nowhere", 404, "no_route|true"),
        ("/shop/own", 400, "[\"as it is\"]"),
    ] {
        let answer = gateway.get(path).await;
        assert_eq!((answer.status, answer.text().as_str()), (status, body));
    }
    let answer = gateway.post("/shop/open", "").await;
    assert_eq!((answer.status, answer.text().as_str()), (405, "method_not_allowed|true"));
    assert_eq!(answer.headers["allow"], "GET, HEAD");
}

#[tokio::test]
async fn an_observer_hears_how_it_goes() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&heard);
    let observer = move |event: &Event<'_>| {
        assert!(!event.request_id.is_empty());
        let what = match event.what {
            What::Started { path, chain, .. } => format!("started {path} {chain}"),
            What::Refused { error } => format!("refused {} {}", error.code(), error.cause()),
            What::EndpointChosen { .. } => "chosen".to_owned(),
            What::Answered { status, .. } => format!("answered {status}"),
            What::Failed { error, .. } => format!("failed {}", error.code()),
            What::NotDispatched { error } => format!("not dispatched {}", error.code()),
            What::Finished { status, bytes_out, .. } => {
                format!("finished {status} {}", bytes_out > 0)
            }
            _ => "something else".to_owned(),
        };
        ears.lock().unwrap().push(format!("{} {what}", event.route.unwrap_or("-")));
    };
    let gateway = Declared::with(Gateway::builder().observer(observer), &[shop::routes()]).await;
    let closed = portway_testkit::refused_addr().unwrap();
    gateway.get("/shop/open").await;
    gateway.get("/shop/closed").await;
    let gone = Gateway::builder().mount_service(shop::routes(), [closed.url()]);
    let ears = Arc::clone(&heard);
    let gone = gone.observer(move |event: &Event<'_>| {
        if let What::Failed { error, .. } = event.what {
            ears.lock().unwrap().push(format!("failed {}", error.code()));
        }
    });
    let mut gone = gone.build().unwrap().into_service().await.unwrap();
    let asked = crate::request(http::Method::GET, "/shop/open", "");
    let answer = tower_service::Service::call(&mut gone, asked).await.unwrap();
    assert_eq!(answer.status(), 502);
    drop(answer);
    let expected = [
        "shop.open started /shop/open false",
        "shop.open chosen",
        "shop.open answered 200 OK",
        "shop.open finished 200 true",
        "shop.closed started /shop/closed true",
        "shop.closed refused forbidden it is Monday",
        "shop.closed finished 403 true",
        "failed upstream_connect",
    ];
    assert_eq!(*heard.lock().unwrap(), expected);
}

fn twice<'a>(
    call: &'a mut portway::code::Call<'_>,
) -> portway::code::BoxFuture<'a, Result<portway::plugin::Response, Halt>> {
    Box::pin(async move {
        call.forward().await?;
        call.forward().await
    })
}

#[tokio::test]
async fn a_request_goes_on_once() {
    static TABLE: portway::code::Service = portway::code::Service {
        routes: &[portway::code::Route {
            code: Some(twice),
            ..portway::code::Route::new("twice", &["GET"], "/twice")
        }],
        ..portway::code::Service::new("shop")
    };
    let answer = Declared::of(&TABLE).await.get("/twice").await;
    assert_eq!((answer.status, answer.code().as_str()), (500, "already_sent"));
}

#[test]
fn all_that_is_wrong_is_told_with_the_name_of_the_route() {
    static TABLE: portway::code::Service = portway::code::Service {
        prefix: "/shop",
        policy: Some("sticky"),
        routes: &[
            portway::code::Route {
                timeout: Some("soon"),
                to: Some("/{nothing}"),
                ..portway::code::Route::new("a", &["GET"], "/a")
            },
            portway::code::Route::new("b", &["GET"], "no/slash"),
        ],
        ..portway::code::Service::new("shop")
    };
    let built =
        Gateway::builder().mount_service(&TABLE, ["http//x"]).state(1_u8).state(2_u8).build();
    let problems = built.unwrap_err().to_string();
    for part in
        ["duplicate_state", "shop.endpoints[0]", "unknown_policy", "shop.a.timeout", "shop.b.path"]
    {
        assert!(problems.contains(part), "{part} is missing: {problems}");
    }
    let twice = Gateway::builder().backend("shop", ["http://127.0.0.1:1"]);
    let twice = twice.mount(same::routes()).mount(same::routes()).build();
    let problems = twice.unwrap_err().to_string();
    assert!(problems.contains("the service \"same\" is mounted twice"), "{problems}");
}

#[portway::service]
mod same {
    #[portway::get("/one")]
    async fn one() {}
}
