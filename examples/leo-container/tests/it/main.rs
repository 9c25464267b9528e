//! The program itself against a fake AWS on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what a test stands on ends it when it is not there; clippy sees that only inside of test functions"
)]

use fake_aws::FakeAws;
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

const FAR: &str = "2999-01-01T00:00:00Z";

fn generator(aws: &FakeAws, deadline: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_leo-container"))
        .env_clear()
        .envs(aws.variables())
        .env("LEO_RUN", "r1")
        .env("LEO_DEADLINE", deadline)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn finished(child: Child) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = child.wait_with_output().await.unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

fn text(aws: &FakeAws, key: &str) -> String {
    String::from_utf8(aws.object(key).unwrap().body).unwrap()
}

#[tokio::test]
async fn a_prompt_becomes_a_site_and_the_status_is_written_last() {
    let aws = FakeAws::start();
    aws.put("jobs/r1/input", "<b>bread</b>", Duration::ZERO);
    let (code, log) = finished(generator(&aws, FAR)).await;
    assert_eq!(code, Some(0), "{log}");
    insta::assert_snapshot!(log, @r"
    run r1: started
    run r1: done, 2 objects
    ");
    let written: Vec<_> = aws.calls("PutObject").into_iter().map(|call| call.body).collect();
    assert_eq!(
        written,
        ["jobs/r1/output/index.html", "jobs/r1/output/style.css", "jobs/r1/output/status.json"]
    );
    assert!(text(&aws, "jobs/r1/output/index.html").contains("&lt;b&gt;bread&lt;/b&gt;"));
    assert_eq!(aws.object("jobs/r1/output/index.html").unwrap().content_type, "text/html; charset=utf-8");
    insta::assert_snapshot!(
        text(&aws, "jobs/r1/output/status.json"),
        @r#"{"objects":["jobs/r1/output/index.html","jobs/r1/output/style.css"],"state":"done"}"#
    );
    assert!(aws.calls("ListObjectsV2").is_empty(), "its role may not list");
}

#[tokio::test]
async fn without_a_prompt_it_says_so_in_the_bucket_and_in_the_log() {
    let aws = FakeAws::start();
    let (code, log) = finished(generator(&aws, FAR)).await;
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(log, @r"
    run r1: started
    run r1: failed to read the prompt: GetObject: NoSuchKey (HTTP 404): The key does not exist.
    ");
    insta::assert_snapshot!(
        text(&aws, "jobs/r1/output/status.json"),
        @r#"{"reason":"the prompt could not be read","state":"failed"}"#
    );
}

#[tokio::test]
async fn after_the_deadline_nothing_is_begun() {
    let aws = FakeAws::start();
    aws.put("jobs/r1/input", "bread", Duration::ZERO);
    let (code, _) = finished(generator(&aws, "2020-01-01T00:00:00Z")).await;
    assert_eq!(code, Some(1));
    assert!(aws.object("jobs/r1/output/index.html").is_none());
    insta::assert_snapshot!(
        text(&aws, "jobs/r1/output/status.json"),
        @r#"{"reason":"failed to finish before the deadline","state":"failed"}"#
    );
}

#[tokio::test]
async fn sigterm_ends_it_with_a_status() {
    let aws = FakeAws::start();
    // It waits for an answer to its first call, which never comes while the test holds it.
    let hold = aws.hold();
    let mut child = generator(&aws, FAR);
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    assert_eq!(log.next_line().await.unwrap().as_deref(), Some("run r1: started"));
    let pid = rustix::process::Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(log.next_line().await.unwrap().as_deref(), Some("run r1: failed to finish before SIGTERM"));
    drop(hold);
    assert_eq!(child.wait().await.unwrap().code(), Some(1));
    insta::assert_snapshot!(
        text(&aws, "jobs/r1/output/status.json"),
        @r#"{"reason":"failed to finish before SIGTERM","state":"failed"}"#
    );
}

#[tokio::test]
async fn a_wrong_environment_is_exit_2() {
    let program = Command::new(env!("CARGO_BIN_EXE_leo-container")).env_clear().env("LEO_RUN", "r1").output();
    let output = program.await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(
        String::from_utf8(output.stderr).unwrap(),
        @r"
        error: failed to read the environment: LEO_DEADLINE is not set; LEO_BUCKET is not set; AWS_REGION is not set; the task role's AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI, or a pair of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, is not set
        hint: the task definition sets these; outside ECS, see examples/README.md
        "
    );
}
