//! What a failure on a connection is about. Alerts of TLS say it; everything else is the moment's.

use std::io;

use rustls::{AlertDescription, Error as TlsError};
use watchbell_sink::{ErrorKind, SinkError, http::shown};

/// The error for what happened on the way to this receiver.
pub(super) fn of(name: &str, error: &io::Error) -> SinkError {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    match tls {
        Some(TlsError::AlertReceived(alert)) if is_about_our_certificate(*alert) => {
            let message =
                format!("{name} does not take our certificate ({alert:?}); expected tls.cert and tls.key it trusts");
            SinkError::new(ErrorKind::Auth, message)
        }
        Some(TlsError::AlertReceived(alert)) => {
            let message = format!("{name} refuses TLS ({alert:?}); expected a receiver of TLS 1.2 or 1.3");
            SinkError::new(ErrorKind::Config, message)
        }
        Some(TlsError::InvalidCertificate(reason)) => {
            let reason = shown(&reason.to_string());
            let message =
                format!("the certificate of {name} is not taken: {reason}; expected one of an authority in tls.ca");
            SinkError::new(ErrorKind::Config, message)
        }
        Some(TlsError::InvalidMessage(_)) => {
            let message = format!("{name} does not speak TLS; expected `transport = \"tcp\"` or the port for TLS");
            SinkError::new(ErrorKind::Config, message)
        }
        _ => {
            let message = format!("{name} cannot be written to: {}", shown(&error.to_string()));
            SinkError::new(ErrorKind::Unavailable, message)
        }
    }
}

/// Receivers with OpenSSL and TLS 1.2 say `HandshakeFailure` when they miss a certificate.
const fn is_about_our_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
            | AlertDescription::HandshakeFailure
    )
}
