//! Who may use `/jobs` where a generator costs money.

use fake_aws::FakeAws;
use http_body_util::Full;
use hyper::{Method, Request, StatusCode, header};
use std::collections::BTreeMap;
use std::time::Duration;

use crate::orchestrator::{Answered, Orchestrator, variables};

const KEY: &str = "jobs/demo-token";
const MISSING: &str = "<Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>";
const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";

/// The same fake at an address that leads here and is not one of the local ones, as AWS's are not.
fn far(aws: &FakeAws) -> BTreeMap<String, String> {
    let mut variables = variables(aws);
    variables.insert("AWS_ENDPOINT_URL".to_owned(), aws.url().replace("127.0.0.1", "0.0.0.0"));
    variables
}

async fn ask(orchestrator: &Orchestrator, method: Method, path: &str, token: Option<&str>) -> Answered {
    let mut request =
        Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    orchestrator.send(request.body(Full::from(r#"{"prompt":"a bakery"}"#)).unwrap()).await
}

async fn post(orchestrator: &Orchestrator, token: Option<&str>) -> Answered {
    ask(orchestrator, Method::POST, "/jobs", token).await
}

fn token(aws: &FakeAws) -> String {
    String::from_utf8(aws.object(KEY).expect("a token in the bucket").body).unwrap()
}

#[tokio::test]
async fn jobs_need_the_token_in_the_bucket_and_the_rest_does_not() {
    let aws = FakeAws::start();
    let orchestrator = Orchestrator::start(&far(&aws)).await;
    assert_eq!(orchestrator.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(orchestrator.get("/").await.status, StatusCode::NOT_FOUND);
    assert!(aws.keys().is_empty() && aws.calls("GetObject").is_empty(), "only /jobs needs a token");
    let job = "/jobs/00112233445566778899aabbccddeeff";
    let wrong = Some("00112233445566778899aabbccddeeff");
    for (method, path, wrong) in [
        (Method::POST, "/jobs", None),
        (Method::POST, "/jobs", wrong),
        (Method::GET, "/jobs", None),
        (Method::GET, job, None),
        (Method::GET, job, wrong),
        (Method::GET, "/jobs/demo-token", None),
    ] {
        let answer = ask(&orchestrator, method, path, wrong).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
        insta::allow_duplicates! {
            insta::assert_snapshot!(answer.body, @r#"{"error":"send `Authorization: Bearer <the demo's token>`","hint":"fetch the token with `aws s3 cp s3://leo-test-apps/jobs/demo-token -`"}"#);
        }
    }
    assert_eq!(aws.calls("PutObject").len(), 1, "it is made once");
    let token = token(&aws);
    let answer = post(&orchestrator, Some(&token)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    let path = format!("/jobs/{}", answer.text("id"));
    let answer = ask(&orchestrator, Method::GET, &path, Some(&token)).await;
    assert_eq!((answer.status, answer.text("state")), (StatusCode::OK, "queued"));
    let answer = ask(&orchestrator, Method::GET, "/jobs/demo-token", Some(&token)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "the token is no job");
    orchestrator.terminate();
    let (_, log) = orchestrator.finished().await;
    assert!(!log.join("\n").contains(&token));
    assert_eq!(log[0], "made a new token for /jobs: aws s3 cp s3://leo-test-apps/jobs/demo-token -");
}

#[tokio::test]
async fn two_orchestrators_agree_also_when_both_saw_no_token() {
    let aws = FakeAws::start();
    let (one, other) = (Orchestrator::start(&far(&aws)).await, Orchestrator::start(&far(&aws)).await);
    post(&one, None).await;
    let token = token(&aws);
    // The other one asked a moment earlier, and its first write meets the first one's, which AWS may say in two ways.
    aws.answer_next("GetObject", 404, MISSING);
    aws.answer_next("PutObject", 409, "<Error><Code>ConditionalRequestConflict</Code></Error>");
    aws.answer_next("GetObject", 404, MISSING);
    assert_eq!(post(&other, Some(&token)).await.status, StatusCode::ACCEPTED);
    assert_eq!(post(&one, Some(&token)).await.status, StatusCode::ACCEPTED);
    assert_eq!(token, self::token(&aws), "nobody wrote over it");
}

#[tokio::test]
async fn a_missing_token_is_made_also_where_aws_calls_it_forbidden() {
    let aws = FakeAws::start();
    let orchestrator = Orchestrator::start(&far(&aws)).await;
    aws.answer_next("GetObject", 403, DENIED);
    assert_eq!(post(&orchestrator, None).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(post(&orchestrator, Some(&token(&aws))).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_bucket_that_can_not_be_read_is_503_even_for_the_right_token() {
    let aws = FakeAws::start();
    let token = "00112233445566778899aabbccddeeff";
    aws.put(KEY, token, Duration::ZERO);
    let orchestrator = Orchestrator::start(&far(&aws)).await;
    for _ in 0..3 {
        aws.answer_next("GetObject", 403, DENIED);
    }
    for token in [Some(token), None] {
        let answer = post(&orchestrator, token).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers.contains_key(header::RETRY_AFTER));
        assert_eq!(answer.text("error"), "the token can't be checked; the log says why");
    }
    orchestrator.terminate();
    let (_, log) = orchestrator.finished().await;
    insta::assert_snapshot!(log[..2].join("\n"), @"
    failed to read or make the demo's token: GetObject: AccessDenied (HTTP 403): Access Denied
    hint: the task role's policy does not allow this call on this resource
    ");
    assert!(!log.join("\n").contains(token));
}
