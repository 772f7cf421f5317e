//! Requests through the gateway: what is refused, what is forwarded and how, what comes back, and
//! what happens when clients and upstreams misbehave.

mod abuse;
mod bodies;
mod bridges;
mod connections;
mod domains;
mod errors;
mod faults;
mod files;
mod first;
mod grpc;
mod heads;
mod http2_upstreams;
mod introduced;
mod layer4;
mod leaving;
mod listeners;
mod nginx;
mod paths;
mod rapid_reset;
mod refused;
mod replies;
mod reuse;
mod streams;
mod tls;
mod versions;
