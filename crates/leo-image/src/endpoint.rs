use crate::{ImageError, Registry, RegistryCredentials};

impl Registry {
    /// The same registry at the address that ECR gives for it, which need not be the one in its images' names
    /// (GetAuthorizationToken, `proxyEndpoint`: "the registry URL to use for this authorization token"). One with a fixed
    /// password is where it is.
    ///
    /// # Errors
    /// [`ImageError::Ecr`] where ECR does not say.
    pub async fn at_endpoint(self) -> Result<Self, ImageError> {
        let RegistryCredentials::Ecr(client) = &self.credentials else { return Ok(self) };
        let answer = client
            .get_authorization_token()
            .send()
            .await
            .map_err(|error| ImageError::ecr("GetAuthorizationToken", "", &error))?;
        let endpoint = answer.authorization_data().iter().find_map(|data| host(data.proxy_endpoint()?));
        let host = endpoint.map(str::to_owned);
        Ok(match host {
            Some(host) => Self { host, ..self },
            None => self,
        })
    }
}

/// The host of a URL, with a port where it has one.
fn host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let host = rest.trim_end_matches('/');
    (!host.is_empty() && !host.contains('/')).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_host_behind_a_scheme() {
        let ecr = "111122223333.dkr.ecr.eu-central-1.amazonaws.com";
        assert_eq!(host(&format!("https://{ecr}")), Some(ecr));
        assert_eq!(host("http://127.0.0.1:4711/"), Some("127.0.0.1:4711"));
        for bad in ["", "https://", ecr, "ftp://x", "https://x/y"] {
            assert_eq!(host(bad), None, "{bad}");
        }
    }
}
