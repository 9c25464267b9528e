//! What was changed behind CloudFormation's back.

use leo_deploy::{DeployError, Drift, DriftKind};

use crate::answers::*;
use crate::wire::{Answer, Conversation};

const DETECT: &str = "DetectStackDrift";
const STATUS: &str = "DescribeStackDriftDetectionStatus";
const DRIFTS: &str = "DescribeStackResourceDrifts";

fn begun() -> Answer {
    answer(DETECT, "<StackDriftDetectionId>d-1</StackDriftDetectionId>")
}

fn detection(status: &str, reason: &str) -> Answer {
    answer(
        STATUS,
        &format!(
            "<StackId>{STACK}</StackId><StackDriftDetectionId>d-1</StackDriftDetectionId>\
             <DetectionStatus>{status}</DetectionStatus><DetectionStatusReason>{reason}</DetectionStatusReason>\
             <Timestamp>2026-11-01T00:00:00Z</Timestamp>"
        ),
    )
}

/// One resource's drift: logical id, status, and its differences.
fn drift(logical: &str, status: &str, differences: &str) -> String {
    format!(
        "<member><StackId>{STACK}</StackId><LogicalResourceId>{logical}</LogicalResourceId>\
         <PhysicalResourceId>id-of-{logical}</PhysicalResourceId><ResourceType>AWS::S3::Bucket</ResourceType>\
         <StackResourceDriftStatus>{status}</StackResourceDriftStatus>\
         <PropertyDifferences>{differences}</PropertyDifferences><Timestamp>2026-11-01T00:00:00Z</Timestamp></member>"
    )
}

fn difference(path: &str, expected: &str, actual: &str, kind: &str) -> String {
    format!(
        "<member><PropertyPath>{path}</PropertyPath><ExpectedValue>{expected}</ExpectedValue>\
         <ActualValue>{actual}</ActualValue><DifferenceType>{kind}</DifferenceType></member>"
    )
}

fn drifts(members: &[String], next: Option<&str>) -> Answer {
    let next = next.map(|token| format!("<NextToken>{token}</NextToken>")).unwrap_or_default();
    answer(DRIFTS, &format!("<StackResourceDrifts>{}</StackResourceDrifts>{next}", members.concat()))
}

async fn detect(conversation: &Conversation) -> Result<Option<Drift>, DeployError> {
    let drift = stacks(conversation).detect_drift("leo-dev", &|_| {}).await;
    conversation.assert_over();
    drift
}

#[tokio::test(start_paused = true)]
async fn what_differs_is_told_property_by_property() {
    let bucket = drift(
        "Bucket",
        "MODIFIED",
        &[
            difference("/VersioningConfiguration/Status", "Enabled", "Suspended", "NOT_EQUAL"),
            difference("/Tags/3", "null", "{&quot;Key&quot;:&quot;by&quot;}", "ADD"),
            difference("/LifecycleConfiguration", "{}", "null", "REMOVE"),
            difference("/New", "a", "b", "SWAPPED"),
        ]
        .concat(),
    );
    let conversation = Conversation::new([
        (DESCRIBE, stack("UPDATE_COMPLETE")),
        (DETECT, begun()),
        (STATUS, detection("DETECTION_IN_PROGRESS", "")),
        (STATUS, throttled()),
        (STATUS, Answer::Reset),
        (STATUS, detection("DETECTION_COMPLETE", "")),
        (DRIFTS, drifts(&[drift("Service", "IN_SYNC", ""), drift("Secret", "DELETED", "")], Some("more"))),
        (DRIFTS, drifts(&[bucket, drift("Odd", "UNKNOWN", "")], None)),
        (
            LIST,
            resources(
                &[
                    ("Bucket", "AWS::S3::Bucket", "b", "UPDATE_COMPLETE"),
                    ("Odd", "AWS::S3::Bucket", "o", "CREATE_COMPLETE"),
                    ("Route", "AWS::EC2::Route", "r", "CREATE_COMPLETE"),
                    ("Secret", "AWS::SecretsManager::Secret", "s", "CREATE_COMPLETE"),
                    ("Service", "AWS::ECS::Service", "v", "CREATE_COMPLETE"),
                ],
                None,
            ),
        ),
    ]);
    let drift = detect(&conversation).await.unwrap().unwrap();
    assert!(drift.is_drifted());
    assert_eq!(drift.in_sync, 1);
    let unchecked = drift.unchecked.iter().map(|one| one.logical_id.as_str()).collect::<Vec<_>>();
    assert_eq!(unchecked, ["Odd", "Route"], "what can't be checked is said");
    let kinds = drift.drifted.iter().map(|one| (one.logical_id.as_str(), &one.kind)).collect::<Vec<_>>();
    assert_eq!(kinds, [("Bucket", &DriftKind::Modified), ("Secret", &DriftKind::Deleted)]);
    let differences = &drift.drifted[0].differences;
    let shown = differences
        .iter()
        .map(|one| {
            let value = |value: &Option<leo_deploy::Observed>| {
                value.as_ref().map_or("-".to_owned(), |value| value.expose().to_owned())
            };
            format!("{} {:?} {} {}", one.path, one.kind, value(&one.expected), value(&one.actual))
        })
        .collect::<Vec<_>>();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    /VersioningConfiguration/Status Modified Enabled Suspended
    /Tags/3 Added - {"Key":"by"}
    /LifecycleConfiguration Deleted {} -
    /New Other("SWAPPED") a b
    "#);
    assert!(!format!("{drift:?}").contains("Suspended"), "values are not in Debug output: {drift:?}");
}

#[tokio::test(start_paused = true)]
async fn no_stack_has_no_drift_to_tell() {
    let conversation = Conversation::new([(DESCRIBE, no_stack())]);
    assert_eq!(detect(&conversation).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn what_failed_in_part_is_told_beside_what_was_found() {
    let conversation = Conversation::new([
        (DESCRIBE, stack("CREATE_COMPLETE")),
        (DETECT, begun()),
        (STATUS, detection("DETECTION_FAILED", "Failed to detect drift on resources [Role]")),
        (DRIFTS, drifts(&[drift("Bucket", "IN_SYNC", "")], None)),
        (LIST, resources(&[("Bucket", "AWS::S3::Bucket", "b", "CREATE_COMPLETE")], None)),
    ]);
    let drift = detect(&conversation).await.unwrap().unwrap();
    assert!(!drift.is_drifted());
    assert_eq!(drift.failure.as_deref(), Some("Failed to detect drift on resources [Role]"));
}

#[tokio::test(start_paused = true)]
async fn a_detection_that_found_nothing_out_is_a_failure() {
    let conversation = Conversation::new([
        (DESCRIBE, stack("CREATE_COMPLETE")),
        (DETECT, begun()),
        (STATUS, detection("DETECTION_FAILED", "Access denied")),
        (DRIFTS, drifts(&[], None)),
        (LIST, resources(&[("Bucket", "AWS::S3::Bucket", "b", "CREATE_COMPLETE")], None)),
    ]);
    let error = detect(&conversation).await.unwrap_err();
    assert_eq!(error.to_string(), "detect the drift of leo-dev: Access denied");
}

#[tokio::test(start_paused = true)]
async fn another_detection_is_waited_for() {
    let busy =
        || refused(400, "ValidationError", "Drift detection is already in progress for stack [leo-dev]");
    let conversation = Conversation::new([
        (DESCRIBE, stack("CREATE_COMPLETE")),
        (DETECT, busy()),
        (DETECT, busy()),
        (DETECT, begun()),
        (STATUS, detection("DETECTION_COMPLETE", "")),
        (DRIFTS, drifts(&[drift("Bucket", "IN_SYNC", "")], None)),
        (LIST, resources(&[("Bucket", "AWS::S3::Bucket", "b", "CREATE_COMPLETE")], None)),
    ]);
    assert!(!detect(&conversation).await.unwrap().unwrap().is_drifted());
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_can_not_be_checked_says_why() {
    let conversation = Conversation::new([
        (DESCRIBE, stack("ROLLBACK_COMPLETE")),
        (
            DETECT,
            refused(
                400,
                "ValidationError",
                "Drift detection cannot be performed on stack [leo-dev] in ROLLBACK_COMPLETE",
            ),
        ),
    ]);
    let error = detect(&conversation).await.unwrap_err();
    insta::assert_snapshot!(error, @r"
    detect the drift of leo-dev: DetectStackDrift: ValidationError: Drift detection cannot be performed on stack [leo-dev] in ROLLBACK_COMPLETE
    ");
}

#[tokio::test(start_paused = true)]
async fn a_detection_without_end_is_given_up() {
    let mut calls = vec![(DESCRIBE, stack("CREATE_COMPLETE")), (DETECT, begun())];
    calls.extend((0..400).map(|_| (STATUS, detection("DETECTION_IN_PROGRESS", ""))));
    let conversation = Conversation::new(calls);
    let error = stacks(&conversation).detect_drift("leo-dev", &|_| {}).await.unwrap_err();
    assert!(matches!(error, DeployError::DriftUnknown { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_runs_is_followed_first() {
    let begun_update = ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated");
    let conversation = Conversation::new([
        (DESCRIBE, stack("UPDATE_IN_PROGRESS")),
        (EVENTS, events(&[begun_update], None)),
        (REVIEW, change_set_in("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS", "")),
        (EVENTS, events(&[begun_update, ("e2", "leo-dev", "", "UPDATE_COMPLETE", "")], None)),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
        (DETECT, begun()),
        (STATUS, detection("DETECTION_COMPLETE", "")),
        (DRIFTS, drifts(&[], None)),
        (LIST, resources(&[], None)),
    ]);
    assert!(!detect(&conversation).await.unwrap().unwrap().is_drifted());
}
