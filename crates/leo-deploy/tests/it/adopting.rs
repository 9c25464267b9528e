//! What outlived its stack, made part of a new one.

use leo_deploy::{
    ChangeAction, DeployError, StackOutcome, StackRequest, StackStatus, TemplateSource, ToImport,
};
use serde_json::{Value, json};

use crate::answers::*;
use crate::wire::{Answer, Conversation};

const REVIEWED: Event<'_> = ("e0", "leo-dev", "", "REVIEW_IN_PROGRESS", "User Initiated");
const BEGUN: Event<'_> = ("e1", "leo-dev", "", "IMPORT_IN_PROGRESS", "User Initiated");

fn full() -> StackRequest {
    let template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "data and what uses it",
        "Metadata": {"by": "hand"},
        "Parameters": {"Image": {"Type": "String"}, "Stage": {"Type": "String"}, "Unused": {"Type": "String"}},
        "Mappings": {"Days": {"dev": {"n": 1}}, "Other": {}},
        "Conditions": {
            "Versioned": {"Fn::And": [{"Condition": "Real"}, {"Fn::Equals": ["1", "1"]}]},
            "Real": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
            "Other": {"Fn::Equals": [{"Ref": "Unused"}, ""]},
        },
        "Resources": {
            "Bucket": {
                "Type": "AWS::S3::Bucket",
                "DeletionPolicy": "RetainExceptOnCreate",
                "UpdateReplacePolicy": "Retain",
                "DependsOn": ["Role", "Secret"],
                "Properties": {
                    "BucketName": {"Fn::Join": ["-", ["leo", {"Ref": "AWS::AccountId"}]]},
                    "Versioning": {"Fn::If": ["Versioned", {"Fn::FindInMap": ["Days", "dev", "n"]}, {"Ref": "AWS::NoValue"}]},
                },
            },
            "Secret": {"Type": "AWS::SecretsManager::Secret", "DependsOn": "Role", "Properties": {"Name": {"Fn::Sub": "leo/${Stage}/${!x}${AWS::Region}"}}},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"Arn": {"Fn::GetAtt": ["Bucket", "Arn"]}}},
            "Tied": {"Type": "AWS::S3::Bucket", "Properties": {"Key": {"Fn::GetAtt": "Role.Arn"}}},
        },
        "Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}},
    });
    let parameters = [("Image", "sha256:1"), ("Stage", "dev"), ("Unused", "x")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    StackRequest {
        template: TemplateSource::Inline(template.to_string()),
        parameters: parameters.into(),
        ..request()
    }
}

fn to_import(logical: &str, kind: &str, key: &str, value: &str) -> ToImport {
    ToImport {
        logical_id: logical.to_owned(),
        resource_type: kind.to_owned(),
        identifier: [(key.to_owned(), value.to_owned())].into(),
    }
}

fn retained() -> [ToImport; 2] {
    [
        to_import("Bucket", "AWS::S3::Bucket", "BucketName", "leo-111122223333"),
        to_import(
            "Secret",
            "AWS::SecretsManager::Secret",
            "Id",
            "arn:aws:secretsmanager:us-east-1:1:secret:leo-a1b2c3",
        ),
    ]
}

fn imported() -> Answer {
    change_set(&[("Import", "Bucket", ""), ("Import", "Secret", "")], None)
}

async fn adopt(
    conversation: &Conversation,
    resources: &[ToImport],
    lines: &Lines,
) -> Result<StackOutcome, DeployError> {
    let outcome = stacks(conversation).adopt(&full(), resources, &lines.sink()).await;
    conversation.assert_over();
    outcome
}

#[tokio::test(start_paused = true)]
async fn only_what_is_there_is_imported() {
    let conversation = Conversation::new([
        (DESCRIBE, no_stack()),
        (CREATE, created()),
        (REVIEW, change_set_in("CREATE_IN_PROGRESS", "UNAVAILABLE", "")),
        (REVIEW, imported()),
        (EVENTS, events(&[REVIEWED], None)),
        (EXECUTE, done(EXECUTE)),
        (EVENTS, events(&[REVIEWED, BEGUN, ("e2", "Bucket", "b", "IMPORT_COMPLETE", "")], None)),
        (DESCRIBE, stack("IMPORT_IN_PROGRESS")),
        (EVENTS, events(&[REVIEWED, BEGUN, ("e3", "leo-dev", "", "IMPORT_COMPLETE", "")], None)),
        (DESCRIBE, stack("IMPORT_COMPLETE")),
    ]);
    let lines = Lines::default();
    let outcome = adopt(&conversation, &retained(), &lines).await.unwrap();
    assert_eq!(outcome.status, StackStatus::ImportComplete);
    assert!(outcome.changes.iter().all(|change| change.action == ChangeAction::Import));
    let call = conversation.fields(CREATE);
    assert_eq!(call["ChangeSetType"], "IMPORT");
    assert!(!call.keys().any(|key| key.starts_with("Tags.")), "an import adds no tags: {call:?}");
    assert!(!call.contains_key("OnStackFailure"));
    assert_eq!(call["ResourcesToImport.member.1.LogicalResourceId"], "Bucket");
    assert_eq!(call["ResourcesToImport.member.1.ResourceIdentifier.entry.1.key"], "BucketName");
    assert_eq!(
        call["ResourcesToImport.member.2.ResourceIdentifier.entry.1.value"],
        "arn:aws:secretsmanager:us-east-1:1:secret:leo-a1b2c3"
    );
    // The parameters that the rest uses are left: not one too many, which would be refused.
    assert_eq!(call["Parameters.member.1.ParameterKey"], "Stage");
    assert!(!call.contains_key("Parameters.member.2.ParameterKey"));
    let template: Value = serde_json::from_str(&call["TemplateBody"]).unwrap();
    insta::assert_json_snapshot!(template);
    insta::assert_snapshot!(lines.text(), @r"
    adopting Bucket, Secret
    executing
    IMPORT_IN_PROGRESS leo-dev: User Initiated
    IMPORT_COMPLETE Bucket (AWS::ECS::Service)
    1/2 resources done
    IMPORT_COMPLETE leo-dev
    1/2 resources done
    IMPORT_COMPLETE
    ");
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_imported_is_said_before_anything_is_sent() {
    let tied = to_import("Tied", "AWS::S3::Bucket", "BucketName", "x");
    let unknown = to_import("Nothing", "AWS::S3::Bucket", "BucketName", "x");
    let other = to_import("Bucket", "AWS::ECR::Repository", "RepositoryName", "x");
    let mut texts = Vec::new();
    for resource in [tied, unknown, other] {
        let conversation = Conversation::new([]);
        texts.push(adopt(&conversation, &[resource], &Lines::default()).await.unwrap_err().to_string());
    }
    insta::assert_snapshot!(texts.join("\n"), @r"
    adopt what was left of leo-dev: what is there refers to Role, which is not there
    adopt what was left of leo-dev: the template has no resource Nothing
    adopt what was left of leo-dev: Bucket is an AWS::S3::Bucket in the template, and AWS::ECR::Repository is there
    ");
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_stands_is_not_imported_into() {
    let conversation = Conversation::new([(DESCRIBE, stack("CREATE_COMPLETE"))]);
    let error = adopt(&conversation, &retained(), &Lines::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "adopt what was left of leo-dev: there is a stack already, in CREATE_COMPLETE"
    );
}

#[tokio::test(start_paused = true)]
async fn an_import_that_is_refused_leaves_nothing() {
    let conversation = Conversation::new([
        (DESCRIBE, no_stack()),
        (CREATE, created()),
        (REVIEW, change_set_in("FAILED", "UNAVAILABLE", "leo-111122223333 already exists in stack other")),
        (FINDINGS, no_findings()),
        (DELETE, done(DELETE)),
        (DESCRIBE, stack("REVIEW_IN_PROGRESS")),
        ("ListChangeSets", change_sets(0)),
        (DELETE_STACK, done(DELETE_STACK)),
    ]);
    let error = adopt(&conversation, &retained(), &Lines::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "deploy leo-dev: the change set was refused: leo-111122223333 already exists in stack other"
    );
}

#[tokio::test(start_paused = true)]
async fn an_import_that_fails_leaves_no_stack_and_says_why() {
    let failed = [
        REVIEWED,
        BEGUN,
        ("e2", "Secret", "", "IMPORT_FAILED", "was not found"),
        ("e3", "leo-dev", "", "IMPORT_ROLLBACK_IN_PROGRESS", "was not found"),
        ("e4", "leo-dev", "", "ROLLBACK_COMPLETE", ""),
    ];
    let deleted = [
        &failed[..],
        &[("d1", "leo-dev", "", "DELETE_IN_PROGRESS", ""), ("d2", "leo-dev", "", "DELETE_COMPLETE", "")],
    ]
    .concat();
    let conversation = Conversation::new([
        (DESCRIBE, no_stack()),
        (CREATE, created()),
        (REVIEW, imported()),
        (EVENTS, events(&[REVIEWED], None)),
        (EXECUTE, done(EXECUTE)),
        (EVENTS, events(&failed, None)),
        (DESCRIBE, stack("ROLLBACK_COMPLETE")),
        // The empty stack that it leaves would block the next try.
        (LIST, resources(&[("Bucket", "AWS::S3::Bucket", "b", "IMPORT_ROLLBACK_COMPLETE")], None)),
        (DESCRIBE, stack("ROLLBACK_COMPLETE")),
        (EVENTS, events(&failed, None)),
        (DELETE_STACK, done(DELETE_STACK)),
        (EVENTS, events(&deleted, None)),
        (DESCRIBE, stack("DELETE_COMPLETE")),
    ]);
    let error = adopt(&conversation, &retained(), &Lines::default()).await.unwrap_err();
    insta::assert_snapshot!(error, @r"
    adopt what was left of leo-dev: the import failed, and left no stack
      Secret (AWS::ECS::Service) IMPORT_FAILED: was not found
    ");
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_attempt_left_is_removed_first() {
    let old = ("x0", "leo-dev", "", "ROLLBACK_COMPLETE", "");
    let gone =
        [old, ("x1", "leo-dev", "", "DELETE_IN_PROGRESS", ""), ("x2", "leo-dev", "", "DELETE_COMPLETE", "")];
    let conversation = Conversation::new([
        (DESCRIBE, stack("ROLLBACK_COMPLETE")),
        (LIST, resources(&[], None)),
        (DESCRIBE, stack("ROLLBACK_COMPLETE")),
        (EVENTS, events(&[old], None)),
        (DELETE_STACK, done(DELETE_STACK)),
        (EVENTS, events(&gone, None)),
        (DESCRIBE, stack("DELETE_COMPLETE")),
        (DESCRIBE, no_stack()),
        (CREATE, created()),
        (REVIEW, imported()),
        (EVENTS, events(&[REVIEWED], None)),
        (EXECUTE, done(EXECUTE)),
        (EVENTS, events(&[REVIEWED, BEGUN, ("e3", "leo-dev", "", "IMPORT_COMPLETE", "")], None)),
        (DESCRIBE, stack("IMPORT_COMPLETE")),
    ]);
    adopt(&conversation, &retained(), &Lines::default()).await.unwrap();
}

/// From the change set on, with success.
fn imports() -> Vec<(&'static str, Answer)> {
    vec![
        (CREATE, created()),
        (REVIEW, imported()),
        (EVENTS, events(&[REVIEWED], None)),
        (EXECUTE, done(EXECUTE)),
        (EVENTS, events(&[REVIEWED, BEGUN, ("e3", "leo-dev", "", "IMPORT_COMPLETE", "")], None)),
        (DESCRIBE, stack("IMPORT_COMPLETE")),
    ]
}

#[tokio::test(start_paused = true)]
async fn an_empty_stack_in_review_is_gone_before_the_import() {
    let going = ("x1", "leo-dev", "", "DELETE_IN_PROGRESS", "");
    let mut calls = vec![
        (DESCRIBE, stack("REVIEW_IN_PROGRESS")),
        ("ListChangeSets", change_sets(0)),
        (DELETE_STACK, done(DELETE_STACK)),
        (DESCRIBE, stack("DELETE_IN_PROGRESS")),
        (EVENTS, events(&[REVIEWED, going], None)),
        (REVIEW, refused(404, "ChangeSetNotFound", "ChangeSet [x] does not exist")),
        (EVENTS, events(&[REVIEWED, going, ("x2", "leo-dev", "", "DELETE_COMPLETE", "")], None)),
        (DESCRIBE, stack("DELETE_COMPLETE")),
        (DESCRIBE, no_stack()),
    ];
    calls.extend(imports());
    adopt(&Conversation::new(calls), &retained(), &Lines::default()).await.unwrap();

    // Somebody reviews a change set of it: an import can go into it.
    let mut calls = vec![(DESCRIBE, stack("REVIEW_IN_PROGRESS")), ("ListChangeSets", change_sets(1))];
    calls.extend(imports());
    adopt(&Conversation::new(calls), &retained(), &Lines::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_empty_stack_in_review_that_does_not_go_is_imported_into() {
    let asked = || {
        [
            (DESCRIBE, stack("REVIEW_IN_PROGRESS")),
            ("ListChangeSets", change_sets(0)),
            (DELETE_STACK, done(DELETE_STACK)),
        ]
    };
    let mut calls = (0..5).flat_map(|_| asked()).collect::<Vec<_>>();
    calls.push((DESCRIBE, stack("REVIEW_IN_PROGRESS")));
    calls.extend(imports());
    adopt(&Conversation::new(calls), &retained(), &Lines::default()).await.unwrap();
}

const IMPORT_UNDONE: Event<'_> = ("x0", "leo-dev", "", "IMPORT_ROLLBACK_COMPLETE", "");

/// The deletion of a stack that a failed import left.
fn left_by_import() -> Vec<(&'static str, Answer)> {
    let gone = [
        IMPORT_UNDONE,
        ("x1", "leo-dev", "", "DELETE_IN_PROGRESS", ""),
        ("x2", "leo-dev", "", "DELETE_COMPLETE", ""),
    ];
    vec![
        (LIST, resources(&[("Bucket", "AWS::S3::Bucket", "b", "IMPORT_ROLLBACK_COMPLETE")], None)),
        (DESCRIBE, stack("IMPORT_ROLLBACK_COMPLETE")),
        (EVENTS, events(&[IMPORT_UNDONE], None)),
        (DELETE_STACK, done(DELETE_STACK)),
        (EVENTS, events(&gone, None)),
        (DESCRIBE, stack("DELETE_COMPLETE")),
    ]
}

#[tokio::test(start_paused = true)]
async fn the_empty_stack_of_a_failed_import_is_removed_before_and_after() {
    let mut calls = vec![(DESCRIBE, stack("IMPORT_ROLLBACK_COMPLETE"))];
    calls.extend(left_by_import());
    calls.extend([
        (DESCRIBE, no_stack()),
        (CREATE, created()),
        (REVIEW, imported()),
        (EVENTS, events(&[REVIEWED], None)),
        (EXECUTE, done(EXECUTE)),
        (
            EVENTS,
            events(
                &[
                    REVIEWED,
                    BEGUN,
                    ("e2", "Secret", "", "IMPORT_FAILED", "was not found"),
                    ("e3", "leo-dev", "", "IMPORT_ROLLBACK_COMPLETE", ""),
                ],
                None,
            ),
        ),
        (DESCRIBE, stack("IMPORT_ROLLBACK_COMPLETE")),
    ]);
    calls.extend(left_by_import());
    let error = adopt(&Conversation::new(calls), &retained(), &Lines::default()).await.unwrap_err();
    assert!(error.to_string().contains("the import failed, and left no stack"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_failed_import_into_a_stack_with_resources_is_no_new_stack() {
    for (status, listed, empty) in [
        ("IMPORT_ROLLBACK_COMPLETE", Some("CREATE_COMPLETE"), false),
        ("IMPORT_ROLLBACK_COMPLETE", Some("IMPORT_ROLLBACK_COMPLETE"), true),
        ("ROLLBACK_COMPLETE", None, false),
    ] {
        let mut calls = vec![(DESCRIBE, stack(status))];
        calls.extend(
            listed.map(|status| (LIST, resources(&[("Bucket", "AWS::S3::Bucket", "b", status)], None))),
        );
        let conversation = Conversation::new(calls);
        let stacks = stacks(&conversation);
        let found = stacks.describe("leo-dev").await.unwrap().unwrap();
        assert_eq!(stacks.is_left_by_failed_import(&found).await.unwrap(), empty, "{status} {listed:?}");
        conversation.assert_over();
    }

    let conversation = Conversation::new([
        (DESCRIBE, stack("IMPORT_ROLLBACK_COMPLETE")),
        (LIST, resources(&[("Service", "AWS::ECS::Service", "s", "UPDATE_COMPLETE")], None)),
    ]);
    let error = adopt(&conversation, &retained(), &Lines::default()).await.unwrap_err();
    assert!(error.to_string().contains("there is a stack already"), "{error}");
}
