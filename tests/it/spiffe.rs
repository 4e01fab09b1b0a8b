//! X.509 identities of SPIFFE: from a Workload API, which is a server of gRPC that others wrote (`tests/spiffe`, Python's
//! `grpcio` and `protobuf`), and from files; shown by listeners, shown to upstreams, and asked of upstreams.

mod agent;
mod faults;
mod gateway;
mod upstream;
