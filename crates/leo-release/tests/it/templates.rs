use crate::bucket::{BUCKET, Bucket, Fault};
use leo_aws::FailureKind;
use leo_release::{ReleaseError, TEMPLATE_LIMIT};

const BODY: &str = r#"{"Resources":{}}"#;
const SHA256: &str = "81c39ba6fe3b6ecffc97bb5e0ff6b5b3f8ddb3bca7c3e3e3b1d3c5ebf9e0f2b9";

#[tokio::test(start_paused = true)]
async fn a_template_is_sent_once_and_read_back() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    let staged = artifacts.stage(BODY).await.unwrap();
    let key = format!("templates/{}.json", staged.sha256);
    assert_eq!(staged.url, format!("https://{BUCKET}.s3.eu-central-1.amazonaws.com/{key}"));
    assert_eq!(artifacts.template_url(&staged.sha256), staged.url);
    assert_eq!(bucket.calls(), [format!("PUT {key} If-None-Match: *")]);

    assert_eq!(artifacts.stage(BODY).await.unwrap(), staged);
    assert_eq!(bucket.calls(), [format!("PUT {key} If-None-Match: *"), format!("GET {key}")]);
    assert_eq!(artifacts.template(&staged.sha256).await.unwrap(), BODY);
    assert_eq!(bucket.text(&key).as_deref(), Some(BODY));
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_got_lost_is_found() {
    let bucket = Bucket::new();
    bucket.fault("PUT templates/", [Fault::AnswerLost]);
    let staged = bucket.artifacts().stage(BODY).await.unwrap();
    assert_eq!(bucket.artifacts().template(&staged.sha256).await.unwrap(), BODY);
}

#[tokio::test(start_paused = true)]
async fn throttling_conflicts_and_broken_answers_are_overcome() {
    let bucket = Bucket::new();
    let throttled = Fault::Refused(503, "SlowDown");
    let conflict = Fault::Refused(409, "ConditionalRequestConflict");
    bucket.fault("PUT templates/", [throttled, conflict, conflict, throttled, throttled]);
    let staged = bucket.artifacts().stage(BODY).await.unwrap();
    bucket.fault("GET templates/", [throttled, Fault::Truncated, Fault::Refused(500, "InternalError")]);
    assert_eq!(bucket.artifacts().template(&staged.sha256).await.unwrap(), BODY);
}

#[tokio::test(start_paused = true)]
async fn other_contents_under_its_name_are_never_deployed() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    let staged = artifacts.stage(BODY).await.unwrap();
    bucket.write(&format!("templates/{}.json", staged.sha256), r#"{"Resources":{"Evil":{}}}"#);
    for error in
        [artifacts.stage(BODY).await.unwrap_err(), artifacts.template(&staged.sha256).await.unwrap_err()]
    {
        assert!(matches!(error, ReleaseError::Damaged { .. }), "{error}");
        assert_eq!(error.kind(), FailureKind::Failed);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_or_too_large_is_said() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    let error = artifacts.template(SHA256).await.unwrap_err();
    insta::assert_snapshot!(format!("failed to {error}\nhint: {}", error.hint().unwrap()));

    let error = artifacts.stage(&" ".repeat(TEMPLATE_LIMIT + 1)).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Usage);
    insta::assert_snapshot!(format!("failed to {error}\nhint: {}", error.hint().unwrap()));
    artifacts.stage(&" ".repeat(TEMPLATE_LIMIT)).await.unwrap();

    bucket.remove();
    for error in [
        artifacts.stage(BODY).await.unwrap_err(),
        artifacts.template(SHA256).await.unwrap_err(),
        artifacts.releases("dev", None).await.unwrap_err(),
    ] {
        assert!(matches!(error, ReleaseError::NoBucket { .. }), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_are_a_kind_of_their_own() {
    let bucket = Bucket::new();
    bucket.fault("PUT ", [Fault::Refused(400, "ExpiredToken")]);
    let error = bucket.artifacts().stage(BODY).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Credentials);
    assert!(error.hint().unwrap().contains("sign in again"), "{:?}", error.hint());
    assert_eq!(bucket.calls().len(), 1, "it is not asked again");
}
