use leo_data::{Images, Inventory, Kind, Named, State, Subject, find, take};

use crate::account::{ACCOUNT, Account, bucket};
use crate::json::error;
use crate::s3::Stored;

fn named(kind: Kind, name: &str) -> Named {
    Named { logical_id: format!("The{kind}"), kind, name: name.to_owned() }
}

async fn found(account: &Account, named: &[Named]) -> Vec<String> {
    let found = find(&account.clients(), ACCOUNT, named).await.unwrap();
    found
        .iter()
        .map(|existing| format!("{}: {existing} {:?}", existing.logical_id, existing.identifier))
        .collect()
}

#[tokio::test]
async fn what_exists_comes_with_what_cloudformation_imports_it_by() {
    let account = Account::default();
    {
        let mut state = account.state();
        state.buckets.insert("leo-dev-apps".to_owned(), Stored::default());
        state.repositories.insert("leo".to_owned(), vec![]);
        state.secrets.insert("leo/dev/claude".to_owned(), false);
        state.secrets.insert("leo/dev/github".to_owned(), true);
    }
    let wanted = [
        named(Kind::Secret, "leo/dev/github"),
        named(Kind::Secret, "leo/dev/claude"),
        named(Kind::Secret, "leo/dev/absent"),
        named(Kind::Bucket, "leo-dev-apps"),
        named(Kind::Bucket, "absent"),
        named(Kind::Repository, "leo"),
        named(Kind::Repository, "absent"),
    ];
    insta::assert_snapshot!(found(&account, &wanted).await.join("\n"), @r#"
    Thesecret: secret leo/dev/github is scheduled for deletion {"Id": "arn:aws:secretsmanager:us-east-1:111122223333:secret:leo/dev/github-AbCdEf"}
    Thesecret: secret leo/dev/claude exists {"Id": "arn:aws:secretsmanager:us-east-1:111122223333:secret:leo/dev/claude-AbCdEf"}
    Thebucket: bucket leo-dev-apps exists {"BucketName": "leo-dev-apps"}
    Therepository: repository leo exists {"RepositoryName": "leo"}
    "#);
    assert_eq!(
        [Kind::Bucket, Kind::Repository, Kind::Secret].map(|kind| Kind::of(kind.resource_type())),
        [Some(Kind::Bucket), Some(Kind::Repository), Some(Kind::Secret)]
    );
    assert_eq!(Kind::of("AWS::EC2::VPC"), None);
}

#[tokio::test]
async fn a_bucket_that_no_stack_here_can_have_is_a_finding_of_its_own() {
    let account = Account::default();
    {
        let mut state = account.state();
        let foreign = Stored { owner: Some("999999999999"), ..Stored::default() };
        let elsewhere = Stored { region: Some("eu-west-1"), ..Stored::default() };
        state.buckets.insert("foreign".to_owned(), foreign);
        state.buckets.insert("elsewhere".to_owned(), elsewhere);
    }
    let wanted = [named(Kind::Bucket, "foreign"), named(Kind::Bucket, "elsewhere")];
    let found = find(&account.clients(), ACCOUNT, &wanted).await.unwrap();
    assert_eq!(found[0].state, State::NotOurs);
    assert_eq!(found[1].state, State::ElsewhereIn { region: Some("eu-west-1".to_owned()) });
    assert_eq!(found[1].to_string(), "bucket elsewhere is in region eu-west-1");
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_no_absence() {
    let account = Account::default();
    account.state().refused.insert("DescribeSecret", error("AccessDeniedException", "not yours"));
    account.state().refused.insert("HeadBucket", (500, String::new()));
    let clients = account.clients();
    let failure = find(&clients, ACCOUNT, &[named(Kind::Secret, "leo/dev/claude")]).await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "call DescribeSecret for secret leo/dev/claude: AccessDeniedException: not yours"
    );
    assert_eq!(failure.kind().exit_code(), 4);
    let failure = find(&clients, ACCOUNT, &[named(Kind::Bucket, "leo-dev-apps")]).await.unwrap_err();
    assert_eq!(failure.to_string(), "call HeadBucket for bucket leo-dev-apps: answered with HTTP status 500");
    assert_eq!(failure.kind().exit_code(), 1);
}

#[tokio::test]
async fn an_inventory_counts_every_page_of_everything() {
    let account = Account::default();
    {
        let mut state = account.state();
        let stored = Stored::with(&[
            ("a", "new", Some(1000)),
            ("a", "old", Some(500)),
            ("b", "gone", None),
            ("b", "old", Some(250)),
            ("c d", "null", Some(25)),
        ]);
        state.buckets.insert("apps".to_owned(), stored);
        state.repositories.insert("leo".to_owned(), vec![1_000_000, 2_500_000, 1]);
        state.secrets.insert("leo/dev/claude".to_owned(), false);
        state.secrets.insert("leo/dev/github".to_owned(), true);
    }
    let subject = Subject {
        buckets: vec![bucket("apps"), bucket("absent")],
        secrets: ["leo/dev/claude", "leo/dev/github", "leo/dev/absent"].map(str::to_owned).into(),
        repositories: vec!["leo".to_owned(), "absent".to_owned()],
        cluster: Some("leo-dev".to_owned()),
    };
    let inventory = take(&account.clients(), &subject).await.unwrap();
    let Inventory { buckets, secrets, repositories, tasks } = &inventory;
    assert_eq!(buckets.len(), 1);
    assert_eq!(buckets[0].to_string(), "apps: 2 objects, 2 old versions, 1 delete marker, 1.7 kB");
    assert_eq!(
        secrets.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["leo/dev/claude", "leo/dev/github (scheduled for deletion)"]
    );
    assert_eq!(
        *repositories,
        [Images { repository: "leo".to_owned(), images: 3, bytes: 3_500_001 }],
        "every page"
    );
    assert_eq!(repositories[0].to_string(), "leo: 3 images, 3.5 MB");
    assert!(tasks.is_empty(), "there is no cluster");
    assert!(!inventory.is_empty());
    assert!(take(&account.clients(), &Subject::default()).await.unwrap().is_empty());
}
