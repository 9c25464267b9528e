use std::net::{Ipv4Addr, SocketAddrV4};

use crate::engine::Engine;
use crate::error::LocalError;
use crate::secret::Secret;

/// The user name of every ECR login.
pub(crate) const REGISTRY_USER: &str = "AWS";

/// A running local target: where it is and how to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTarget {
    /// `http://127.0.0.1:<port>`, for every service and for S3 with path-style addresses.
    pub endpoint: String,
    /// The port of all of it: API, registry and load balancers.
    pub port: u16,
    /// The one key that the emulator takes for its root user.
    pub access_key_id: String,
    /// Its secret; every signature is verified with it.
    pub secret_access_key: Secret,
    /// The account that everything is in.
    pub account_id: String,
    /// The region that everything is in.
    pub region: String,
    /// What runs its containers.
    pub engine: Engine,
    pub(crate) registry_password: Secret,
}

impl LocalTarget {
    /// The registry's address, as `docker login` and image references name it: `127.0.0.1:<port>`.
    pub fn registry(&self) -> String {
        format!("{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// Where a repository's images are pushed to and pulled from: `127.0.0.1:<port>/<repository>`. The repository has to exist in
    /// the emulator's ECR; the URI that it reports itself (`….dkr.ecr.….amazonaws.com`) leads nowhere.
    pub fn image_repository(&self, repository: &str) -> String {
        format!("{}/{repository}", self.registry())
    }

    /// User and password of the registry: what `ecr:GetAuthorizationToken` answers as well.
    pub fn registry_login(&self) -> (&'static str, &Secret) {
        (REGISTRY_USER, &self.registry_password)
    }

    /// A load balancer's URL, without a slash at the end. It needs no DNS: paths below it reach the targets without the prefix,
    /// WebSockets included. With an HTTPS listener that one answers, in plain HTTP.
    pub fn load_balancer_url(&self, name: &str) -> String {
        format!("{}/_alb/{name}", self.endpoint)
    }

    /// A load balancer's URL with a host name of its own, for browsers (they resolve `*.localhost` themselves), so that links from
    /// the root of the application work.
    pub fn load_balancer_browser_url(&self, name: &str) -> String {
        format!("http://{}.alb.localhost:{}", name.to_lowercase(), self.port)
    }

    /// The address that a client connects to when it names a load balancer by its DNS name in the `Host` header.
    pub fn address(&self) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, self.port)
    }
}

/// The port of an endpoint of this machine: `http://127.0.0.1:<port>` or `http://localhost:<port>`, with at most a slash behind
/// it. Everything else is refused, so that `--local` can't reach another machine.
pub fn loopback_endpoint(endpoint: &str) -> Result<u16, LocalError> {
    let refused = || LocalError::NotLoopback { endpoint: endpoint.to_owned() };
    let rest = endpoint.strip_prefix("http://").ok_or_else(refused)?;
    let (host, port) = rest.strip_suffix('/').unwrap_or(rest).split_once(':').ok_or_else(refused)?;
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match (host, port.parse()) {
        ("127.0.0.1" | "localhost", Ok(port)) if digits && port != 0 => Ok(port),
        _ => Err(refused()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> LocalTarget {
        LocalTarget {
            endpoint: "http://127.0.0.1:4711".into(),
            port: 4711,
            access_key_id: "LEO".into(),
            secret_access_key: Secret::new("top-secret".into()),
            account_id: "000000000000".into(),
            region: "eu-central-1".into(),
            engine: Engine::None { reason: "a test".into() },
            registry_password: Secret::new("pass-word".into()),
        }
    }

    #[test]
    fn addresses_lead_to_the_emulator() {
        let target = target();
        assert_eq!(target.image_repository("leo-saas-app"), "127.0.0.1:4711/leo-saas-app");
        assert_eq!(target.load_balancer_url("web"), "http://127.0.0.1:4711/_alb/web");
        assert_eq!(target.load_balancer_browser_url("Web"), "http://web.alb.localhost:4711");
        assert_eq!(target.registry_login().0, "AWS");
        assert_eq!(target.address().to_string(), target.registry());
    }

    #[test]
    fn debug_shows_no_credential() {
        let text = format!("{:?}", target());
        assert!(!text.contains("top-secret") && !text.contains("pass-word"), "{text}");
    }

    #[test]
    fn only_loopback_endpoints_are_taken() {
        assert_eq!(loopback_endpoint("http://127.0.0.1:4711").unwrap(), 4711);
        assert_eq!(loopback_endpoint("http://localhost:80/").unwrap(), 80);
        for bad in [
            "https://127.0.0.1:4711",
            "http://127.0.0.1",
            "http://127.0.0.1:0",
            "http://127.0.0.1:+80",
            "http://127.0.0.1:80/path",
            "http://127.0.0.1:80@example.com",
            "http://127.0.0.1.example.com:80",
            "http://0.0.0.0:80",
            "http://10.0.0.1:80",
            "http://ecs.eu-central-1.amazonaws.com:80",
            "",
        ] {
            assert!(loopback_endpoint(bad).is_err(), "{bad}");
        }
    }
}
