//! What is sent: where the template is, the modes of deployment, what becomes of a failed create; and how often.

use std::time::Duration;

use leo_aws::FailureKind;
use leo_deploy::{Control, DeployError, OnCreateFailure, StackRequest, TemplateSource};
use tokio::time::Instant;

use crate::answers::*;
use crate::deploying::reviewed;
use crate::wire::{Answer, Conversation};

/// The fields of the change set and of its execution, for a stack that is found so.
async fn sent(request: &StackRequest, found: &str) -> (Fields, Fields) {
    let (running, done_as) = if found.is_empty() {
        ("CREATE_IN_PROGRESS", "CREATE_COMPLETE")
    } else {
        ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")
    };
    let old = ("e0", "leo-dev", "", "AS_BEFORE", "");
    let before = if found.is_empty() { no_stack() } else { stack(found) };
    let mut calls = reviewed(before, &[("Modify", "Service", "False")]);
    calls.extend([
        (EVENTS, events(&[old], None)),
        (EXECUTE, done(EXECUTE)),
        (
            EVENTS,
            events(&[old, ("e1", "leo-dev", "", running, ""), ("e2", "leo-dev", "", done_as, "")], None),
        ),
        (DESCRIBE, stack(done_as)),
    ]);
    let conversation = Conversation::new(calls);
    stacks(&conversation).deploy(request, &Control::default(), &|_| {}).await.unwrap();
    conversation.assert_over();
    (conversation.fields(CREATE), conversation.fields(EXECUTE))
}

type Fields = std::collections::BTreeMap<String, String>;

/// What a change set and its execution say about failures and modes.
fn policy((change_set, execution): (Fields, Fields)) -> String {
    let told =
        ["OnStackFailure", "DeploymentConfig.Mode", "DeploymentConfig.DisableRollback", "DeploymentMode"];
    let of_change_set = told.iter().filter_map(|key| Some(format!("{key}={}", change_set.get(*key)?)));
    let of_execution =
        execution.get("DisableRollback").map(|value| format!("execution: DisableRollback={value}"));
    of_change_set.chain(of_execution).collect::<Vec<_>>().join(", ")
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_a_failure_is_said_in_exactly_one_place() {
    let mut rows = Vec::new();
    for found in ["", "CREATE_COMPLETE", "UPDATE_FAILED"] {
        for on_create_failure in [OnCreateFailure::Delete, OnCreateFailure::Rollback, OnCreateFailure::Keep] {
            for express in [false, true] {
                let request = StackRequest { on_create_failure, express, ..request() };
                let told = policy(sent(&request, found).await);
                let mode = if express { "express" } else { "standard" };
                rows.push(format!("{found:15} {on_create_failure:?} {mode}: {told}"));
            }
        }
    }
    insta::assert_snapshot!(rows.join("\n"), @r"
                    Delete standard: OnStackFailure=DELETE
                    Delete express: DeploymentConfig.Mode=EXPRESS, DeploymentConfig.DisableRollback=false
                    Rollback standard: OnStackFailure=ROLLBACK
                    Rollback express: DeploymentConfig.Mode=EXPRESS, DeploymentConfig.DisableRollback=false
                    Keep standard: execution: DisableRollback=true
                    Keep express: DeploymentConfig.Mode=EXPRESS, DeploymentConfig.DisableRollback=true
    CREATE_COMPLETE Delete standard: 
    CREATE_COMPLETE Delete express: DeploymentConfig.Mode=EXPRESS, DeploymentConfig.DisableRollback=false
    CREATE_COMPLETE Rollback standard: 
    CREATE_COMPLETE Rollback express: DeploymentConfig.Mode=EXPRESS, DeploymentConfig.DisableRollback=false
    CREATE_COMPLETE Keep standard: 
    CREATE_COMPLETE Keep express: DeploymentConfig.Mode=EXPRESS, DeploymentConfig.DisableRollback=false
    UPDATE_FAILED   Delete standard: execution: DisableRollback=true
    UPDATE_FAILED   Delete express: DeploymentConfig.Mode=EXPRESS, DeploymentConfig.DisableRollback=true
    UPDATE_FAILED   Rollback standard: execution: DisableRollback=true
    UPDATE_FAILED   Rollback express: DeploymentConfig.Mode=EXPRESS, DeploymentConfig.DisableRollback=true
    UPDATE_FAILED   Keep standard: execution: DisableRollback=true
    UPDATE_FAILED   Keep express: DeploymentConfig.Mode=EXPRESS, DeploymentConfig.DisableRollback=true
    ");
}

#[tokio::test(start_paused = true)]
async fn drift_is_reverted_in_what_exists_only() {
    let request = StackRequest { revert_drift: true, ..request() };
    assert_eq!(policy(sent(&request, "UPDATE_COMPLETE").await), "DeploymentMode=REVERT_DRIFT");
    assert_eq!(policy(sent(&request, "").await), "OnStackFailure=DELETE");
    let both = StackRequest { express: true, ..request };
    insta::assert_snapshot!(policy(sent(&both, "UPDATE_COMPLETE").await), @"DeploymentConfig.Mode=EXPRESS, DeploymentConfig.DisableRollback=false, DeploymentMode=REVERT_DRIFT");
}

#[tokio::test(start_paused = true)]
async fn what_express_mode_kept_is_retried_in_express_mode() {
    let Answer::Body(status, body) = stack("UPDATE_FAILED") else { panic!() };
    let config = "</CreationTime><DeploymentConfig><Mode>EXPRESS</Mode><DisableRollback>true</DisableRollback>\
                  </DeploymentConfig>";
    let found = Answer::Body(status, body.replace("</CreationTime>", config));
    let conversation = Conversation::new([
        (DESCRIBE, found),
        (CREATE, created()),
        (REVIEW, change_set(&[("Modify", "Service", "False")], None)),
        (FINDINGS, no_findings()),
    ]);
    stacks(&conversation).prepare(&request(), &|_| {}).await.unwrap();
    assert_eq!(conversation.fields(CREATE)["DeploymentConfig.Mode"], "EXPRESS");
}

#[tokio::test(start_paused = true)]
async fn what_replaces_something_is_retried_in_express_mode_with_a_rollback() {
    let replaced = || change_set(&[("Modify", "Task", "True"), ("Modify", "Service", "False")], None);
    let conversation = Conversation::new([
        (DESCRIBE, stack("UPDATE_FAILED")),
        (CREATE, created()),
        (REVIEW, replaced()),
        (FINDINGS, no_findings()),
        // Only now is it known.
        (DELETE, done(DELETE)),
        (DESCRIBE, stack("UPDATE_FAILED")),
        (CREATE, created()),
        (REVIEW, replaced()),
        (FINDINGS, no_findings()),
    ]);
    let request = StackRequest { express: true, ..request() };
    stacks(&conversation).prepare(&request, &|_| {}).await.unwrap();
    conversation.assert_over();
    let sent = conversation.all_fields(CREATE);
    let rollback = sent.iter().map(|call| call["DeploymentConfig.DisableRollback"].as_str());
    assert_eq!(rollback.collect::<Vec<_>>(), ["true", "false"]);
    assert_ne!(sent[0]["ChangeSetName"], sent[1]["ChangeSetName"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_create_in_express_mode_is_deleted_by_the_engine() {
    let old = ("e0", "leo-dev", "", "REVIEW_IN_PROGRESS", "");
    let failed = [
        old,
        ("e1", "leo-dev", "", "CREATE_IN_PROGRESS", ""),
        ("e2", "Service", "", "CREATE_FAILED", "no capacity"),
        ("e3", "leo-dev", "", "ROLLBACK_COMPLETE", ""),
    ];
    let mut calls = reviewed(no_stack(), &[("Add", "Service", "")]);
    calls.extend([
        (EVENTS, events(&[old], None)),
        (EXECUTE, done(EXECUTE)),
        (EVENTS, events(&failed, None)),
        (DESCRIBE, stack("ROLLBACK_COMPLETE")),
        // CloudFormation was not told to delete it.
        ("DeleteStack", done("DeleteStack")),
        (EVENTS, events(&[failed[3], ("e4", "leo-dev", "", "DELETE_IN_PROGRESS", "")], None)),
        (DESCRIBE, stack("DELETE_IN_PROGRESS")),
        (EVENTS, events(&[failed[3], ("e4", "leo-dev", "", "DELETE_COMPLETE", "")], None)),
        (DESCRIBE, no_stack()),
    ]);
    let last = (EVENTS, events(&[failed[3], ("e5", "leo-dev", "", "DELETE_COMPLETE", "")], None));
    calls.extend([last, (DESCRIBE, no_stack())]);
    let conversation = Conversation::new(calls);
    let request = StackRequest { express: true, ..request() };
    let error = stacks(&conversation).deploy(&request, &Control::default(), &|_| {}).await.unwrap_err();
    conversation.assert_over();
    assert_eq!(conversation.fields("DeleteStack")["StackName"], STACK);
    insta::assert_snapshot!(error, @r"
    deploy leo-dev: its create failed, and it was deleted again
      Service (AWS::ECS::Service) CREATE_FAILED: no capacity
    ");
}

#[tokio::test(start_paused = true)]
async fn a_stored_template_is_named_and_not_sent() {
    let url = "https://leo-artifacts.s3.us-east-1.amazonaws.com/templates/1a2b.json";
    let request = StackRequest { template: TemplateSource::Stored { url: url.to_owned() }, ..request() };
    let (sent, _) = sent(&request, "CREATE_COMPLETE").await;
    assert_eq!(sent["TemplateURL"], url);
    assert!(!sent.contains_key("TemplateBody"));
}

#[tokio::test(start_paused = true)]
async fn an_inline_template_is_sent_up_to_the_limit() {
    let conversation = Conversation::new([]);
    let over = StackRequest { template: TemplateSource::Inline("x".repeat(51_201)), ..request() };
    let error = stacks(&conversation).prepare(&over, &|_| {}).await.unwrap_err();
    assert!(matches!(error, DeployError::TemplateTooLarge { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Usage);
    let most = StackRequest { template: TemplateSource::Inline("x".repeat(51_200)), ..request() };
    assert_eq!(sent(&most, "CREATE_COMPLETE").await.0["TemplateBody"].len(), 51_200);
}

#[tokio::test(start_paused = true)]
async fn many_stacks_together_ask_less_than_five_times_a_second() {
    let began = Instant::now();
    let conversation = Conversation::played(move |call| {
        let running = began.elapsed() < Duration::from_mins(1);
        match call.operation.as_str() {
            DESCRIBE => stack(if running { "UPDATE_IN_PROGRESS" } else { "UPDATE_COMPLETE" }),
            EVENTS => {
                // Something new each time, so that nobody slows down.
                let id = format!("t{}", began.elapsed().as_millis());
                let end = [("end", "leo-dev", "", "UPDATE_COMPLETE", "")];
                let more = [(id.as_str(), "Service", "", "UPDATE_IN_PROGRESS", "")];
                events(if running { &more } else { &end }, None)
            }
            CREATE => created(),
            REVIEW => change_set_in("FAILED", "UNAVAILABLE", "No updates are to be performed."),
            DELETE => done(DELETE),
            other => panic!("{other} was not expected"),
        }
    });
    let one = stacks(&conversation);
    let other = one.clone();
    let runs = (0..8).map(|index| {
        let stacks = if index % 2 == 0 { one.clone() } else { other.clone() };
        tokio::spawn(async move { stacks.deploy(&request(), &Control::default(), &|_| {}).await })
    });
    for run in runs.collect::<Vec<_>>() {
        assert!(!run.await.unwrap().unwrap().changed);
    }
    let times = conversation.calls(DESCRIBE).iter().map(|call| call.at).collect::<Vec<_>>();
    assert!(times.len() > 80, "{} calls", times.len());
    for start in &times {
        let second = times.iter().filter(|at| *at >= start && **at - *start < Duration::from_secs(1));
        assert!(second.count() < 5, "in the second after {:?}", *start - began);
    }
}
