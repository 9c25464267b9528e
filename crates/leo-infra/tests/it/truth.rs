//! What is really in the local target, asked of it directly.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use leo_local::LocalTarget;
use std::collections::BTreeMap;
use tokio::runtime::Runtime;

/// How an operation that succeeded leaves its stack.
const AT_REST: [&str; 3] = ["CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"];

/// The way to a local target, past whatever a command under test goes through.
pub(crate) struct Truth {
    runtime: Runtime,
    sdk: SdkConfig,
}

/// What there is. Two of them are equal where nothing happened in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// The stacks that are not deleted, by name.
    pub(crate) stacks: BTreeMap<String, Stack>,
    pub(crate) clusters: usize,
    pub(crate) services: usize,
    pub(crate) load_balancers: usize,
    pub(crate) target_groups: usize,
    pub(crate) buckets: Vec<String>,
    /// Name and value.
    pub(crate) secrets: BTreeMap<String, Option<String>>,
    /// Of the target group, in seconds.
    pub(crate) deregistration_delay: Option<u32>,
    /// Of every log group of the environment, in days.
    pub(crate) retention: Option<u32>,
}

/// One stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stack {
    /// Its ARN: another one after it was deleted and made again.
    pub(crate) id: String,
    pub(crate) status: String,
    /// How many operations it has been through to their end.
    pub(crate) operations: usize,
}

impl Truth {
    pub(crate) fn of(target: &LocalTarget) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("is built");
        let secret = target.secret_access_key.expose();
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(target.region.clone()))
            .endpoint_url(&target.endpoint)
            .credentials_provider(Credentials::new(&target.access_key_id, secret, None, None, "test"))
            // None that asks a proxy.
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .load();
        let sdk = runtime.block_on(sdk);
        Self { runtime, sdk }
    }

    /// Everything at once.
    pub(crate) fn account(&self) -> Account {
        self.runtime.block_on(async {
            let (clusters, services) = self.ecs().await;
            let (load_balancers, target_groups, deregistration_delay) = self.load_balancing().await;
            Account {
                stacks: self.stacks().await,
                clusters,
                services,
                load_balancers,
                target_groups,
                buckets: self.buckets().await,
                secrets: self.secrets().await,
                deregistration_delay,
                retention: self.retention().await,
            }
        })
    }

    async fn stacks(&self) -> BTreeMap<String, Stack> {
        let client = aws_sdk_cloudformation::Client::new(&self.sdk);
        let found = client.describe_stacks().send().await.expect("DescribeStacks");
        let mut stacks = BTreeMap::new();
        for stack in found.stacks() {
            let status = stack.stack_status().map_or("", |status| status.as_str()).to_owned();
            if status == "DELETE_COMPLETE" {
                continue;
            }
            let id = stack.stack_id().unwrap_or_default().to_owned();
            let events = client.describe_stack_events().stack_name(&id).send().await;
            let events = events.expect("DescribeStackEvents");
            let over = |event: &&aws_sdk_cloudformation::types::StackEvent| {
                let status = event.resource_status().map_or("", |status| status.as_str());
                event.physical_resource_id() == Some(&id) && AT_REST.contains(&status)
            };
            let operations = events.stack_events().iter().filter(over).count();
            stacks
                .insert(stack.stack_name().unwrap_or_default().to_owned(), Stack { id, status, operations });
        }
        stacks
    }

    async fn ecs(&self) -> (usize, usize) {
        let client = aws_sdk_ecs::Client::new(&self.sdk);
        let clusters = client.list_clusters().send().await.expect("ListClusters");
        let mut services = 0;
        for cluster in clusters.cluster_arns() {
            let listed = client.list_services().cluster(cluster).send().await.expect("ListServices");
            services += listed.service_arns().len();
        }
        (clusters.cluster_arns().len(), services)
    }

    async fn load_balancing(&self) -> (usize, usize, Option<u32>) {
        let client = aws_sdk_elasticloadbalancingv2::Client::new(&self.sdk);
        let balancers = client.describe_load_balancers().send().await.expect("DescribeLoadBalancers");
        let groups = client.describe_target_groups().send().await.expect("DescribeTargetGroups");
        let mut delay = None;
        for group in groups.target_groups() {
            let request = client
                .describe_target_group_attributes()
                .target_group_arn(group.target_group_arn().unwrap_or_default());
            let found = request.send().await.expect("DescribeTargetGroupAttributes");
            delay = found
                .attributes()
                .iter()
                .find(|attribute| attribute.key() == Some("deregistration_delay.timeout_seconds"))
                .and_then(|attribute| attribute.value()?.parse().ok());
        }
        (balancers.load_balancers().len(), groups.target_groups().len(), delay)
    }

    async fn buckets(&self) -> Vec<String> {
        let listed = self.s3().list_buckets().send().await.expect("ListBuckets");
        listed.buckets().iter().filter_map(|bucket| bucket.name().map(str::to_owned)).collect()
    }

    async fn secrets(&self) -> BTreeMap<String, Option<String>> {
        let client = aws_sdk_secretsmanager::Client::new(&self.sdk);
        let listed = client.list_secrets().send().await.expect("ListSecrets");
        let mut secrets = BTreeMap::new();
        for secret in listed.secret_list() {
            let name = secret.name().unwrap_or_default();
            // A secret without a value is an error of the call.
            let value = client.get_secret_value().secret_id(name).send().await.ok();
            secrets.insert(name.to_owned(), value.and_then(|value| value.secret_string));
        }
        secrets
    }

    async fn retention(&self) -> Option<u32> {
        let client = aws_sdk_cloudwatchlogs::Client::new(&self.sdk);
        let request = client.describe_log_groups().log_group_name_prefix("/leo/");
        let found = request.send().await.expect("DescribeLogGroups");
        let mut days =
            found.log_groups().iter().map(aws_sdk_cloudwatchlogs::types::LogGroup::retention_in_days);
        let first = days.next()?;
        assert!(days.all(|other| other == first), "log groups of one environment differ: {found:?}");
        u32::try_from(first?).ok()
    }

    /// Puts an object where the generated applications are.
    pub(crate) fn put(&self, bucket: &str, key: &str, text: &str) {
        let body = text.as_bytes().to_vec().into();
        let put = self.s3().put_object().bucket(bucket).key(key).body(body).send();
        self.runtime.block_on(put).expect("PutObject");
    }

    /// What an object holds.
    pub(crate) fn get(&self, bucket: &str, key: &str) -> Option<String> {
        self.runtime.block_on(async {
            let found = self.s3().get_object().bucket(bucket).key(key).send().await.ok()?;
            let bytes = found.body.collect().await.ok()?.to_vec();
            String::from_utf8(bytes).ok()
        })
    }

    /// The keys of a bucket that begin so.
    pub(crate) fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let listed = self.s3().list_objects_v2().bucket(bucket).prefix(prefix).send();
        let listed = self.runtime.block_on(listed).expect("ListObjectsV2");
        listed.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
    }

    /// Gives a secret another value.
    pub(crate) fn set_secret(&self, name: &str, value: &str) {
        let client = aws_sdk_secretsmanager::Client::new(&self.sdk);
        let put = client.put_secret_value().secret_id(name).secret_string(value).send();
        self.runtime.block_on(put).expect("PutSecretValue");
    }

    /// Keeps a log group's events for so many days.
    pub(crate) fn set_retention(&self, group: &str, days: i32) {
        let client = aws_sdk_cloudwatchlogs::Client::new(&self.sdk);
        let put = client.put_retention_policy().log_group_name(group).retention_in_days(days).send();
        self.runtime.block_on(put).expect("PutRetentionPolicy");
    }

    fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.sdk).force_path_style(true).build();
        aws_sdk_s3::Client::from_conf(config)
    }
}

impl Account {
    /// Nothing of an environment is there twice, and every stack is at rest.
    pub(crate) fn assert_whole(&self) {
        let names: Vec<_> = self.stacks.keys().map(String::as_str).collect();
        assert_eq!(names, ["leo-dev-foundation", "leo-dev-platform", "leo-registry"], "{self:#?}");
        for (name, stack) in &self.stacks {
            assert!(AT_REST.contains(&stack.status.as_str()), "{name} is in {}", stack.status);
        }
        let counts = (self.clusters, self.services, self.load_balancers, self.target_groups);
        assert_eq!(counts, (1, 1, 1, 1), "{self:#?}");
        assert_eq!((self.buckets.len(), self.secrets.len()), (2, 4), "{self:#?}");
    }
}
