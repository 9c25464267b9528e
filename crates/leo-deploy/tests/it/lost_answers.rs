//! Calls that were carried out although their answer never came.

use leo_deploy::{StackRequest, TemplateSource, ToImport};

use crate::answers::*;
use crate::deploying::{OLD, deploy};
use crate::wire::Conversation;

fn exists(what: &str) -> crate::wire::Answer {
    refused(400, "AlreadyExistsException", what)
}

#[tokio::test(start_paused = true)]
async fn a_change_set_whose_creation_was_answered_to_nobody_is_used() {
    let conversation = Conversation::new([
        (DESCRIBE, stack("CREATE_COMPLETE")),
        (CREATE, exists("ChangeSet [leo-x] already exists")),
        (REVIEW, change_set_in("CREATE_IN_PROGRESS", "UNAVAILABLE", "")),
        (REVIEW, change_set(&[("Modify", "Service", "False")], None)),
        (FINDINGS, no_findings()),
        (EVENTS, events(&[OLD], None)),
        (EXECUTE, done(EXECUTE)),
        (
            EVENTS,
            events(
                &[
                    OLD,
                    ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated"),
                    ("e2", "leo-dev", "", "UPDATE_COMPLETE", ""),
                ],
                None,
            ),
        ),
        (DESCRIBE, stack("UPDATE_COMPLETE")),
    ]);
    let outcome = deploy(&conversation, &Lines::default()).await.unwrap();
    assert!(outcome.changed);
    assert_eq!(conversation.fields(EXECUTE)["ChangeSetName"], CHANGE_SET);
}

#[tokio::test(start_paused = true)]
async fn an_import_whose_creation_was_answered_to_nobody_goes_on() {
    let conversation = Conversation::new([
        (DESCRIBE, no_stack()),
        (CREATE, exists("ChangeSet [leo-x] already exists")),
        (REVIEW, change_set_in("CREATE_IN_PROGRESS", "UNAVAILABLE", "")),
        (REVIEW, change_set(&[("Import", "Bucket", "")], None)),
        (EVENTS, events(&[OLD], None)),
        (EXECUTE, done(EXECUTE)),
        (EVENTS, events(&[OLD, ("e1", "leo-dev", "", "IMPORT_COMPLETE", "")], None)),
        (DESCRIBE, stack("IMPORT_COMPLETE")),
    ]);
    let template = r#"{"Resources":{"Bucket":{"Type":"AWS::S3::Bucket","DeletionPolicy":"Retain"}}}"#;
    let request = StackRequest { template: TemplateSource::Inline(template.to_owned()), ..request() };
    let bucket = ToImport {
        logical_id: "Bucket".to_owned(),
        resource_type: "AWS::S3::Bucket".to_owned(),
        identifier: [("BucketName".to_owned(), "leo".to_owned())].into(),
    };
    let outcome = stacks(&conversation).adopt(&request, &[bucket], &|_| ()).await.unwrap();
    conversation.assert_over();
    assert_eq!(outcome.status.as_str(), "IMPORT_COMPLETE");
    assert_eq!(conversation.fields(EXECUTE)["ChangeSetName"], CHANGE_SET);
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_somebody_else_made_meanwhile_is_looked_at_again() {
    let conversation = Conversation::new([
        (DESCRIBE, no_stack()),
        (CREATE, exists("Stack [leo-dev] already exists")),
        (REVIEW, refused(404, "ChangeSetNotFound", "ChangeSet [leo-x] does not exist")),
        (DESCRIBE, stack("CREATE_COMPLETE")),
        (CREATE, created()),
        (REVIEW, change_set_in("FAILED", "UNAVAILABLE", "No updates are to be performed.")),
        (DELETE, done(DELETE)),
    ]);
    let outcome = deploy(&conversation, &Lines::default()).await.unwrap();
    assert!(!outcome.changed);
    let types = conversation.calls(CREATE).into_iter().map(|call| call.fields["ChangeSetType"].clone());
    assert_eq!(types.collect::<Vec<_>>(), ["CREATE", "UPDATE"]);
}
