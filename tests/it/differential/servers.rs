//! The two servers. Each says how it reads a target, one reading a line.

use std::process::Command;

use tempfile::TempDir;

use crate::support::servers::{Server, free_address, tool};

/// `$uri` is what nginx has read, and what its locations and files are found by.
const NGINX: &str =
    "listen {address}; location / { default_type text/plain; return 200 \"$uri\\n\"; }";

/// The target as it came, and as the readings of Node's own modules make it: URL, decoded, normalised, as on Windows.
const NODE: &str = "
const path = require('path');
require('http').createServer({ keepAliveTimeout: 60000 }, (request, response) => {
  const readings = new Set();
  const add = (read) => { try { const one = read(); if (typeof one === 'string') readings.add(one); } catch {} };
  const raw = request.url.split('?')[0];
  const url = () => new URL(request.url, 'http://localhost').pathname;
  const old = () => require('url').parse(request.url).pathname;
  for (const one of [() => raw, url, old]) {
    add(one);
    add(() => decodeURIComponent(one()));
    add(() => path.posix.normalize(one()));
    add(() => path.posix.normalize(decodeURIComponent(one())));
    add(() => path.win32.normalize(decodeURIComponent(one())).replaceAll('\\\\', '/'));
    add(() => decodeURIComponent(one()).split(';')[0]);
    add(() => decodeURIComponent(one()).toLowerCase());
  }
  const body = [...readings].map((reading) => reading.replaceAll(/[\\r\\n]/g, ' ')).join('\\n') + '\\n';
  response.setHeader('content-length', Buffer.byteLength(body));
  response.end(body);
}).listen(PORT, '127.0.0.1');
";

pub(super) async fn nginx() -> Option<Server> {
    Server::nginx(NGINX).await
}

pub(super) async fn node() -> Option<Server> {
    let binary = tool("BOOMGATE_NODE")?;
    let address = free_address();
    let mut command = Command::new(binary);
    let script = NODE.replace("PORT", &address.port().to_string());
    command.arg("-e").arg(script);
    Some(Server::start("node", command, address, TempDir::new().unwrap()).await)
}
