//! How a listener comes to a port that other processes have too, and how it leaves it, so that no connection is lost.
//!
//! The kernel gives every new connection to one of the sockets of a port, whoever's they are, and resets what a socket
//! has not accepted when it closes. So a socket that is to close takes no new connection first: what asks for one is
//! not answered, and asks again a second later, when the socket is gone and another one answers. Those that had begun
//! to connect are accepted meanwhile. Never here: accepting.

use std::time::{Duration, Instant};

use socket2::{SockFilter, SockRef};
use tokio::net::TcpListener;

use super::accept::Drain;
use super::door::Door;

/// How long those who have begun to connect have to come to the end of it. It is longer than a way around the world, and
/// shorter than the second after which others ask again.
const BEGUN: Duration = Duration::from_millis(500);

/// Lets through all that comes to a socket but what asks for a new connection (`SYN` without `ACK`).
const NO_NEW_CONNECTION: [SockFilter; 5] = [
    SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
    SockFilter::new(AND, 0, 0, SYN | ACK),
    SockFilter::new(JUMP_IF_EQUAL, 0, 1, SYN),
    SockFilter::new(RETURN, 0, 0, 0),
    SockFilter::new(RETURN, 0, 0, u32::MAX),
];
// The instructions of the classic packet filter (linux/bpf_common.h), and what they find in the header of TCP.
const LOAD_BYTE: u16 = 0x30;
const AND: u16 = 0x54;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;
const FLAGS: u32 = 13;
const SYN: u32 = 0x02;
const ACK: u32 = 0x10;

/// Waits until the listener may be accepted from. `false` when it was told to stop before.
pub(super) async fn until_open(door: &Door, drain: &Drain) -> bool {
    let Some(mut opened) = door.opened.clone() else {
        return true;
    };
    let mut shutdown = drain.shutdown.clone();
    tokio::select! {
        biased;
        _ = shutdown.wait_for(|stop| *stop) => false,
        opened = opened.wait_for(|open| *open) => opened.is_ok(),
    }
}

/// Waits until the listener is to be closed. When it was told to stop.
pub(super) async fn until_closing(socket: &TcpListener, door: &Door, mut drain: Drain) -> Instant {
    // Its sender being gone says the same.
    let _told = drain.shutdown.wait_for(|stop| *stop).await.is_ok();
    let told = Instant::now();
    if door.opened.is_some() {
        match SockRef::from(socket).attach_filter(&NO_NEW_CONNECTION) {
            Ok(()) => tokio::time::sleep(BEGUN.min(drain.deadline)).await,
            Err(error) => {
                tracing::warn!(listener = %door.name, %error, "connections that have just begun may be lost");
            }
        }
    }
    told
}
