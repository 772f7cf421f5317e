//! What may be asked for at the same time.

use portway::{
    Head, HookResult, MapResult, RawBody, Scope,
    code::{Client, Cookies, RequestId},
    plugin::{Error, Response},
};

pub struct Keys;
pub struct User;
#[derive(Clone)]
pub struct Limit;

#[portway::hook]
pub async fn hook(
    head: &mut Head,
    scope: &mut Scope,
    keys: &Keys,
    user: &mut User,
    limit: Limit,
    body: RawBody,
    Client(client): Client,
    id: RequestId,
    _: Option<Cookies<Vec<String>>>,
) -> HookResult {
    let _ = (head, scope, keys, user, limit, body, client, id);
    Ok(())
}

#[portway::hook]
pub async fn with_lifetimes(head: &mut Head<'_>, scope: &Scope<'_>) {
    let _ = (head, scope);
}

#[portway::hook]
pub async fn answers(user: Option<&'static str>) -> Result<Option<Response>, Error> {
    let _ = user;
    Ok(None)
}

#[portway::map]
pub async fn borrows<'a>(input: &'a String, prefix: &'a String) -> MapResult<(&'a str, &'a str)> {
    Ok((input, prefix))
}

#[portway::map]
pub async fn takes_a_part(input: &String) -> MapResult<&str> {
    Ok(input.trim())
}

#[portway::map]
pub async fn only_looks(input: String, keys: &Keys, user: &mut User) -> MapResult<()> {
    let _ = (input, keys, user);
    Ok(())
}

#[portway::after]
pub async fn sees_failures(outcome: &mut Result<Response, Error>, head: &Head, user: &User) {
    let _ = (outcome, head, user);
}
