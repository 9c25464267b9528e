//! Where each service is: AWS's own addresses, or the one of an emulator.

use hyper::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::net::IpAddr;

use crate::Variables;

/// The characters that Signature Version 4 leaves as they are ("unreserved" in RFC 3986).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same and the slash, which separates the parts of an object's key in a path.
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// Where requests go.
#[derive(Clone, Debug, PartialEq)]
pub enum Endpoint {
    /// AWS itself, in the partition that the region belongs to.
    Aws {
        /// Such as `eu-central-1`.
        region: String,
    },
    /// One address for every service, from `AWS_ENDPOINT_URL`, with buckets in the path.
    Custom {
        /// Scheme and authority, without a slash at the end.
        origin: String,
    },
}

impl Endpoint {
    /// `AWS_ENDPOINT_URL` where it is set, AWS in `region` otherwise.
    pub fn read(variables: &mut Variables<'_>, region: &str) -> Option<Self> {
        let Some(url) = variables.optional("AWS_ENDPOINT_URL") else {
            return Some(Self::Aws { region: region.to_owned() });
        };
        let origin = url.parse::<Uri>().ok().and_then(|uri| {
            let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
            let authority = uri.authority()?;
            let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
            bare.then(|| format!("{scheme}://{authority}"))
        });
        if origin.is_none() {
            variables.malformed("AWS_ENDPOINT_URL", "an http or https address without a path");
        }
        Some(Self::Custom { origin: origin? })
    }

    /// Whether requests stay on this machine: a plain address of the machine itself or of a container network on it.
    pub fn is_local(&self) -> bool {
        let Self::Custom { origin } = self else { return false };
        let Ok(uri) = origin.parse::<Uri>() else { return false };
        let Some(host) = uri.host() else { return false };
        uri.scheme_str() == Some("http") && is_local_host(host)
    }

    /// The host of a custom endpoint, without the port.
    pub(crate) fn custom_host(&self) -> Option<String> {
        let Self::Custom { origin } = self else { return None };
        origin.parse::<Uri>().ok()?.host().map(str::to_owned)
    }

    /// The address of ECS.
    pub(crate) fn ecs(&self) -> String {
        match self {
            Self::Aws { region } => format!("https://ecs.{region}.{}/", suffix(region)),
            Self::Custom { origin } => format!("{origin}/"),
        }
    }

    /// The address of an object.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> String {
        format!("{}{}", self.bucket(bucket), utf8_percent_encode(key, PATH))
    }

    /// The address of a bucket with a query, each value encoded.
    pub(crate) fn bucket_query(&self, bucket: &str, query: &[(&str, &str)]) -> String {
        let query: Vec<_> = query
            .iter()
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, UNRESERVED)))
            .collect();
        format!("{}?{}", self.bucket(bucket), query.join("&"))
    }

    fn bucket(&self, bucket: &str) -> String {
        match self {
            Self::Aws { region } => format!("https://{bucket}.s3.{region}.{}/", suffix(region)),
            Self::Custom { origin } => format!("{origin}/{bucket}/"),
        }
    }
}

/// The domain of the partition that a region is in.
fn suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

fn is_local_host(host: &str) -> bool {
    // The name that container engines give to the machine that they run on.
    if matches!(host, "localhost" | "host.docker.internal") {
        return true;
    }
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
        Ok(IpAddr::V6(address)) => address.is_loopback(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;
    use crate::Variables;

    fn read(url: &str) -> Result<Endpoint, String> {
        let lookup = |_: &str| Some(url.to_owned());
        let mut variables = Variables::new(&lookup);
        let endpoint = Endpoint::read(&mut variables, "eu-central-1");
        endpoint.ok_or_else(|| variables.failed().to_string())
    }

    #[test]
    fn aws_has_buckets_in_the_host_name_and_a_suffix_for_each_partition() {
        let europe = Endpoint::Aws { region: "eu-central-1".to_owned() };
        assert_eq!(europe.ecs(), "https://ecs.eu-central-1.amazonaws.com/");
        assert_eq!(
            europe.object("apps", "jobs/a/input"),
            "https://apps.s3.eu-central-1.amazonaws.com/jobs/a/input"
        );
        let china = Endpoint::Aws { region: "cn-north-1".to_owned() };
        assert_eq!(china.ecs(), "https://ecs.cn-north-1.amazonaws.com.cn/");
    }

    #[test]
    fn a_custom_endpoint_has_buckets_in_the_path_and_everything_is_encoded() {
        let endpoint = read("http://127.0.0.1:4566/").unwrap();
        assert_eq!(endpoint.object("apps", "jobs/ä b+c"), "http://127.0.0.1:4566/apps/jobs/%C3%A4%20b%2Bc");
        assert_eq!(
            endpoint.bucket_query("apps", &[("list-type", "2"), ("prefix", "jobs/a&b=")]),
            "http://127.0.0.1:4566/apps/?list-type=2&prefix=jobs%2Fa%26b%3D"
        );
    }

    #[test]
    fn only_plain_addresses_of_this_machine_are_local() {
        for url in [
            "http://127.0.0.1:1",
            "http://localhost:1",
            "http://172.17.0.1:1",
            "http://[::1]:1",
            "http://host.docker.internal:1",
        ] {
            assert!(read(url).unwrap().is_local(), "{url}");
        }
        for url in [
            "https://127.0.0.1:1",
            "http://example.com",
            "http://8.8.8.8",
            "https://vpce-1.ecs.eu-central-1.vpce.amazonaws.com",
        ] {
            assert!(!read(url).unwrap().is_local(), "{url}");
        }
        assert!(!Endpoint::Aws { region: "eu-central-1".to_owned() }.is_local());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in ["127.0.0.1:4566", "ftp://x", "http://x/path", "http://x?y=1", "nonsense"] {
            assert_eq!(
                read(url).unwrap_err(),
                "read the environment: AWS_ENDPOINT_URL is not an http or https address without a path",
                "{url}"
            );
        }
    }
}
