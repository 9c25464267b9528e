//! The client against a fake AWS on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what a test stands on ends it when it is not there; clippy sees that only inside of test functions"
)]

use fake_aws::{BUCKET, CONTAINER_KEY_ID, FakeAws};
use leo_aws::ecs::{RunTask, Started};
use leo_aws::{Client, Retry, Variables};
use std::collections::BTreeMap;
use std::time::Duration;

/// As often as in earnest, and with waits that a test does not notice.
const RETRY: Retry =
    Retry { times: 4, shortest: Duration::from_millis(1), longest: Duration::from_millis(2) };
const JSON_THROTTLED: &str =
    r#"{"__type":"InvalidParameterException","message":"Unable to launch the task: Rate exceeded"}"#;

fn client(variables: &BTreeMap<String, String>) -> Client {
    let lookup = |name: &str| variables.get(name).cloned();
    let mut variables = Variables::new(&lookup);
    let client = Client::read(&mut variables, RETRY);
    variables.check().unwrap();
    client.unwrap()
}

async fn run(client: &Client) -> Result<Started, leo_aws::Error> {
    let task = RunTask {
        cluster: "leo-test",
        task_definition: "leo-test-generator",
        capacity_provider: "FARGATE",
        subnets: &["subnet-1".to_owned()],
        security_group: "sg-1",
        assign_public_ip: "ENABLED",
        container: "generator",
        environment: &[],
        tags: &[],
        client_token: "one",
        started_by: "me",
    };
    client.run_task(&task).await
}

#[tokio::test]
async fn objects_are_put_got_and_listed_over_pages() {
    let aws = FakeAws::start();
    let client = client(&aws.variables());
    for name in ["a", "b", "c d", "e+f", "g"] {
        client.put_object(BUCKET, &format!("jobs/{name}"), "text/plain", name).await.unwrap();
    }
    assert_eq!(client.get_object(BUCKET, "jobs/e+f").await.unwrap(), "e+f");
    let listed = client.list_objects(BUCKET, "jobs/").await.unwrap();
    let keys: Vec<_> = listed.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, ["jobs/a", "jobs/b", "jobs/c d", "jobs/e+f", "jobs/g"]);
    assert_eq!(aws.calls("ListObjectsV2").len(), 3, "two keys a page");
    assert_eq!(aws.object("jobs/a").unwrap().content_type, "text/plain");
    let missing = client.get_object(BUCKET, "jobs/none").await.unwrap_err();
    assert!(missing.is_not_found());
    insta::assert_snapshot!(missing, @"GetObject: NoSuchKey (HTTP 404): The key does not exist.");
}

#[tokio::test]
async fn an_object_is_created_once_and_never_over_another() {
    let aws = FakeAws::start();
    let client = client(&aws.variables());
    let create = |body: &'static str| client.create_object(BUCKET, "jobs/a", "text/plain", body);
    aws.answer_next("PutObject", 503, "");
    assert!(create("first").await.unwrap());
    assert!(!create("second").await.unwrap());
    assert_eq!(aws.object("jobs/a").unwrap().body, b"first");
    aws.answer_next("PutObject", 409, "<Error><Code>ConditionalRequestConflict</Code></Error>");
    assert!(!create("third").await.unwrap());
    aws.answer_next("PutObject", 403, "<Error><Code>AccessDenied</Code></Error>");
    assert!(create("fourth").await.unwrap_err().is_denied());
}

#[tokio::test]
async fn throttling_is_waited_out_and_a_refusal_is_not_repeated() {
    let aws = FakeAws::start();
    let client = client(&aws.variables());
    aws.answer_next("RunTask", 400, JSON_THROTTLED);
    aws.answer_next("RunTask", 503, "");
    assert!(matches!(run(&client).await.unwrap(), Started::Task(_)));
    assert_eq!(aws.calls("RunTask").len(), 3);
    aws.answer_next("RunTask", 400, r#"{"__type":"AccessDeniedException","message":"not you"}"#);
    let refused = run(&client).await.unwrap_err();
    insta::assert_snapshot!(refused, @"RunTask: AccessDeniedException (HTTP 400): not you");
    assert_eq!(aws.calls("RunTask").len(), 4);
}

#[tokio::test]
async fn trying_again_has_an_end() {
    let aws = FakeAws::start();
    let client = client(&aws.variables());
    for _ in 0..9 {
        aws.answer_next("RunTask", 400, JSON_THROTTLED);
    }
    assert!(run(&client).await.unwrap_err().is_throttled());
    assert_eq!(aws.calls("RunTask").len(), 5);
}

#[tokio::test]
async fn a_failure_in_a_successful_answer_is_a_refusal() {
    let aws = FakeAws::start();
    let client = client(&aws.variables());
    aws.answer_next(
        "RunTask",
        200,
        r#"{"tasks":[],"failures":[{"reason":"Capacity is unavailable at this time."}]}"#,
    );
    let Started::Refused(failures) = run(&client).await.unwrap() else { panic!("nothing was started") };
    assert!(failures[0].is_lack_of_capacity());
    aws.answer_next("RunTask", 200, "{}");
    let error = run(&client).await.unwrap_err();
    insta::assert_snapshot!(error, @"read the answer to RunTask: neither a task nor a failure is in it");
}

#[tokio::test]
async fn a_task_is_found_described_and_forgotten() {
    let aws = FakeAws::start();
    let client = client(&aws.variables());
    let Started::Task(arn) = run(&client).await.unwrap() else { panic!("a task was started") };
    assert_eq!(client.find_task("leo-test", "me").await.unwrap().as_ref(), Some(&arn));
    assert_eq!(client.find_task("leo-test", "you").await.unwrap(), None);
    aws.move_tasks("me", "STOPPED", Some(3), Some("Essential container in task exited"));
    let task = client.describe_task("leo-test", &arn).await.unwrap().unwrap();
    assert_eq!((task.last_status.as_str(), task.exit_code), ("STOPPED", Some(3)));
    assert_eq!(client.find_task("leo-test", "me").await.unwrap(), None);
    aws.forget_tasks();
    assert_eq!(client.describe_task("leo-test", &arn).await.unwrap(), None);
}

#[tokio::test]
async fn container_credentials_are_kept_while_they_last_and_fetched_again_before_their_end() {
    let aws = FakeAws::start();
    let client = client(&aws.container_variables());
    let signer = || async {
        client.list_objects(BUCKET, "").await.unwrap();
        aws.calls("ListObjectsV2").pop().unwrap().signed_by
    };
    aws.set_container_credentials(Some(Duration::from_hours(1)));
    assert_eq!(signer().await, format!("{CONTAINER_KEY_ID}1"));
    assert_eq!(signer().await, format!("{CONTAINER_KEY_ID}1"));
}

#[tokio::test]
async fn credentials_near_their_end_are_used_as_long_as_no_others_can_be_had() {
    let aws = FakeAws::start();
    let client = client(&aws.container_variables());
    aws.set_container_credentials(Some(Duration::from_mins(1)));
    let signers = || aws.calls("ListObjectsV2").into_iter().map(|call| call.signed_by).collect::<Vec<_>>();
    client.list_objects(BUCKET, "").await.unwrap();
    client.list_objects(BUCKET, "").await.unwrap();
    aws.set_container_credentials(None);
    client.list_objects(BUCKET, "").await.unwrap();
    let expected = [1, 2, 2].map(|number| format!("{CONTAINER_KEY_ID}{number}"));
    assert_eq!(signers(), expected);
}

#[tokio::test]
async fn without_credentials_the_error_says_so_and_nothing_of_the_token() {
    let aws = FakeAws::start();
    let client = client(&aws.container_variables());
    let error = client.list_objects(BUCKET, "").await.unwrap_err();
    insta::assert_snapshot!(error, @"get the task role's credentials: the endpoint answered HTTP 500");
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_a_transport_error_with_its_cause() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut variables = FakeAws::start().variables();
    variables.insert("AWS_ENDPOINT_URL".to_owned(), format!("http://{free}"));
    let error = client(&variables).list_objects(BUCKET, "").await.unwrap_err();
    assert!(error.is_transient());
    assert!(error.to_string().contains("refused"), "{error}");
}
