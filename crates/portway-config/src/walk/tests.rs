use portway_plugin::value::FORMATS;
use serde_json::json;

use super::*;
use crate::document::parse;

/// Walks `text` by `schema` and shows the problems, one a line.
fn problems(schema: &serde_json::Value, text: &str) -> Vec<String> {
    let (node, problems) = parse(text, "f.yaml");
    assert!(problems.is_empty(), "{problems:?}");
    let found = walk(&mut node.unwrap(), &Shapes::of(schema, &[FORMATS]), "f");
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn everything_is_reported_at_once() {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "format": "portway-name" },
            "port": { "type": "integer", "format": "uint16" },
            "wait": { "type": ["string", "integer"], "format": "portway-duration" },
            "on": { "type": "boolean" },
            "tags": { "type": "array", "items": { "type": "string" } },
            "labels": { "type": "object", "additionalProperties": { "type": "string" } },
        },
        "required": ["name", "port"],
    });
    let text = "nmae: a\nname: a b\nwait: 5\non: yes\ntags: a, b\nlabels: {x: 1}\nport: 70000\n";
    assert_eq!(
        problems(&schema, text),
        [
            "f:1:1: nmae: unknown key \"nmae\" (unknown_key)\n  hint: did you mean \"name\"?",
            "f:2:7: name: \"a b\" is not a name: it contains ' ' (bad_value)\n  hint: use letters, \
             digits, \"-\", \"_\" and \".\", and begin with a letter or a digit",
            "f:3:7: wait: \"5\" is not a duration: it has no unit (bad_value)\n  \
             hint: write 5s or 5ms",
            "f:4:5: on: expected true or false, found the string \"yes\" (wrong_type)\n  \
             hint: write true",
            "f:5:7: tags: expected a list, found the string \"a, b\" (wrong_type)\n  \
             hint: write [a, b]",
            "f:6:13: labels.x: expected a string, found the integer 1 (wrong_type)\n  \
             hint: put quotes around it: \"1\"",
            "f:7:7: port: 70000 is not between 0 and 65535 (out_of_range)",
        ]
    );
    assert_eq!(
        problems(&schema, "name:\nport: \"80\""),
        [
            "f:2:7: port: expected an integer, found the string \"80\" (wrong_type)\n  \
             hint: leave the quotes out",
            "f:1:1: name: the key \"name\" is missing (missing_key)",
        ]
    );
}

#[test]
fn the_form_that_was_meant_is_found() {
    let schema = json!({
        "oneOf": [
            { "const": "upstream" },
            { "const": "preserve" },
            {
                "type": "object",
                "properties": { "fixed": { "type": "string", "format": "portway-host" } },
                "required": ["fixed"],
                "additionalProperties": false,
            },
        ],
    });
    assert_eq!(problems(&schema, "upstream"), [""; 0]);
    assert_eq!(problems(&schema, "{fixed: a.b}"), [""; 0]);
    for (text, problem) in [
        (
            "upstraem",
            "f:1:1: \"upstraem\" is not one of upstream, preserve, {fixed: …} (unknown_value)\n  \
             hint: did you mean upstream?",
        ),
        (
            "{fixd: a}",
            "f:1:2: fixd: unknown key \"fixd\" (unknown_key)\n  hint: did you mean \"fixed\"?",
        ),
        ("{}", "f:1:1: expected one of the keys fixed, found none (one_of)"),
        (
            "{fixed: a/b}",
            "f:1:9: fixed: \"a/b\" is not a host: a name has letters, digits, \"-\", \"_\" and \
             dots (bad_value)",
        ),
        ("[a]", "f:1:1: expected upstream or preserve or {fixed: …}, found a list (wrong_type)"),
    ] {
        assert_eq!(problems(&schema, text), [problem]);
    }
}
