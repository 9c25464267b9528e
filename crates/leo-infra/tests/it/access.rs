//! Who may read which secret: each role of the templates asks the local target, which evaluates their policies.

use crate::{
    http::{api, query},
    workspace::{WorkTree, document, shown},
};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;
use leo_local::LocalTarget;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ECS: &str = "AmazonEC2ContainerServiceV20141113";
const SECRETS: [&str; 4] = ["leo/dev/claude", "leo/dev/flyio", "leo/dev/github", "leo/dev/supabase"];

async fn sdk(target: &LocalTarget, credentials: Credentials) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(target.region.clone()))
        .endpoint_url(&target.endpoint)
        .credentials_provider(credentials)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .load()
        .await
}

fn root(target: &LocalTarget) -> Credentials {
    Credentials::new(&target.access_key_id, target.secret_access_key.expose(), None, None, "test")
}

/// The credentials of a role, as its container or the agent that starts it has them: its trust policy, which lets ECS alone
/// become it, lets this account do so as well from here on. What the role may do stays as it is.
async fn assume(target: &LocalTarget, role: &str) -> Credentials {
    let owner = format!("arn:aws:iam::{}:root", target.account_id);
    let statement = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": owner}});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let changed = query(
        target,
        "iam",
        &[
            ("Action", "UpdateAssumeRolePolicy"),
            ("RoleName", role.rsplit('/').next().expect("has a name")),
            ("PolicyDocument", &policy),
        ],
    );
    assert_eq!(changed.status, 200, "{changed:?}");
    let client = aws_sdk_sts::Client::new(&sdk(target, root(target)).await);
    let assumed = client.assume_role().role_arn(role).role_session_name("test").send().await;
    let assumed = assumed.unwrap_or_else(|error| panic!("{role}: {error:?}"));
    let it = assumed.credentials().expect("has credentials");
    Credentials::new(
        it.access_key_id(),
        it.secret_access_key(),
        Some(it.session_token().to_owned()),
        None,
        "test",
    )
}

/// Task role and execution role of a family.
fn roles(target: &LocalTarget, family: &str) -> [String; 2] {
    let asked = json!({"taskDefinition": family});
    let described = api(target, "ecs", &format!("{ECS}.DescribeTaskDefinition"), &asked);
    let role = |key: &str| described["taskDefinition"][key].as_str().expect("is named").to_owned();
    [role("taskRoleArn"), role("executionRoleArn")]
}

/// The secrets that these credentials may read, by name and by ARN. Every refusal has to be one for lack of permission.
async fn readable(
    target: &LocalTarget,
    arns: &BTreeMap<String, String>,
    credentials: Credentials,
) -> Vec<String> {
    let client = aws_sdk_secretsmanager::Client::new(&sdk(target, credentials).await);
    let mut readable = Vec::new();
    for (name, arn) in arns {
        let mut answers = Vec::new();
        for id in [name, arn] {
            match client.get_secret_value().secret_id(id).send().await {
                Ok(answer) => answers.push(answer.secret_string().is_some()),
                Err(error) => {
                    assert_eq!(error.code(), Some("AccessDeniedException"), "{id}: {error:?}");
                    answers.push(false);
                }
            }
        }
        if answers.contains(&true) {
            readable.push(name.clone());
        }
    }
    readable
}

#[test]
fn python_a_role_reads_the_secrets_of_its_containers_and_a_generator_none_of_the_orchestrators() {
    let tree = WorkTree::without_engine();
    let output = tree.leo_infra(&["deploy", "--local", "--yes", "--json"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let _: Value = document(&output);
    let target = tree.local_target();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("is built");
    runtime.block_on(async {
        let owner = aws_sdk_secretsmanager::Client::new(&sdk(&target, root(&target)).await);
        let listed = owner.list_secrets().send().await.expect("ListSecrets");
        let arns: BTreeMap<String, String> = listed
            .secret_list()
            .iter()
            .filter_map(|secret| Some((secret.name()?.to_owned(), secret.arn()?.to_owned())))
            .collect();
        assert_eq!(arns.keys().collect::<Vec<_>>(), SECRETS);
        // The owner reads all: what follows is no fault of the target's.
        assert_eq!(readable(&target, &arns, root(&target)).await, SECRETS);

        let [generator_task, generator_execution] = roles(&target, "leo-dev-generator");
        let [orchestrator_task, orchestrator_execution] = roles(&target, "leo-dev-orchestrator");
        let read = async |role: &str| readable(&target, &arns, assume(&target, role).await).await;
        // What starts a container and what runs in it: its own secrets, and none that only the other one's containers get.
        for role in [&generator_task, &generator_execution] {
            assert_eq!(read(role).await, ["leo/dev/claude", "leo/dev/flyio", "leo/dev/github"], "{role}");
        }
        for role in [&orchestrator_task, &orchestrator_execution] {
            assert_eq!(read(role).await, ["leo/dev/flyio", "leo/dev/github", "leo/dev/supabase"], "{role}");
        }

        // Nor by the detour over a role that may, or by starting a container that is given them.
        let generator = sdk(&target, assume(&target, &generator_task).await).await;
        let sts = aws_sdk_sts::Client::new(&generator);
        for role in [&orchestrator_execution, &orchestrator_task, &generator_execution] {
            let assumed = sts.assume_role().role_arn(role).role_session_name("detour").send().await;
            assert!(assumed.is_err(), "a generator becomes {role}");
        }
        let ecs = aws_sdk_ecs::Client::new(&generator);
        for family in ["leo-dev-orchestrator", "leo-dev-generator"] {
            let started = ecs.run_task().cluster("leo-dev").task_definition(family).send().await;
            let error = started.expect_err("a generator starts no task");
            assert_eq!(error.code(), Some("AccessDeniedException"), "{family}: {error:?}");
        }
        let secrets = aws_sdk_secretsmanager::Client::new(&generator);
        for (name, arn) in &arns {
            let put = secrets.put_secret_value().secret_id(arn).secret_string("{}").send().await;
            assert!(put.is_err(), "a generator writes {name}");
        }
    });
}
