//! X.509 identities of SPIFFE: from a Workload API, which is a server of gRPC in Python (`tests/spiffe`,
//! with `grpcio`), and from files; shown by listeners, shown to upstreams, and asked of upstreams.

mod agent;
mod faults;
mod gateway;
mod upstream;
