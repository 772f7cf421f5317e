use portway::{Head, RawBody, Scope};

struct User;

#[portway::hook]
async fn to_read_and_to_change(one: &User, other: &mut User) {}

#[portway::hook]
async fn to_change(one: &mut User, other: &mut User) {}

#[portway::hook]
async fn to_read(one: &User, other: &User) {}

#[portway::hook]
async fn heads(one: &mut Head, other: &Head) {}

#[portway::hook]
async fn scopes(one: &mut Scope, other: &mut Scope) {}

#[portway::hook]
async fn bodies(one: RawBody, other: RawBody) {}
