//! How the token service is reached: directly, or through the proxy that the events take.
//!
//! Only HTTPS goes through a proxy. A metadata server speaks plain HTTP and answers nobody but its own machine.

use std::{
    error::Error,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::Uri;
use hyper_util::{
    client::{
        legacy::connect::{HttpConnector, proxy::Tunnel},
        proxy::matcher::{Intercept, Matcher},
    },
    rt::TokioIo,
};
use tokio::net::TcpStream;
use tower_service::Service;
use watchbell_sink::SecretUrl;

type BoxError = Box<dyn Error + Send + Sync>;

/// Connects, through a proxy where one is meant.
#[derive(Clone)]
pub(crate) struct Route {
    direct: HttpConnector,
    proxies: Arc<Matcher>,
}

impl Route {
    /// Through this proxy, or through what the environment says (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`).
    pub(crate) fn new(proxy: Option<&SecretUrl>) -> Self {
        let proxies = match proxy {
            Some(proxy) => Matcher::builder().all(proxy.expose().as_str()).build(),
            None => Matcher::from_env(),
        };
        let mut direct = HttpConnector::new();
        direct.enforce_http(false);
        Self { direct, proxies: Arc::new(proxies) }
    }

    fn proxy_to(&self, destination: &Uri) -> Option<Intercept> {
        self.proxies.intercept(destination).filter(|_| destination.scheme_str() == Some("https"))
    }
}

impl Service<Uri> for Route {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let Some(proxy) = self.proxy_to(&destination) else {
            let connecting = self.direct.call(destination);
            return Box::pin(async move { connecting.await.map_err(Into::into) });
        };
        if proxy.uri().scheme_str() != Some("http") {
            let message = "tokens can be fetched through a proxy only if its address begins with http://";
            return Box::pin(async move { Err(io::Error::other(message).into()) });
        }
        let tunnel = Tunnel::new(proxy.uri().clone(), self.direct.clone());
        let mut tunnel = match proxy.basic_auth() {
            Some(credentials) => tunnel.with_auth(credentials.clone()),
            None => tunnel,
        };
        let connecting = tunnel.call(destination);
        Box::pin(async move { connecting.await.map_err(Into::into) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_takes_the_proxy() {
        let route = Route::new(Some(&"http://user:pass@proxy.example:3128".parse().unwrap()));
        let proxy = route.proxy_to(&Uri::from_static("https://oauth2.googleapis.com/token")).unwrap();
        assert_eq!(proxy.uri().authority().unwrap(), "proxy.example:3128");
        assert_eq!(proxy.basic_auth().unwrap(), "Basic dXNlcjpwYXNz");
        let metadata = Uri::from_static("http://metadata.google.internal/computeMetadata/v1/");
        assert!(route.proxy_to(&metadata).is_none());
    }
}
