//! Ways out of blocked states.

use leo_deploy::{DeployError, Recovered, Recovery, Skipped, Stack};

use crate::answers::*;
use crate::wire::{Answer, Conversation};

const CONTINUE: &str = "ContinueUpdateRollback";
const NESTED: &str = "arn:aws:cloudformation:us-east-1:111122223333:stack/leo-dev-Nested-1A2B/2";

/// An update whose rollback failed on `Role` and cancelled `Group`; `Service` failed before it began.
const ROLLED_BACK: [Event<'_>; 7] = [
    ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated"),
    ("e2", "Service", "s", "UPDATE_FAILED", "no capacity"),
    ("e3", "leo-dev", "", "UPDATE_ROLLBACK_IN_PROGRESS", "failed to update: [Service]"),
    ("e4", "Service", "s", "UPDATE_COMPLETE", ""),
    ("e5", "Role", "r", "UPDATE_FAILED", "the role was deleted by hand"),
    ("e6", "Group", "g", "UPDATE_FAILED", "Resource update cancelled"),
    ("e7", "leo-dev", "", "UPDATE_ROLLBACK_FAILED", "failed to update: [Role, Group]"),
];

fn listed() -> Answer {
    resources(
        &[
            ("Service", "AWS::ECS::Service", "s", "UPDATE_COMPLETE"),
            ("Role", "AWS::IAM::Role", "r", "UPDATE_FAILED"),
            ("Group", "AWS::EC2::SecurityGroup", "g", "UPDATE_FAILED"),
        ],
        None,
    )
}

/// What is asked to find what qualifies: the resources, where the operation began, its events.
fn qualifying(listed: Answer, history: &[Event<'_>]) -> [(&'static str, Answer); 3] {
    [(LIST, listed), (EVENTS, events(history, None)), (EVENTS, events(history, None))]
}

async fn found(status: &str) -> Stack {
    let conversation = Conversation::new([(DESCRIBE, stack(status))]);
    stacks(&conversation).describe("leo-dev").await.unwrap().unwrap()
}

async fn recovery(status: &str, calls: Vec<(&'static str, Answer)>) -> Option<Recovery> {
    let conversation = Conversation::new(calls);
    let recovery = stacks(&conversation).recovery(&found(status).await).await.unwrap();
    conversation.assert_over();
    recovery
}

async fn recover(
    conversation: &Conversation,
    status: &str,
    recovery: &Recovery,
    lines: &Lines,
) -> Result<Recovered, DeployError> {
    let result = stacks(conversation).recover(&found(status).await, recovery, &lines.sink()).await;
    conversation.assert_over();
    result
}

fn skipped(id: &str) -> Skipped {
    Skipped { logical_id: id.to_owned(), resource_type: "AWS::X::Y".to_owned(), reason: "why".to_owned() }
}

#[tokio::test(start_paused = true)]
async fn each_blocked_state_has_its_way_out_in_words() {
    let mut texts = Vec::new();
    let undeletable = [
        ("e1", "leo-dev", "", "DELETE_IN_PROGRESS", "User Initiated"),
        ("e2", "Network", "n", "DELETE_FAILED", "has dependencies"),
        ("e3", "Role", "r", "DELETE_FAILED", "Resource deletion cancelled"),
        ("e4", "leo-dev", "", "DELETE_FAILED", "failed to delete: [Network, Role]"),
    ];
    let left = resources(
        &[
            ("Network", "AWS::EC2::VPC", "n", "DELETE_FAILED"),
            ("Role", "AWS::IAM::Role", "r", "DELETE_FAILED"),
        ],
        None,
    );
    for (status, calls) in [
        ("ROLLBACK_COMPLETE", vec![]),
        ("ROLLBACK_FAILED", vec![]),
        ("UPDATE_ROLLBACK_FAILED", qualifying(listed(), &ROLLED_BACK).into()),
        ("DELETE_FAILED", qualifying(left, &undeletable).into()),
        ("REVIEW_IN_PROGRESS", vec![]),
    ] {
        let recovery = recovery(status, calls).await.unwrap();
        texts.push(format!("{status}: {recovery}"));
    }
    insta::assert_snapshot!(texts.join("\n"), @r"
    ROLLBACK_COMPLETE: delete the stack, whose create failed: data in it stays, and the next deploy adopts that
    ROLLBACK_FAILED: delete the stack, whose create failed: data in it stays, and the next deploy adopts that
    UPDATE_ROLLBACK_FAILED: continue the rollback; what of these fails again is skipped, and differs from the template from then on:
      Role (AWS::ECS::Service): the role was deleted by hand
    DELETE_FAILED: delete the stack again; what of these can't be deleted again stays, and belongs to no stack from then on:
      Network (AWS::ECS::Service): has dependencies
    REVIEW_IN_PROGRESS: delete the stack, which was never created, with the change sets in it that nobody executed
    ");
    for status in
        ["CREATE_COMPLETE", "UPDATE_FAILED", "UPDATE_IN_PROGRESS", "IMPORT_ROLLBACK_FAILED", "HIBERNATED"]
    {
        assert_eq!(recovery(status, vec![]).await, None, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_the_last_rollback_failed_on_and_still_stands_qualifies() {
    // Continued once already: `Role` was put right by hand in between, `Group` failed then.
    let again = [
        ("f1", "leo-dev", "", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
        ("f2", "Role", "r", "UPDATE_COMPLETE", ""),
        ("f3", "Group", "g", "UPDATE_FAILED", "in use"),
        ("f4", "leo-dev", "", "UPDATE_ROLLBACK_FAILED", ""),
    ];
    let history = [&ROLLED_BACK[..], &again].concat();
    let pages = |calls: &mut Vec<(&'static str, Answer)>| {
        // The listing and the events come in pages.
        calls.push((EVENTS, events(&history[6..], Some("older"))));
        calls.push((EVENTS, events(&history[..6], None)));
    };
    let mut calls = vec![
        (LIST, resources(&[("Role", "AWS::IAM::Role", "r", "UPDATE_COMPLETE")], Some("more"))),
        (LIST, resources(&[("Group", "AWS::EC2::SecurityGroup", "g", "UPDATE_FAILED")], None)),
    ];
    pages(&mut calls);
    pages(&mut calls);
    let Some(Recovery::ContinueRollback { skip }) = recovery("UPDATE_ROLLBACK_FAILED", calls).await else {
        panic!("another recovery")
    };
    let ids = skip.iter().map(|one| one.logical_id.as_str()).collect::<Vec<_>>();
    assert_eq!(ids, ["Group"]);
}

#[tokio::test(start_paused = true)]
async fn what_failed_in_a_nested_stack_is_named_after_that_stack() {
    let outer = [
        ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", "User Initiated"),
        ("e2", "leo-dev", "", "UPDATE_ROLLBACK_IN_PROGRESS", ""),
        ("e3", "Nested", NESTED, "UPDATE_FAILED", "Embedded stack failed"),
        ("e4", "leo-dev", "", "UPDATE_ROLLBACK_FAILED", ""),
    ];
    let inner = Answer::Body(
        200,
        String::from(
            "<DescribeStackEventsResponse><DescribeStackEventsResult><StackEvents>\
             <member><EventId>n3</EventId><LogicalResourceId>Queue</LogicalResourceId>\
             <PhysicalResourceId>q</PhysicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType>\
             <ResourceStatus>UPDATE_FAILED</ResourceStatus><ResourceStatusReason>gone</ResourceStatusReason></member>\
             <member><EventId>n2</EventId><LogicalResourceId>x</LogicalResourceId>\
             <PhysicalResourceId>NESTED</PhysicalResourceId><ResourceType>AWS::CloudFormation::Stack</ResourceType>\
             <ResourceStatus>UPDATE_ROLLBACK_IN_PROGRESS</ResourceStatus></member>\
             <member><EventId>n1</EventId><LogicalResourceId>x</LogicalResourceId>\
             <PhysicalResourceId>NESTED</PhysicalResourceId><ResourceType>AWS::CloudFormation::Stack</ResourceType>\
             <ResourceStatus>UPDATE_IN_PROGRESS</ResourceStatus></member>\
             </StackEvents></DescribeStackEventsResult></DescribeStackEventsResponse>",
        )
        .replace("NESTED", NESTED),
    );
    let mut calls = Vec::from(qualifying(
        resources(&[("Nested", "AWS::CloudFormation::Stack", NESTED, "UPDATE_FAILED")], None),
        &outer,
    ));
    calls.push((LIST, resources(&[("Queue", "AWS::SQS::Queue", "q", "UPDATE_FAILED")], None)));
    calls.push((EVENTS, inner.clone()));
    calls.push((EVENTS, inner));
    let Some(Recovery::ContinueRollback { skip }) = recovery("UPDATE_ROLLBACK_FAILED", calls).await else {
        panic!("another recovery")
    };
    assert_eq!(skip.len(), 1);
    assert_eq!(skip[0].logical_id, "leo-dev-Nested-1A2B.Queue");
}

/// One ContinueUpdateRollback and its following, after `before`.
fn continued(before: &[Event<'_>], after: &[Event<'_>], ended: &str) -> Vec<(&'static str, Answer)> {
    vec![
        (EVENTS, events(before, None)),
        (CONTINUE, done(CONTINUE)),
        (EVENTS, events(&[before, after].concat(), None)),
        (DESCRIBE, stack(ended)),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_rollback_is_first_continued_without_skipping() {
    let after = [
        ("f1", "leo-dev", "", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
        ("f2", "Role", "r", "UPDATE_COMPLETE", ""),
        ("f3", "leo-dev", "", "UPDATE_ROLLBACK_COMPLETE", ""),
    ];
    let mut calls = vec![(DESCRIBE, stack("UPDATE_ROLLBACK_FAILED"))];
    calls.extend(continued(&ROLLED_BACK, &after, "UPDATE_ROLLBACK_COMPLETE"));
    let conversation = Conversation::new(calls);
    let lines = Lines::default();
    let recovery = Recovery::ContinueRollback { skip: vec![skipped("Role")] };
    let recovered = recover(&conversation, "UPDATE_ROLLBACK_FAILED", &recovery, &lines).await.unwrap();
    assert_eq!(recovered, Recovered::default());
    let call = conversation.fields(CONTINUE);
    assert_eq!(call["StackName"], STACK);
    assert!(!call.contains_key("ResourcesToSkip.member.1"), "{call:?}");
    insta::assert_snapshot!(lines.text(), @r"
    continuing the rollback, nothing skipped
    UPDATE_ROLLBACK_IN_PROGRESS leo-dev: User Initiated
    UPDATE_COMPLETE Role (AWS::ECS::Service)
    UPDATE_ROLLBACK_COMPLETE leo-dev
    1 resources done
    UPDATE_ROLLBACK_COMPLETE
    ");
}

#[tokio::test(start_paused = true)]
async fn what_fails_again_is_skipped_where_that_was_agreed_to() {
    let failed = [
        ("f1", "leo-dev", "", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
        ("f2", "Role", "r", "UPDATE_FAILED", "the role was deleted by hand"),
        ("f3", "leo-dev", "", "UPDATE_ROLLBACK_FAILED", ""),
    ];
    let ended = [
        ("g1", "leo-dev", "", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
        ("g2", "Role", "r", "UPDATE_COMPLETE", "Resource rollback skipped"),
        ("g3", "leo-dev", "", "UPDATE_ROLLBACK_COMPLETE", ""),
    ];
    let history = [&ROLLED_BACK[..], &failed].concat();
    let mut calls = vec![(DESCRIBE, stack("UPDATE_ROLLBACK_FAILED"))];
    calls.extend(continued(&ROLLED_BACK, &failed, "UPDATE_ROLLBACK_FAILED"));
    calls.extend(qualifying(listed(), &history));
    calls.extend(continued(&history, &ended, "UPDATE_ROLLBACK_COMPLETE"));
    let conversation = Conversation::new(calls);
    let recovery = Recovery::ContinueRollback { skip: vec![skipped("Group"), skipped("Role")] };
    let lines = Lines::default();
    let recovered = recover(&conversation, "UPDATE_ROLLBACK_FAILED", &recovery, &lines).await.unwrap();
    assert_eq!(recovered.skipped.len(), 1);
    let calls = conversation.all_fields(CONTINUE);
    assert_eq!(calls[1]["ResourcesToSkip.member.1"], "Role");
    assert!(!calls[1].contains_key("ResourcesToSkip.member.2"), "only what failed again");
    assert!(lines.text().contains("continuing the rollback, skipping Role"), "{}", lines.text());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_skipped_that_was_not_agreed_to() {
    let failed = [
        ("f1", "leo-dev", "", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
        ("f2", "Role", "r", "UPDATE_FAILED", "the role was deleted by hand"),
        ("f3", "leo-dev", "", "UPDATE_ROLLBACK_FAILED", ""),
    ];
    let history = [&ROLLED_BACK[..], &failed].concat();
    let mut calls = vec![(DESCRIBE, stack("UPDATE_ROLLBACK_FAILED"))];
    calls.extend(continued(&ROLLED_BACK, &failed, "UPDATE_ROLLBACK_FAILED"));
    calls.extend(qualifying(listed(), &history));
    let conversation = Conversation::new(calls);
    let recovery = Recovery::ContinueRollback { skip: vec![skipped("Group")] };
    let error =
        recover(&conversation, "UPDATE_ROLLBACK_FAILED", &recovery, &Lines::default()).await.unwrap_err();
    insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()), @r"
    recover leo-dev: it ended in UPDATE_ROLLBACK_FAILED
      Role (AWS::ECS::Service) UPDATE_FAILED: the role was deleted by hand
    remove what stopped the rollback, then: cargo xtask deploy --recover (it tries the rollback again, and shows what it would have to skip before it skips anything)
    ");
}

#[tokio::test(start_paused = true)]
async fn a_failed_create_is_deleted_and_what_it_left_told() {
    let old = ("e0", "leo-dev", "", "ROLLBACK_FAILED", "");
    let begun = ("d1", "leo-dev", "", "DELETE_IN_PROGRESS", "User Initiated");
    let conversation = Conversation::new([
        (DESCRIBE, stack("ROLLBACK_FAILED")),
        (DESCRIBE, stack("ROLLBACK_FAILED")),
        (EVENTS, events(&[old], None)),
        (DELETE_STACK, done(DELETE_STACK)),
        (
            EVENTS,
            events(
                &[
                    old,
                    begun,
                    ("d2", "Bucket", "b", "DELETE_SKIPPED", ""),
                    ("d3", "leo-dev", "", "DELETE_COMPLETE", ""),
                ],
                None,
            ),
        ),
        (DESCRIBE, stack("DELETE_COMPLETE")),
    ]);
    let recovered =
        recover(&conversation, "ROLLBACK_FAILED", &Recovery::DeleteFailedCreate, &Lines::default())
            .await
            .unwrap();
    assert_eq!(recovered.retained.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_empty_stack_is_dropped() {
    let old = ("e0", "leo-dev", "", "REVIEW_IN_PROGRESS", "User Initiated");
    let conversation = Conversation::new([
        (DESCRIBE, stack("REVIEW_IN_PROGRESS")),
        (DESCRIBE, stack("REVIEW_IN_PROGRESS")),
        (EVENTS, events(&[old], None)),
        (DELETE_STACK, done(DELETE_STACK)),
        (EVENTS, events(&[old], None)),
        (DESCRIBE, stack("REVIEW_IN_PROGRESS")),
        (EVENTS, events(&[old, ("d1", "leo-dev", "", "DELETE_COMPLETE", "")], None)),
        (DESCRIBE, stack("DELETE_COMPLETE")),
    ]);
    recover(&conversation, "REVIEW_IN_PROGRESS", &Recovery::DropEmpty, &Lines::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_state_that_has_passed_is_left_alone() {
    let begun = [
        ("e1", "leo-dev", "", "UPDATE_IN_PROGRESS", ""),
        ("e2", "leo-dev", "", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
    ];
    let ended = [&begun[..], &[("e3", "leo-dev", "", "UPDATE_ROLLBACK_COMPLETE", "")]].concat();
    // Someone else continues the rollback: that is seen to its end, and nothing is left to do.
    let conversation = Conversation::new([
        (DESCRIBE, stack("UPDATE_ROLLBACK_IN_PROGRESS")),
        (EVENTS, events(&begun, None)),
        (REVIEW, change_set_in("CREATE_COMPLETE", "EXECUTE_FAILED", "")),
        (EVENTS, events(&ended, None)),
        (DESCRIBE, stack("UPDATE_ROLLBACK_COMPLETE")),
        (DESCRIBE, stack("UPDATE_ROLLBACK_COMPLETE")),
    ]);
    let recovery = Recovery::ContinueRollback { skip: vec![] };
    recover(&conversation, "UPDATE_ROLLBACK_FAILED", &recovery, &Lines::default()).await.unwrap();

    // Deleted meanwhile, or created by now: the consent was not for this.
    for (now, recovery) in [
        (no_stack(), Recovery::DeleteFailedCreate),
        (stack("CREATE_COMPLETE"), Recovery::DropEmpty),
        (stack("CREATE_COMPLETE"), Recovery::DeleteFailedCreate),
        (stack("DELETE_COMPLETE"), Recovery::RetryDelete { retain: vec![] }),
    ] {
        let conversation = Conversation::new([(DESCRIBE, now)]);
        let recovered =
            recover(&conversation, "ROLLBACK_COMPLETE", &recovery, &Lines::default()).await.unwrap();
        assert_eq!(recovered, Recovered::default());
    }
}

#[tokio::test(start_paused = true)]
async fn a_continuation_that_someone_else_began_is_followed() {
    let after = [
        ("f1", "leo-dev", "", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
        ("f2", "leo-dev", "", "UPDATE_ROLLBACK_COMPLETE", ""),
    ];
    let conversation = Conversation::new([
        (DESCRIBE, stack("UPDATE_ROLLBACK_FAILED")),
        (EVENTS, events(&ROLLED_BACK, None)),
        (
            CONTINUE,
            refused(
                400,
                "ValidationError",
                "Stack is in UPDATE_ROLLBACK_IN_PROGRESS state and can not be rolled back.",
            ),
        ),
        (DESCRIBE, stack("UPDATE_ROLLBACK_IN_PROGRESS")),
        (EVENTS, events(&[&ROLLED_BACK[..], &after].concat(), None)),
        (DESCRIBE, stack("UPDATE_ROLLBACK_COMPLETE")),
    ]);
    let recovery = Recovery::ContinueRollback { skip: vec![] };
    recover(&conversation, "UPDATE_ROLLBACK_FAILED", &recovery, &Lines::default()).await.unwrap();
}
