//! Replies that are made from templates: well-formed, and of values that exist.

use portway_plugin::{
    Problem,
    value::{InvalidTemplate, Quoted, RequestValue, TextTemplate},
};

use super::{Findings, RouteFrom, captures::must_be_captured};
use crate::{
    resource::{Reply, Route, Target},
    walk::closest,
};

pub(super) fn one(route: &Route, from: RouteFrom, findings: &mut Findings) {
    if let Some(Target::Reply(reply)) = &route.target
        && reply.template
    {
        self::reply(reply, route, from, findings);
    }
}

fn reply(reply: &Reply, route: &Route, from: RouteFrom, findings: &mut Findings) {
    template(&reply.body, "body", route, from, findings);
    for (name, value) in &reply.headers {
        let read = template(value.as_str(), "headers", route, from, findings);
        // How values are escaped must be known before there is a request.
        if name.as_str() == "content-type" && read.is_some_and(|read| !read.is_constant()) {
            let message = "content-type decides how values are escaped, so it can have none in it";
            let problem = Problem::new("bad_template", message);
            findings.problem(problem.at(format!("{from}.target.reply.headers")));
        }
    }
}

fn template(
    text: &str,
    key: &str,
    route: &Route,
    from: RouteFrom,
    findings: &mut Findings,
) -> Option<TextTemplate> {
    let path = format!("target.reply.{key}");
    match text.parse::<TextTemplate>() {
        Ok(template) => {
            let captures: Vec<_> = template.captures().collect();
            must_be_captured(&captures, route, from, &path, findings);
            Some(template)
        }
        Err(invalid) => {
            findings.problem(refusal(text, &invalid).at(format!("{from}.{path}")));
            None
        }
    }
}

fn refusal(text: &str, invalid: &InvalidTemplate) -> Problem {
    let Some(unknown) = &invalid.unknown else {
        let message = format!("{} is not a template: {invalid}", Quoted(text));
        return Problem::new("bad_template", message)
            .hint("write {{ and }} for braces that stand for themselves");
    };
    let message = format!("there is no value {}", Quoted(unknown));
    let problem = Problem::new("unknown_template_value", message);
    match closest(unknown, RequestValue::NAMES.into_iter()) {
        Some(meant) => problem.hint(format!("did you mean {{{meant}}}?")),
        None => problem.hint(format!("there are {}", RequestValue::NAMES.join(", "))),
    }
}
