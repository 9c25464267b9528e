use std::sync::Arc;

use leo_oci::{Connection, Login, OciError, SignIn, SignInFuture};

use crate::login::authorization;
use crate::{ImageError, Registry, RegistryCredentials};

impl Registry {
    /// A connection that speaks the registry's own protocol. Nothing is sent yet; ECR's token is fetched with the first
    /// request, and again when it expires.
    ///
    /// # Errors
    /// [`ImageError::Registry`] where the host is none.
    pub fn connect(&self) -> Result<Connection, ImageError> {
        Ok(Connection::signing_in(&self.host, Arc::new(self.credentials.clone()))?)
    }
}

impl SignIn for RegistryCredentials {
    fn login(&self) -> SignInFuture<'_> {
        Box::pin(async move { Ok(authorization(self).await.map(Login::encoded)?) })
    }
}

impl From<OciError> for ImageError {
    fn from(error: OciError) -> Self {
        match error {
            // Why there is no login is ECR's to say, as everywhere else.
            OciError::SignIn { host, source } => match source.downcast() {
                Ok(error) => *error,
                Err(source) => Self::Registry(OciError::SignIn { host, source }),
            },
            OciError::ImageMissing { repository, digest, .. } => Self::DigestMissing { repository, digest },
            OciError::RepositoryMissing { repository, .. } => Self::RepositoryMissing { repository },
            error => Self::Registry(error),
        }
    }
}
