//! Certificates for tests: a name, signed by an authority that is made for it and that nobody else trusts.

use std::{io, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};

/// A certificate with its key, and the authority that signed it.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The authority's certificate in PEM.
    pub authority: String,
    /// The certificate in PEM, good for servers and for clients.
    pub certificate: String,
    /// Its key in PEM.
    pub key: String,
}

impl Identity {
    /// A certificate for these names and addresses, signed by an authority made for it.
    ///
    /// # Errors
    /// No key could be made.
    pub fn new(names: &[&str]) -> io::Result<Self> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "Loopback Authority");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().map_err(other)?).map_err(other)?;
        let names = names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let mut leaf = CertificateParams::new(names).map_err(other)?;
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().map_err(other)?;
        let certificate = leaf.signed_by(&key, &authority).map_err(other)?;
        Ok(Self { authority: authority.pem(), certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// TLS of a server with this certificate. With `clients`, the authority in PEM of which a client must have a
    /// certificate.
    ///
    /// # Errors
    /// Something is no PEM.
    pub fn server_config(&self, clients: Option<&str>) -> io::Result<ServerConfig> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes()).map_err(other)?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(other)?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(other)?;
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                let authority = CertificateDer::from_pem_slice(authority.as_bytes()).map_err(other)?;
                roots.add(authority).map_err(other)?;
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().map_err(other)?)
            }
        };
        builder.with_single_cert(vec![certificate], key).map_err(other)
    }
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::other(error)
}
