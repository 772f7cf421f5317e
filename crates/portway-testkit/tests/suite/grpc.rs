//! The cases of gRPC without a gateway, and against what is not gRPC.

use std::time::Duration;

use portway_testkit::grpc::{self, Interop, InteropClient};
use portway_testkit::{Echo, eventually};

#[tokio::test]
async fn every_case_passes_without_a_gateway() {
    let server = Interop::start().await.unwrap();
    let client = InteropClient::h2c(server.addr()).await.unwrap();
    grpc::run_all(&client).await.unwrap();

    eventually("no call is left", || server.open_calls() == 0).await.unwrap();
    // The two that the cases cancel; one at its deadline ends by a status.
    assert_eq!(server.cancelled(), 2);
}

/// Else a case could pass whatever happens.
#[tokio::test]
async fn every_case_fails_against_what_is_not_grpc() {
    let echo = Echo::start().await.unwrap();
    for (name, case) in grpc::cases() {
        let client = InteropClient::h2c(echo.addr()).await.unwrap();
        let client = client.with_deadline(Duration::from_millis(200));
        let error = case(&client).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("{name}: ")), "{error}");
    }
}
