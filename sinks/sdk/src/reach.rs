//! The steps that every network destination is checked by, before anything of its own: name, connection, certificate.
//!
//! They use the same TLS configuration as the delivery, so that what passes here passes there.

use std::{error::Error as StdError, io, net::SocketAddr, sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use url::Url;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::{
    error::{ConfigError, ErrorKind, SinkError},
    http::{caused_by, shown},
    options::Tls,
    steps::Steps,
};

/// A certificate that ends sooner than this deserves a warning.
const ENDS_SOON_DAYS: i64 = 14;

/// Where to connect to, and whether TLS is spoken there.
#[derive(Debug, Clone)]
pub struct Target {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What TLS is spoken with; `None`: none.
    pub tls: Option<Arc<ClientConfig>>,
    /// Longest wait for each step.
    pub timeout: Duration,
}

impl Target {
    /// The target of an HTTP address.
    ///
    /// # Errors
    /// Those of [`Tls::client_config`].
    pub fn of_url(url: &Url, tls: &Tls, timeout: Duration) -> Result<Self, ConfigError> {
        let tls = if url.scheme() == "https" { Some(Arc::new(tls.client_config()?)) } else { None };
        // The brackets of an IPv6 address belong to the URL.
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        Ok(Self { host, port: url.port_or_known_default().unwrap_or(443), tls, timeout })
    }

    /// Resolves the name, connects, and shakes hands; each a step.
    ///
    /// # Errors
    /// The step that failed; its fix is in `steps`.
    pub async fn reach(&self, steps: &mut Steps) -> Result<(), SinkError> {
        let addresses = self.resolve(steps).await?;
        let stream = self.connect(&addresses, steps).await?;
        match &self.tls {
            Some(tls) => self.shake_hands(stream, tls, steps).await,
            None => {
                steps.skipped("TLS", "the address says plain text");
                Ok(())
            }
        }
    }

    async fn resolve(&self, steps: &mut Steps) -> Result<Vec<SocketAddr>, SinkError> {
        let looked_up = timeout(self.timeout, tokio::net::lookup_host((self.host.as_str(), self.port))).await;
        let failure = match looked_up {
            Ok(Ok(found)) => {
                let found: Vec<SocketAddr> = found.collect();
                if !found.is_empty() {
                    let listed: Vec<String> = found.iter().take(3).map(|address| address.ip().to_string()).collect();
                    steps.done("DNS").with(format!("{} is {}", self.host, listed.join(", ")));
                    return Ok(found);
                }
                "the name has no address".to_owned()
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", self.timeout.as_secs_f64()),
        };
        let message = format!("the name {} is not known: {}", self.host, shown(&failure));
        steps.failed("DNS", "check the spelling of the host, and the name server of this machine").with(&message);
        Err(SinkError::new(ErrorKind::Unavailable, message))
    }

    async fn connect(&self, addresses: &[SocketAddr], steps: &mut Steps) -> Result<TcpStream, SinkError> {
        let failure = match timeout(self.timeout, TcpStream::connect(addresses)).await {
            Ok(Ok(stream)) => {
                steps.done("TCP").with(format!("port {} is open", self.port));
                return Ok(stream);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", self.timeout.as_secs_f64()),
        };
        let message = format!("cannot connect to {}:{}: {}", self.host, self.port, shown(&failure));
        steps
            .failed("TCP", "check the port, that the service runs, and the firewall between here and there")
            .with(&message);
        Err(SinkError::new(ErrorKind::Unavailable, message))
    }

    async fn shake_hands(
        &self,
        stream: TcpStream,
        tls: &Arc<ClientConfig>,
        steps: &mut Steps,
    ) -> Result<(), SinkError> {
        let name = ServerName::try_from(self.host.clone())
            .map_err(|_| SinkError::new(ErrorKind::Config, format!("{} is no name for a certificate", self.host)))?;
        let error = match timeout(self.timeout, TlsConnector::from(Arc::clone(tls)).connect(name, stream)).await {
            Ok(Ok(stream)) => {
                let (_, connection) = stream.get_ref();
                let certificate = connection.peer_certificates().and_then(|chain| chain.first());
                report_end(certificate.and_then(|der| end_of(der)), steps);
                return Ok(());
            }
            Ok(Err(error)) => error,
            Err(_) => {
                io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", self.timeout.as_secs_f64()))
            }
        };
        if let Some(reason) = certificate_error(&error) {
            let message = format!("the certificate of {} is not taken: {reason}", self.host);
            steps
                .failed("TLS", "give the authority that signed it as tls.ca_file, and check the host's name")
                .with(&message);
            return Err(SinkError::new(ErrorKind::Config, message));
        }
        let message = format!("no TLS with {}:{}: {}", self.host, self.port, shown(&error.to_string()));
        steps
            .failed("TLS", "check that this port speaks TLS, and whether it asks for a client certificate")
            .with(&message);
        Err(SinkError::new(ErrorKind::Unavailable, message))
    }
}

/// Why a certificate is not trusted, when that is what an error is about.
#[must_use]
pub fn certificate_error(error: &(dyn StdError + 'static)) -> Option<String> {
    match caused_by::<rustls::Error>(error)? {
        rustls::Error::InvalidCertificate(reason) => Some(shown(&reason.to_string())),
        _ => None,
    }
}

fn end_of(der: &[u8]) -> Option<Timestamp> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

fn report_end(end: Option<Timestamp>, steps: &mut Steps) {
    let Some(end) = end else {
        steps.done("TLS");
        return;
    };
    let detail = format!("certificate ends {}", end.to_zoned(TimeZone::UTC).date());
    let days = end.duration_since(Timestamp::now()).as_hours() / 24;
    match days {
        ..ENDS_SOON_DAYS => steps.warned("TLS", "renew the destination's certificate").with(detail),
        _ => steps.done("TLS").with(detail),
    };
}
