//! What ECS uses, on the wire: an ECS with two clusters whose answers come in pages.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::retry::RetryConfig;
use aws_sdk_ecs::config::{BehaviorVersion, Config, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use leo_aws::FailureKind;
use leo_data::{DataError, ImageUses, image_uses};
use serde_json::{Value, json};

use crate::account::{ACCOUNT, REGION, response};
use crate::json::error;

/// What an operation is answered with, by its name and request.
type Answers = BTreeMap<&'static str, Arc<dyn Fn(&Value) -> (u16, String) + Send + Sync>>;

#[derive(Clone, Default)]
struct Ecs {
    /// Instead of the truth.
    instead: Answers,
    asked: Arc<Mutex<Vec<String>>>,
}

impl fmt::Debug for Ecs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ecs")
    }
}

fn arn(what: &str) -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:{what}")
}

fn definition(name: &str) -> String {
    arn(&format!("task-definition/{name}"))
}

/// Item `nextToken` of these, and the next one's token.
fn page(field: &str, request: &Value, all: &[String]) -> Value {
    let at: usize = request["nextToken"].as_str().map_or(0, |token| token.parse().unwrap());
    let next = (at + 1 < all.len()).then(|| (at + 1).to_string());
    json!({field: all.iter().skip(at).take(1).collect::<Vec<_>>(), "nextToken": next})
}

fn image(letter: char) -> String {
    format!("r/leo@sha256:{}", letter.to_string().repeat(64))
}

/// `leo-dev` has a service in the middle of a deployment, one whose old task set still runs, and tasks; `theirs` nothing.
fn truth(operation: &str, request: &Value) -> Value {
    let in_dev = request["cluster"] == "leo-dev";
    let only_in_dev = |all: &[&str]| -> Vec<String> {
        if in_dev { all.iter().map(|one| arn(one)).collect() } else { vec![] }
    };
    match operation {
        "ListClusters" => page("clusterArns", request, &[arn("cluster/leo-dev"), arn("cluster/theirs")]),
        "ListServices" => page(
            "serviceArns",
            request,
            &only_in_dev(&["service/leo-dev/web", "service/leo-dev/blue", "service/leo-dev/gone"]),
        ),
        "DescribeServices" => {
            assert!(request["services"].as_array().unwrap().len() <= 10);
            json!({
                "services": [
                    {
                        "serviceArn": arn("service/leo-dev/web"), "serviceName": "web",
                        "taskDefinition": definition("web:3"),
                        "deployments": [
                            {"status": "PRIMARY", "taskDefinition": definition("web:3")},
                            // What ECS goes back to; active no more.
                            {"status": "ACTIVE", "taskDefinition": definition("web:2")},
                        ],
                    },
                    {
                        "serviceArn": arn("service/leo-dev/blue"), "serviceName": "blue",
                        "taskSets": [{"taskDefinition": definition("blue:1")}],
                    },
                ],
                "failures": [{"arn": arn("service/leo-dev/gone"), "reason": "MISSING"}],
            })
        }
        "ListTasks" => {
            assert_eq!(request["desiredStatus"], "RUNNING");
            page(
                "taskArns",
                request,
                &only_in_dev(&["task/leo-dev/t1", "task/leo-dev/t2", "task/leo-dev/t3"]),
            )
        }
        "DescribeTasks" => json!({
            "tasks": [
                {
                    "taskArn": arn("task/leo-dev/t1"), "taskDefinitionArn": definition("job:1"),
                    "containers": [
                        {"image": image('a'), "imageDigest": "sha256:part"},
                        {"image": "sidecar:latest"},
                    ],
                },
                // It has nothing yet but its task definition.
                {"taskArn": arn("task/leo-dev/t2"), "taskDefinitionArn": definition("job:2"), "containers": []},
            ],
            "failures": [{"arn": arn("task/leo-dev/t3"), "reason": "MISSING"}],
        }),
        "ListTaskDefinitions" => {
            assert_eq!(request["status"], "ACTIVE");
            page("taskDefinitionArns", request, &[definition("web:3"), definition("theirs:9")])
        }
        "DescribeTaskDefinition" => {
            let asked = request["taskDefinition"].as_str().unwrap();
            let (name, letter, active) = [
                ("web:3", '3', true),
                ("web:2", '2', false),
                ("blue:1", 'b', false),
                ("job:2", 'c', false),
                ("theirs:9", '9', true),
            ]
            .into_iter()
            .find(|(name, ..)| asked.ends_with(&format!("/{name}")))
            .unwrap_or_else(|| panic!("{asked} is nobody's"));
            json!({"taskDefinition": {
                "taskDefinitionArn": definition(name),
                "status": if active { "ACTIVE" } else { "INACTIVE" },
                "containerDefinitions": [{"name": "app", "image": image(letter)}],
            }})
        }
        other => panic!("unexpected call of {other}"),
    }
}

impl HttpConnector for Ecs {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").unwrap().rsplit('.').next().unwrap().to_owned();
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        self.asked.lock().unwrap().push(operation.clone());
        let (status, answer) = match self.instead.get(operation.as_str()) {
            Some(instead) => instead(&body),
            None => (200, truth(&operation, &body).to_string()),
        };
        HttpConnectorFuture::ready(Ok(response(status, answer)))
    }
}

impl Ecs {
    fn instead(
        operation: &'static str,
        answer: impl Fn(&Value) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        Self { instead: [(operation, Arc::new(answer) as _)].into(), ..Self::default() }
    }

    fn client(&self) -> Client {
        let connector = SharedHttpConnector::new(self.clone());
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("AKIAEXAMPLE", "not-a-secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()));
        Client::from_conf(config.build())
    }

    async fn uses(&self) -> Result<ImageUses, DataError> {
        image_uses(&self.client()).await
    }
}

#[tokio::test]
async fn everything_that_ecs_runs_or_could_start_is_seen() {
    let ecs = Ecs::default();
    let seen = ecs.uses().await.unwrap();
    assert_eq!(seen.clusters, ["leo-dev", "theirs"]);
    let lines: Vec<String> = seen
        .uses
        .iter()
        .map(|used| {
            let image = used.image.replace(&"0".repeat(64), "0");
            let short = image.split_once("sha256:").map_or(image.clone(), |(_, hex)| hex[..1].to_owned());
            format!("{short} {:?} {:?}", used.digest, used.by)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    let asked = ecs.asked.lock().unwrap();
    let times = |operation: &str| asked.iter().filter(|asked| *asked == operation).count();
    assert_eq!((times("ListClusters"), times("ListServices"), times("ListTasks")), (2, 4, 4), "every page");
    assert_eq!(times("ListTaskDefinitions"), 2);
    assert_eq!(times("DescribeTaskDefinition"), 5, "each once");
}

#[tokio::test]
async fn one_thing_that_cannot_be_seen_is_an_error() {
    let refusal = || error("AccessDeniedException", "User: u is not authorized");
    let mut said = vec![];
    for operation in [
        "ListClusters",
        "ListServices",
        "DescribeServices",
        "ListTasks",
        "DescribeTasks",
        "ListTaskDefinitions",
        "DescribeTaskDefinition",
    ] {
        let error = Ecs::instead(operation, move |_| refusal()).uses().await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Credentials, "{operation}");
        said.push(format!("failed to {error}"));
    }
    // The second page alone.
    let paged = |request: &Value| match request["nextToken"].as_str() {
        Some(_) => error("ServerException", "try later"),
        None => (200, truth("ListTasks", request).to_string()),
    };
    said.push(format!("failed to {}", Ecs::instead("ListTasks", paged).uses().await.unwrap_err()));
    // Answered, but not about all that was asked.
    for (operation, answer) in [
        (
            "DescribeServices",
            json!({"services": [], "failures": [{"arn": arn("service/leo-dev/web"), "reason": "ACCESS"}]}),
        ),
        ("DescribeTasks", json!({"tasks": [], "failures": []})),
        ("DescribeTaskDefinition", json!({})),
    ] {
        let error = Ecs::instead(operation, move |_| (200, answer.to_string())).uses().await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Failed, "{operation}");
        said.push(format!("failed to {error}"));
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn a_cluster_that_was_deleted_since_runs_nothing() {
    for operation in ["ListServices", "DescribeServices", "ListTasks", "DescribeTasks"] {
        let gone = |_: &Value| error("ClusterNotFoundException", "Cluster not found.");
        assert!(Ecs::instead(operation, gone).uses().await.is_ok(), "{operation}");
    }
}
