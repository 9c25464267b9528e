use std::fmt;
use std::net::IpAddr;

use hyper::Uri;

use crate::OciError;

/// Where a request goes: an absolute address that may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place(Uri);

impl Place {
    /// The root of a registry. Plain HTTP is for loopback alone: anywhere else the login would be readable on the way.
    pub(crate) fn of_registry(host: &str) -> Result<Self, OciError> {
        let scheme = if is_loopback(host_name(host)) { "http" } else { "https" };
        let root = Self::parse(host, &format!("{scheme}://{host}/"))?;
        if root.host() != host {
            return Err(OciError::Answer {
                host: host.to_owned(),
                what: "the name".to_owned(),
                problem: "it is more than a host and a port".to_owned(),
            });
        }
        Ok(root)
    }

    /// Where a `Location` header leads from here.
    pub(crate) fn follow(&self, location: &str) -> Result<Self, OciError> {
        let next = if location.starts_with("http://") || location.starts_with("https://") {
            Self::parse(&self.host(), location)?
        } else if location.starts_with('/') && !location.starts_with("//") {
            self.with_path(location)?
        } else {
            return Err(self.misled("it is no absolute address and no absolute path"));
        };
        let plain = next.0.scheme_str() == Some("http");
        if plain && !(is_loopback(host_name(&next.host())) && self.is_loopback()) {
            return Err(self.misled("it leads to plain HTTP"));
        }
        Ok(next)
    }

    /// Another path of the same host.
    pub(crate) fn with_path(&self, path: &str) -> Result<Self, OciError> {
        let scheme = self.0.scheme_str().unwrap_or("https");
        Self::parse(&self.host(), &format!("{scheme}://{}{path}", self.host()))
    }

    /// The same place, asked with one more parameter. The value has to need no escape.
    pub(crate) fn with_query(&self, name: &str, value: &str) -> Result<Self, OciError> {
        let separator = if self.0.query().is_some() { '&' } else { '?' };
        Self::parse(&self.host(), &format!("{}{separator}{name}={value}", self.0))
    }

    /// Whether a login for the other place may be shown here: same scheme, host and port.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        self.0.scheme() == other.0.scheme() && self.host().eq_ignore_ascii_case(&other.host())
    }

    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(host_name(&self.host()))
    }

    /// Host and port.
    pub(crate) fn host(&self) -> String {
        self.0.authority().map(ToString::to_string).unwrap_or_default()
    }

    /// The whole address, with its query: for the request, never for a message, because a signed address is a key.
    pub(crate) fn address(&self) -> String {
        self.0.to_string()
    }

    fn parse(host: &str, address: &str) -> Result<Self, OciError> {
        let problem = |problem: &str| OciError::Answer {
            host: host.to_owned(),
            what: "an address".to_owned(),
            problem: problem.to_owned(),
        };
        let uri: Uri = address.parse().map_err(|_| problem("it can't be read"))?;
        let authority = uri.authority().ok_or_else(|| problem("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(problem("it has a user in it"));
        }
        Ok(Self(uri))
    }

    fn misled(&self, problem: &str) -> OciError {
        OciError::Answer {
            host: self.host(),
            what: "the `Location` that it leads to".to_owned(),
            problem: problem.to_owned(),
        }
    }
}

impl fmt::Display for Place {
    /// Without the query, in which a signature may be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.host(), self.0.path())
    }
}

/// The host without its port, an IPv6 address without its brackets.
fn host_name(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    host.split(':').next().unwrap_or_default()
}

fn is_loopback(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(host: &str) -> Place {
        Place::of_registry(host).unwrap()
    }

    #[test]
    fn plain_http_is_for_loopback_alone() {
        for host in ["localhost:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000", "LocalHost"] {
            assert!(registry(host).address().starts_with("http://"), "{host}");
        }
        for host in ["registry.example", "10.0.0.1:5000", "localhost.example:80", "[2001:db8::1]:5000"] {
            assert!(registry(host).address().starts_with("https://"), "{host}");
        }
        for bad in ["", "user@registry.example", "registry.example/..@x", "a b"] {
            assert!(Place::of_registry(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_location_is_followed_unless_it_drops_encryption() {
        let here = registry("registry.example").with_path("/v2/leo/blobs/uploads/1?a=b").unwrap();
        let follow = |location: &str| here.follow(location).map(|place| place.address());
        assert_eq!(follow("/v2/x?_state=1").unwrap(), "https://registry.example/v2/x?_state=1");
        assert_eq!(follow("https://bucket.example/x").unwrap(), "https://bucket.example/x");
        for bad in ["http://registry.example/x", "http://127.0.0.1/x", "//other.example/x", "x", "ftp://x/y"]
        {
            assert!(follow(bad).is_err(), "{bad}");
        }
        let local = registry("127.0.0.1:5000");
        assert!(local.follow("http://127.0.0.1:6000/x").is_ok());
        assert!(local.follow("http://registry.example/x").is_err());
    }

    #[test]
    fn a_login_belongs_to_one_scheme_host_and_port() {
        let here = registry("127.0.0.1:5000");
        assert!(here.with_path("/v2/").unwrap().is_of(&here));
        assert!(!registry("127.0.0.1:5001").is_of(&here));
        assert!(!here.follow("https://127.0.0.1:5000/").unwrap().is_of(&here));
    }

    #[test]
    fn what_is_shown_of_an_address_has_no_signature() {
        let signed =
            registry("registry.example").follow("https://bucket.example/x?X-Amz-Signature=canary").unwrap();
        assert_eq!(signed.to_string(), "bucket.example/x");
        assert!(
            signed.with_query("digest", "sha256:ab").unwrap().address().ends_with("canary&digest=sha256:ab")
        );
    }
}
