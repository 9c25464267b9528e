use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use aws_smithy_types::base64;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{Engine, ImageError};

/// A registry of images, and who we are to it.
#[derive(Clone)]
pub struct Registry {
    /// Its host, with a port where it has one: what an image's name begins with.
    pub host: String,
    /// How we sign in.
    pub credentials: RegistryCredentials,
}

/// How we sign in to a registry.
#[derive(Clone)]
pub enum RegistryCredentials {
    /// With a token of ECR's, fetched just before it is used.
    Ecr(aws_sdk_ecr::Client),
    /// With a fixed password.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: Password,
    },
}

/// A registry's password. It can be neither printed nor serialized.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Takes the password.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }
}

/// A Docker configuration of our own: the user's, with our login for one registry. A stale login in the user's file is
/// a usual cause of "denied", and ours must not stay behind in it.
pub(crate) struct Login {
    directory: TempDir,
    registry: Registry,
    user_configuration: Map<String, Value>,
    builders: Option<PathBuf>,
}

impl Login {
    /// Makes the configuration and signs in.
    pub(crate) async fn new(engine: &Engine, registry: &Registry) -> Result<Self, ImageError> {
        let directory = tempfile::Builder::new()
            .prefix("leo-docker-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(|source| ImageError::File {
                action: "make a private folder in",
                path: std::env::temp_dir(),
                source,
            })?;
        let own = engine.config_directory();
        if let Some(own) = own {
            // Plugins installed for this user, and the context that says where the engine is.
            for folder in ["cli-plugins", "contexts"] {
                link(&own.join(folder), &directory.path().join(folder))?;
            }
        }
        let login = Self {
            registry: registry.clone(),
            user_configuration: own.map(|own| read_object(&own.join("config.json"))).unwrap_or_default(),
            builders: std::env::var_os("BUILDX_CONFIG")
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
                .or_else(|| own.map(|own| own.join("buildx"))),
            directory,
        };
        login.renew().await?;
        Ok(login)
    }

    /// Signs in again, with a fresh token.
    pub(crate) async fn renew(&self) -> Result<(), ImageError> {
        let auth = authorization(&self.registry.credentials).await?;
        let configuration = with_login(self.user_configuration.clone(), &self.registry.host, &auth);
        write_private(&self.directory.path().join("config.json"), configuration.to_string().as_bytes())
    }

    /// Lets a `docker` command use this login.
    pub(crate) fn apply<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("DOCKER_CONFIG", self.directory.path());
        if let Some(builders) = &self.builders {
            command.env("BUILDX_CONFIG", builders);
        }
        command
    }

    /// The private folder, for files that belong to this login's lifetime.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

/// What Docker's configuration calls `auth`: user and password, joined by a colon, in base64.
pub(crate) async fn authorization(credentials: &RegistryCredentials) -> Result<String, ImageError> {
    match credentials {
        RegistryCredentials::Password { user, password } => {
            Ok(base64::encode(format!("{user}:{}", password.0)))
        }
        RegistryCredentials::Ecr(client) => {
            let answer = client
                .get_authorization_token()
                .send()
                .await
                .map_err(|error| ImageError::ecr("GetAuthorizationToken", "", &error))?;
            let token = answer.authorization_data().iter().find_map(|data| data.authorization_token());
            token.map(str::to_owned).ok_or_else(|| ImageError::Answer {
                what: "ECR's GetAuthorizationToken",
                problem: "it has no token".to_owned(),
            })
        }
    }
}

/// The user's configuration, so that proxies and logins for base images stay, with our login for `host`.
fn with_login(mut configuration: Map<String, Value>, host: &str, auth: &str) -> Value {
    let mut set = |section: &str, value: Value| {
        let section = configuration.entry(section).or_insert_with(|| json!({}));
        if !section.is_object() {
            *section = json!({});
        }
        if let Some(section) = section.as_object_mut() {
            section.insert(host.to_owned(), value);
        }
    };
    set("auths", json!({ "auth": auth }));
    // An empty helper makes the CLI read `auths` for this host, even where a credential store is configured.
    set("credHelpers", json!(""));
    Value::Object(configuration)
}

fn read_object(path: &Path) -> Map<String, Value> {
    let parsed = fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    match parsed {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

fn link(from: &Path, to: &Path) -> Result<(), ImageError> {
    let Ok(from) = fs::canonicalize(from) else { return Ok(()) };
    symlink(from, to).map_err(|source| ImageError::File { action: "link", path: to.to_owned(), source })
}

/// Replaces a file at once with one that only this user can read.
fn write_private(path: &Path, content: &[u8]) -> Result<(), ImageError> {
    let failed = |source| ImageError::File { action: "write", path: path.to_owned(), source };
    let new = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    fs::rename(&new, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_s_configuration_stays_and_a_stale_login_goes() {
        let user = json!({
            "currentContext": "rootless",
            "credsStore": "desktop",
            "credHelpers": {"registry.example": "ecr-login", "other.example": "x"},
            "auths": {"registry.example": {"auth": "stale"}, "base.example": {"auth": "kept"}},
        });
        let Value::Object(user) = user else { unreachable!() };
        insta::assert_json_snapshot!(with_login(user, "registry.example", "fresh"));
    }

    #[tokio::test]
    async fn the_configuration_is_private_and_gone_afterwards() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("cli-plugins")).unwrap();
        fs::write(home.path().join("config.json"), "not json").unwrap();
        let engine = Engine::for_tests("docker", Some(home.path().to_owned()));
        let credentials =
            RegistryCredentials::Password { user: "AWS".to_owned(), password: Password::new("canary") };
        let login =
            Login::new(&engine, &Registry { host: "localhost:5".to_owned(), credentials }).await.unwrap();

        let directory = login.directory().to_owned();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory), 0o700);
        assert_eq!(mode(&directory.join("config.json")), 0o600);
        assert!(directory.join("cli-plugins").is_dir());
        let written = fs::read_to_string(directory.join("config.json")).unwrap();
        assert!(written.contains(&base64::encode("AWS:canary")));

        let mut command = engine.command();
        let arguments = format!("{:?}", login.apply(&mut command).as_std().get_args());
        assert!(!arguments.contains("canary"));
        drop(login);
        assert!(!directory.exists());
    }
}
