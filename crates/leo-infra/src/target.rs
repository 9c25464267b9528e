//! Where a command goes: AWS, or the local target. Everything that differs between the two is asked for here.

use crate::{
    failure::{Failure, Problem},
    iam::Iam,
};
use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::Credentials;
use aws_sdk_cloudformation::config::RuntimeComponents;
use aws_smithy_http_client::{Builder, Connector, proxy::ProxyConfig};
use leo_aws::{FailureKind, ServiceError};
use leo_config::{AccountId, Config, names};
use leo_image::{Catalog, Password, Registry, RegistryCredentials, Repository};
use leo_local::LocalTarget;
use leo_project::Project;
use leo_release::{Address, Artifacts};
use std::{sync::LazyLock, time::Duration};

/// Times that a call is tried before its error counts.
const ATTEMPTS: u32 = 6;
/// Leads the calls to the local target through a proxy on this machine: for tests of what becomes of a deploy whose calls
/// fail.
const LOCAL_PROXY: &str = "LEO_LOCAL_PROXY";

/// A client that is made when it is first used: each takes a millisecond, and most commands need two or three of them.
type Lazy<T> = LazyLock<T, Box<dyn FnOnce() -> T + Send>>;

/// Where a command goes, with a client for each service.
pub(crate) struct Target {
    /// The local target; `None` for AWS.
    pub(crate) local: Option<LocalTarget>,
    pub(crate) cloudformation: Lazy<aws_sdk_cloudformation::Client>,
    pub(crate) ecr: Lazy<aws_sdk_ecr::Client>,
    pub(crate) ecs: Lazy<aws_sdk_ecs::Client>,
    pub(crate) iam: Lazy<Iam>,
    pub(crate) load_balancing: Lazy<aws_sdk_elasticloadbalancingv2::Client>,
    pub(crate) logs: Lazy<aws_sdk_cloudwatchlogs::Client>,
    pub(crate) s3: Lazy<aws_sdk_s3::Client>,
    pub(crate) secrets: Lazy<aws_sdk_secretsmanager::Client>,
    sts: Lazy<aws_sdk_sts::Client>,
}

impl Target {
    /// The local target, started where it does not run, or AWS with the configuration's profile and region.
    pub(crate) async fn open(project: &Project, local: bool) -> Result<Self, Failure> {
        Self::open_as(project, local, project.config.environment.profile.as_deref()).await
    }

    /// The same for what reads and changes values of secrets: with the profile of a role that alone may, where there is
    /// one.
    pub(crate) async fn open_for_secrets(project: &Project, local: bool) -> Result<Self, Failure> {
        let environment = &project.config.environment;
        let profile = environment.secrets_profile.as_ref().or(environment.profile.as_ref());
        Self::open_as(project, local, profile.map(String::as_str)).await
    }

    async fn open_as(project: &Project, local: bool, profile: Option<&str>) -> Result<Self, Failure> {
        if !local {
            let sdk = aws(&project.config, profile).await;
            return Ok(Self::new(None, &sdk, ProxyConfig::from_env()));
        }
        let target = crate::local::start(project).await?;
        leo_local::loopback_endpoint(&target.endpoint).map_err(Problem::from)?;
        let proxy = local_proxy(std::env::var(LOCAL_PROXY).ok().as_deref())?;
        let sdk = emulator(&target, proxy.clone()).await;
        Ok(Self::new(Some(target), &sdk, proxy))
    }

    fn new(local: Option<LocalTarget>, sdk: &SdkConfig, proxy: ProxyConfig) -> Self {
        // The emulator has no host name for each bucket.
        let by_path = local.is_some();
        let s3 =
            move |sdk: &SdkConfig| aws_sdk_s3::config::Builder::from(sdk).force_path_style(by_path).build();
        Self {
            local,
            cloudformation: lazy(sdk, aws_sdk_cloudformation::Client::new),
            ecr: lazy(sdk, aws_sdk_ecr::Client::new),
            ecs: lazy(sdk, aws_sdk_ecs::Client::new),
            iam: lazy(sdk, move |sdk| Iam::new(sdk, proxy)),
            load_balancing: lazy(sdk, aws_sdk_elasticloadbalancingv2::Client::new),
            logs: lazy(sdk, aws_sdk_cloudwatchlogs::Client::new),
            s3: lazy(sdk, move |sdk| aws_sdk_s3::Client::from_conf(s3(sdk))),
            secrets: lazy(sdk, aws_sdk_secretsmanager::Client::new),
            sts: lazy(sdk, aws_sdk_sts::Client::new),
        }
    }

    /// The account that the credentials are for, which has to be the configured one.
    ///
    /// The first call of every command: nothing has been sent before it.
    pub(crate) async fn check_account(&self, config: &Config) -> Result<AccountId, Failure> {
        let identity = self
            .sts
            .get_caller_identity()
            .send()
            .await
            .map_err(|error| Problem::from(ServiceError::of("GetCallerIdentity", &error)))?;
        let account = identity.account().unwrap_or_default().to_owned();
        let wanted = config.environment.account.as_ref().map(AccountId::as_str);
        // The local target is no account that could be the wrong one.
        if self.local.is_none() && wanted.is_some_and(|wanted| wanted != account) {
            let name = &config.environment.name;
            return Err(Problem::new(
                FailureKind::Usage,
                format!(
                    "reach environment `{name}`: these credentials are for account {account}, but it is configured for {}",
                    wanted.unwrap_or_default()
                ),
            )
            .hint(format!(
                "sign in to the account of `{name}`, or correct its account in infra/leo.toml or env/.env.defaults"
            ))
            .into());
        }
        let account = account.parse();
        Ok(account
            .map_err(|_| Problem::new(FailureKind::Failed, "read which account the credentials are for"))?)
    }

    /// A repository of images: `uri` is what CloudFormation says, `name` what it is called.
    pub(crate) fn repository(&self, name: &str, uri: &str) -> Repository {
        let uri = self.local.as_ref().map_or_else(|| uri.to_owned(), |local| local.image_repository(name));
        Repository { name: name.to_owned(), uri }
    }

    /// The registry that a repository is in, and how to sign in to it.
    pub(crate) fn registry(&self, repository: &Repository) -> Registry {
        let host = repository.uri.split('/').next().unwrap_or_default().to_owned();
        let credentials = match &self.local {
            None => RegistryCredentials::Ecr(self.ecr.clone()),
            Some(local) => {
                let (user, password) = local.registry_login();
                RegistryCredentials::Password {
                    user: user.to_owned(),
                    password: Password::new(password.expose()),
                }
            }
        };
        Registry { host, credentials }
    }

    /// The artifacts bucket of this account and region.
    pub(crate) fn artifacts(&self, config: &Config, account: &AccountId) -> Artifacts {
        let region = &config.environment.region;
        let bucket = names::bucket(names::ARTIFACTS_BUCKET_PREFIX, account, region);
        let address = match &self.local {
            Some(local) => Address::Endpoint(local.endpoint.clone()),
            None => Address::Aws { region: region.to_string() },
        };
        Artifacts::new(self.s3.clone(), bucket, address)
    }

    /// What looks at data as it is.
    pub(crate) fn data(&self) -> leo_data::Clients {
        leo_data::Clients {
            ecr: self.ecr.clone(),
            ecs: self.ecs.clone(),
            s3: self.s3.clone(),
            secrets: self.secrets.clone(),
        }
    }

    /// What looks at running and stopped containers.
    pub(crate) fn evidence(&self) -> leo_evidence::Clients {
        leo_evidence::Clients {
            ecs: self.ecs.clone(),
            load_balancing: self.load_balancing.clone(),
            logs: self.logs.clone(),
        }
    }

    /// What ECR knows of images.
    pub(crate) fn catalog(&self) -> Catalog {
        Catalog::new(self.ecr.clone())
    }

    /// A template as this target takes it.
    pub(crate) fn template_body(&self, template: &leo_cfn::Template) -> String {
        if self.local.is_none() {
            return template.to_minified_json();
        }
        let mut json = template.json().clone();
        leo_local::adapt_template(&mut json);
        json.to_string()
    }

    /// Whether containers really run there.
    pub(crate) fn runs_containers(&self) -> bool {
        self.local.as_ref().is_none_or(|local| local.engine.docker().is_some())
    }
}

fn lazy<T>(sdk: &SdkConfig, make: impl FnOnce(&SdkConfig) -> T + Send + 'static) -> Lazy<T> {
    let sdk = sdk.clone();
    LazyLock::new(Box::new(move || make(&sdk)))
}

async fn aws(config: &Config, profile: Option<&str>) -> SdkConfig {
    let mut loader = defaults().region(Region::new(config.environment.region.to_string()));
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await
}

/// Not by the environment's `HTTP_PROXY`: that one knows the way to the rest of the world, and nothing of this machine.
fn local_proxy(wanted: Option<&str>) -> Result<ProxyConfig, Problem> {
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else { return Ok(ProxyConfig::disabled()) };
    leo_local::loopback_endpoint(wanted)?;
    ProxyConfig::http(wanted).map_err(|error| {
        Problem::new(FailureKind::Usage, format!("use {LOCAL_PROXY}={wanted} as a proxy: {error}"))
    })
}

async fn emulator(target: &LocalTarget, proxy: ProxyConfig) -> SdkConfig {
    let credentials = Credentials::new(
        &target.access_key_id,
        target.secret_access_key.expose(),
        None,
        None,
        "local target",
    );
    defaults()
        .region(Region::new(target.region.clone()))
        .endpoint_url(&target.endpoint)
        .credentials_provider(credentials)
        .http_client(Builder::new().build_with_connector_fn(move |settings, components| {
            let mut connector = Connector::builder().proxy_config(proxy.clone());
            connector.set_connector_settings(settings.cloned());
            connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
            connector.build_http()
        }))
        .load()
        .await
}

fn defaults() -> aws_config::ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(5))
                .operation_attempt_timeout(Duration::from_secs(30))
                .build(),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_target_is_led_to_by_no_proxy_but_one_of_this_machine() {
        for none in [None, Some("")] {
            assert!(local_proxy(none).expect("is taken").is_disabled());
        }
        assert!(!local_proxy(Some("http://127.0.0.1:4711")).expect("is taken").is_disabled());
        for elsewhere in ["http://proxy.example.com:3128", "https://127.0.0.1:4711", "127.0.0.1:4711"] {
            let problem = local_proxy(Some(elsewhere)).expect_err("is refused");
            assert!(problem.message.contains(elsewhere), "{}", problem.message);
        }
    }
}
