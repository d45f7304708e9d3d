//! TLS: the server's certificate, read anew when its files change. One that does not work keeps the old one in force.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum_server::tls_rustls::RustlsConfig;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::app::FileStamp;

/// How often the files are looked at.
const GLANCE: Duration = Duration::from_secs(2);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("can't read {what}, {}: {message}", path.display())]
    File {
        /// What it is to hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        message: String,
    },
    /// They don't work together.
    #[error("the certificate {} does not work: {message}", path.display())]
    Certificate {
        /// Its file.
        path: PathBuf,
        /// Why not.
        message: String,
    },
}

/// The certificate's file and its key's.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl Files {
    /// What a connection begins with.
    pub(super) fn load(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let failed = |what, path: &Path| {
            let path = path.to_owned();
            move |message: String| TlsError::File { what, path, message }
        };
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| error.to_string())
            .and_then(|chain| if chain.is_empty() { Err("it holds none in PEM".to_owned()) } else { Ok(chain) })
            .map_err(failed("the certificate", &self.certificate))?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| failed("the certificate's key", &self.key)(error.to_string()))?;
        let refused =
            |error: rustls::Error| TlsError::Certificate { path: self.certificate.clone(), message: error.to_string() };
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(refused)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(refused)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn stamps(&self) -> [FileStamp; 2] {
        [FileStamp::of(&self.certificate), FileStamp::of(&self.key)]
    }
}

/// Puts a new certificate in force whenever the files hold one; new connections begin with it.
pub(super) async fn renew(files: Files, config: RustlsConfig) {
    let mut known = files.stamps();
    loop {
        tokio::time::sleep(GLANCE).await;
        let now = files.stamps();
        if now == known {
            continue;
        }
        known = now;
        let loading = files.clone();
        match tokio::task::spawn_blocking(move || loading.load()).await {
            Ok(Ok(new)) => {
                config.reload_from_config(new);
                tracing::info!(file = %files.certificate.display(), "the certificate was read anew");
            }
            Ok(Err(error)) => {
                // The key may follow its certificate in a moment, which is seen as another change.
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "the new certificate can't be used, so the old one stays in force");
            }
            Err(_) => tracing::error!("the certificate could not be read anew"),
        }
    }
}
