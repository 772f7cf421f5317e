use http::Method;
use portway_plugin::Problem;
use portway_testkit::plugin::Stage;
use serde_json::{Value, json};

use super::RequestHeaders;

async fn stage(spec: Value) -> Stage {
    Stage::of::<RequestHeaders>(spec).await.unwrap()
}

fn problem(spec: Value) -> Problem {
    Stage::unstarted::<RequestHeaders>(spec).unwrap_err()
}

fn lines(seen: &portway_testkit::plugin::Seen, name: &str) -> Vec<String> {
    let target = seen.target().expect("it was sent on");
    let lines = target.headers().get_all(name).iter();
    lines.map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn fields_are_removed_renamed_set_and_added_in_this_order() {
    let stage = stage(json!({
        "add": {"x-b": "added", "x-n": ["1", "2"]},
        "set": {"x-c": "set", "x-r": "again"},
        "rename": {"x-a": "x-b", "x-gone": "x-kept"},
        "remove": ["x-r", "x-b"],
    }))
    .await;
    let sent =
        [("x-a", "1"), ("x-a", "2"), ("x-b", "old"), ("x-c", "old"), ("x-r", "r"), ("x-kept", "k")];
    let seen = stage.ask(Method::GET, "/", &sent).await;
    assert_eq!(lines(&seen, "x-a"), [""; 0]);
    assert_eq!(lines(&seen, "x-b"), ["1", "2", "added"]);
    assert_eq!(lines(&seen, "x-c"), ["set"]);
    assert_eq!(lines(&seen, "x-r"), ["again"]);
    assert_eq!(lines(&seen, "x-n"), ["1", "2"]);
    assert_eq!(lines(&seen, "x-kept"), ["k"]);
}

#[tokio::test]
async fn two_fields_may_change_places() {
    let stage = stage(json!({"rename": {"x-a": "x-b", "x-b": "x-a"}})).await;
    let seen = stage.ask(Method::GET, "/", &[("x-a", "1"), ("x-b", "2")]).await;
    assert_eq!((seen.sent("x-a"), seen.sent("x-b")), ("2", "1"));
}

#[tokio::test]
async fn values_are_made_of_the_request_and_its_route() {
    let template = "{request.method} {request.scheme}://{request.host}{request.path} \
                    {request.client} {request.id} {request.query.q} {request.header.x-a} {id} {{}}";
    let mut stage = stage(json!({"set": {"x-all": template, "x-a": "new"}})).await;
    stage.known.parameters.insert("id".to_owned(), "7".to_owned());
    let sent = [("x-a", "a"), ("x-a", "b")];
    let seen = stage.ask(Method::PUT, "/p?z=0&q=a%2Bb&q=c", &sent).await;
    let made = "PUT http://example.com/p 192.0.2.1 0123456789abcdef a+b a, b 7 {}";
    assert_eq!(seen.sent("x-all"), made);
    assert_eq!(seen.sent("x-a"), "new");
    let missing = stage.get("/p").await;
    assert!(missing.sent("x-all").ends_with("0123456789abcdef   7 {}"));
}

#[tokio::test]
async fn no_value_ends_a_line() {
    let stage = stage(json!({"set": {"x-q": "<{request.query.q}>"}})).await;
    let seen = stage.get("/?q=a%0d%0aX-Evil:%201%00%e9").await;
    assert_eq!(seen.sent("x-q"), "<a%0D%0AX-Evil: 1%00%E9>");
    assert_eq!(seen.sent("x-evil"), "");
    for value in ["a\r\nx: y", "a\n", "{request.nothing}", "{a", " a"] {
        assert_eq!(problem(json!({"set": {"x": value}})).code, "bad_value", "{value:?}");
    }
}

#[test]
fn what_frames_and_what_is_ours_cannot_be_named() {
    for name in ["content-length", "Transfer-Encoding", "connection", "host", "x-forwarded-for"] {
        for (spec, key) in [
            (json!({"remove": ["x-a", name]}), "remove[1]".to_owned()),
            (json!({"set": {name: "1"}}), format!("set.{}", name.to_lowercase())),
            (json!({"add": {name: "1"}}), format!("add.{}", name.to_lowercase())),
            (json!({"rename": {"x-a": name}}), "rename.x-a".to_owned()),
            (json!({"rename": {name: "x-a"}}), format!("rename.{}", name.to_lowercase())),
        ] {
            let problem = problem(spec);
            assert_eq!((problem.code, problem.path), ("forbidden_field", key), "{name}");
        }
    }
    let host = problem(json!({"set": {"host": "a"}}));
    assert_eq!(host.hint.as_deref(), Some("use the plugin rewrite: {host: …}"));
}

#[test]
fn a_spec_must_not_contradict_itself() {
    let twice = problem(json!({"rename": {"x-a": "x-c", "x-b": "x-c"}}));
    assert_eq!((twice.code, &*twice.path), ("contradiction", "rename.x-a"));
    let gone = problem(json!({"rename": {"x-a": "x-c"}, "remove": ["x-a"]}));
    assert_eq!((gone.code, &*gone.path), ("contradiction", "rename.x-a"));
}
