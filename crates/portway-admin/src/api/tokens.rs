//! Tokens of the API.

use http::StatusCode;

use super::{
    answer::{Answer, Failure, Made},
    context::Context,
};
use crate::access::TokenRequest;

/// `GET /api/v1/tokens`
pub(crate) async fn list(context: Context) -> Result<Made, Failure> {
    Ok(Answer::of(context.api.tokens.list(&context.who).await?).into())
}

/// `POST /api/v1/tokens`
pub(crate) async fn create(context: Context) -> Result<Made, Failure> {
    let request: TokenRequest = context.object()?;
    let new = context.api.tokens.make(&context.who, request).await?;
    Ok(Answer::of(new).status(StatusCode::CREATED).into())
}

/// `DELETE /api/v1/tokens/{name}`
pub(crate) async fn revoke(context: Context) -> Result<Made, Failure> {
    let name = context.param("name").to_owned();
    Ok(Answer::of(context.api.tokens.revoke(&context.who, &name).await?).into())
}
