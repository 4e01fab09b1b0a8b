//! Room 6: sends a small request of our own to a configured `https` address: for a key set, to a control plane.
//!
//! No redirect is followed, nothing is read past the limits, and no certificate is trusted but those of the given
//! bundle, or of the operating system. Never here: a call, and an address that a token or a caller names.

pub mod workload;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is not one that is asked.
    #[error("`{0}` is not an address of the form `https://host[:port]/path`")]
    Address(String),
    /// The host is neither a name nor an address.
    #[error("`{0}` is not a host name")]
    Host(String, #[source] InvalidDnsNameError),
    /// The CA bundle cannot be read.
    #[error("the CA bundle `{0}` cannot be read as PEM")]
    CaFile(PathBuf, #[source] rustls::pki_types::pem::Error),
    /// The certificate or the key that this side shows cannot be read.
    #[error("`{0}` cannot be read as PEM")]
    Identity(PathBuf, #[source] rustls::pki_types::pem::Error),
    /// They are not one pair, or there is none.
    #[error("{0} cannot be used together")]
    Pair(String, #[source] rustls::Error),
    /// There are no certificates to trust.
    #[error("there is no CA certificate to trust{0}")]
    NoRoots(String),
    /// The TLS library refuses the settings.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// No TCP connection, or no TLS session over it.
    #[error("no connection to `{0}`")]
    Connect(String, #[source] io::Error),
    /// The peer does not speak HTTP/1.1, or broke off.
    #[error("the answer of `{0}` is not complete")]
    Http(String, #[source] hyper::Error),
    /// The answer is too large.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// It took too long.
    #[error("no complete answer within {0:?}")]
    TimedOut(Duration),
}

/// What one exchange may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// All of it: connecting, handshake, answer.
    pub timeout: Duration,
    /// The size of the answer's body in bytes.
    pub max_bytes: usize,
}

/// What this side shows to a server that asks for a certificate.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// PEM: the chain, leaf first.
    pub certificate_file: &'a Path,
    /// PEM: the leaf's private key.
    pub key_file: &'a Path,
}

/// TLS of a client that trusts the certificates of `ca_file`, else the operating system's. Reads files.
///
/// # Errors
/// [`ClientError`] if there is nothing to trust.
pub fn tls(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, ClientError> {
    Client::new(ca_file).map(|client| client.tls)
}

/// Asks servers whose certificates lead to a trusted root, on a connection per request.
#[derive(Debug, Clone)]
pub struct Client {
    tls: Arc<ClientConfig>,
}

impl Client {
    /// Trusts the certificates of `ca_file`, else the operating system's. Reads files: to be called where that may block.
    ///
    /// # Errors
    /// [`ClientError`] if there is nothing to trust.
    pub fn new(ca_file: Option<&Path>) -> Result<Self, ClientError> {
        Self::with_identity(ca_file, None)
    }

    /// The same, which shows a certificate where a server asks for one.
    ///
    /// # Errors
    /// [`ClientError`] if there is nothing to trust, or nothing to show.
    pub fn with_identity(
        ca_file: Option<&Path>,
        identity: Option<Identity<'_>>,
    ) -> Result<Self, ClientError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(ClientError::Tls)?
            .with_root_certificates(roots(ca_file)?);
        let tls = match identity {
            None => builder.with_no_client_auth(),
            Some(Identity {
                certificate_file,
                key_file,
            }) => {
                let unreadable = |path: &Path, fault| ClientError::Identity(path.to_owned(), fault);
                let chain = CertificateDer::pem_file_iter(certificate_file)
                    .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                    .map_err(|fault| unreadable(certificate_file, fault))?;
                let key = PrivateKeyDer::from_pem_file(key_file)
                    .map_err(|fault| unreadable(key_file, fault))?;
                let pair = |fault| {
                    let (certificate, key) = (certificate_file.display(), key_file.display());
                    let pair = format!("the certificate of `{certificate}` and the key of `{key}`");
                    ClientError::Pair(pair, fault)
                };
                builder.with_client_auth_cert(chain, key).map_err(pair)?
            }
        };
        Ok(Self { tls: Arc::new(tls) })
    }

    /// Sends a request to the address that it names, and reads the answer whole, whatever its status.
    ///
    /// # Errors
    /// [`ClientError`]; then nobody knows whether the request took effect.
    pub async fn send(
        &self,
        request: Request<Bytes>,
        limits: Limits,
    ) -> Result<Response<Bytes>, ClientError> {
        tokio::time::timeout(limits.timeout, self.exchange(request, limits.max_bytes))
            .await
            .unwrap_or(Err(ClientError::TimedOut(limits.timeout)))
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        max_bytes: usize,
    ) -> Result<Response<Bytes>, ClientError> {
        let target = Target::of(request.uri())?;
        let connect = |fault| ClientError::Connect(target.authority.clone(), fault);
        let http = |fault| ClientError::Http(target.authority.clone(), fault);
        let stream = TcpStream::connect((target.host.as_str(), target.port))
            .await
            .map_err(connect)?;
        let stream = TlsConnector::from(Arc::clone(&self.tls))
            .connect(target.name, stream)
            .await
            .map_err(connect)?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(http)?;
        // The connection's task ends with this function, however it ends.
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        let mut request = request.map(Full::new);
        *request.uri_mut() = target.path;
        let headers = request.headers_mut();
        if let Ok(host) = target.authority.parse() {
            headers.insert(header::HOST, host);
        }
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::ACCEPT, json);
        let response = sender.send_request(request).await.map_err(http)?;
        let (head, body) = response.into_parts();
        match Limited::new(body, max_bytes).collect().await {
            Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
            Err(fault) if fault.is::<LengthLimitError>() => Err(ClientError::TooLarge(max_bytes)),
            Err(fault) => Err(match fault.downcast() {
                Ok(fault) => http(*fault),
                Err(fault) => connect(io::Error::other(fault)),
            }),
        }
    }
}

/// Where a request goes.
struct Target {
    host: String,
    port: u16,
    /// As the `Host` header names it.
    authority: String,
    name: ServerName<'static>,
    path: Uri,
}

impl Target {
    fn of(uri: &Uri) -> Result<Self, ClientError> {
        let refused = || ClientError::Address(uri.to_string());
        let authority = uri.authority().ok_or_else(refused)?;
        if uri.scheme_str() != Some("https") || authority.as_str().contains('@') {
            return Err(refused());
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host.clone())
            .map_err(|fault| ClientError::Host(host.clone(), fault))?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            port: authority.port_u16().unwrap_or(443),
            authority: authority.as_str().to_owned(),
            path: path.parse().ok().ok_or_else(refused)?,
            host,
            name,
        })
    }
}

/// Reads an address of the form `https://host[:port]/path`, without a user and a fragment.
///
/// # Errors
/// [`ClientError::Address`] or [`ClientError::Host`]
pub fn parse_address(address: &str) -> Result<Uri, ClientError> {
    let refused = || ClientError::Address(address.to_owned());
    let uri: Uri = address.parse().ok().ok_or_else(refused)?;
    // `Uri` leaves a fragment out in silence.
    if address.contains('#') {
        return Err(refused());
    }
    Target::of(&uri).map(|_| uri)
}

/// The trusted roots. None at all is an error, not a client that trusts nobody in silence.
fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, ClientError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca_file {
        let unreadable = |fault| ClientError::CaFile(path.to_owned(), fault);
        for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
            roots
                .add(certificate.map_err(unreadable)?)
                .map_err(ClientError::Tls)?;
        }
    } else {
        // Some of the system's certificates may be ones that the library refuses; the others do.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if roots.is_empty() {
        let of = ca_file.map(|path| format!(" in `{}`", path.display()));
        return Err(ClientError::NoRoots(of.unwrap_or_default()));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_addresses_without_a_user_are_asked() {
        assert!(parse_address("https://login.example.com/keys?x=1").is_ok());
        assert!(parse_address("https://[::1]:8443/keys").is_ok());
        for refused in [
            "http://login.example.com/keys",
            "https://user@login.example.com/keys",
            "https://login.example.com/keys#x",
            "/keys",
            "https://",
            "file:///etc/passwd",
            "https://a_b!/keys",
        ] {
            assert!(parse_address(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_bundle_without_a_certificate_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let fault = Client::new(Some(file.path())).unwrap_err();
        assert!(matches!(fault, ClientError::NoRoots(_)), "{fault}");
        let fault = Client::new(Some(Path::new("/nowhere/ca.pem"))).unwrap_err();
        assert!(matches!(fault, ClientError::CaFile(..)), "{fault}");
    }
}
