use leo_data::{RecoveryWindow, restore_secrets, schedule_secrets};

use crate::account::Account;
use crate::json::error;

fn names() -> Vec<String> {
    ["leo/dev/absent", "leo/dev/claude", "leo/dev/github"].map(str::to_owned).into()
}

fn holding() -> Account {
    let account = Account::default();
    account.state().secrets.extend([
        ("leo/dev/claude".to_owned(), false),
        ("leo/dev/github".to_owned(), true),
        ("leo/prod/claude".to_owned(), false),
    ]);
    account
}

#[tokio::test]
async fn scheduling_leaves_a_date_and_running_again_is_fine() {
    let account = holding();
    let client = account.clients().secrets;
    let window = RecoveryWindow::of_days(10).unwrap();
    let scheduled = schedule_secrets(&client, &names(), window).await.unwrap();
    let told: Vec<_> = scheduled
        .iter()
        .map(|secret| (secret.name.as_str(), secret.until.as_deref(), secret.newly))
        .collect();
    assert_eq!(
        told,
        [("leo/dev/claude", Some("2026-11-28T11:06:40Z"), true), ("leo/dev/github", None, false)]
    );
    let again = schedule_secrets(&client, &names(), window).await.unwrap();
    assert!(again.len() == 2 && again.iter().all(|secret| !secret.newly), "{again:?}");
    assert_eq!(account.times_asked("DeleteSecret"), 1);
    assert!(!account.state().secrets["leo/prod/claude"], "nobody named it");

    assert_eq!(restore_secrets(&client, &names()).await.unwrap(), ["leo/dev/claude", "leo/dev/github"]);
    assert_eq!(restore_secrets(&client, &names()).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn one_refusal_does_not_keep_the_other_secrets() {
    let account = holding();
    account.state().refused.insert("DeleteSecret", error("InvalidRequestException", "it has replicas"));
    let window = RecoveryWindow::default();
    let failure = schedule_secrets(&account.clients().secrets, &names(), window).await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "call DeleteSecret for secret leo/dev/claude: InvalidRequestException: it has replicas"
    );
    assert_eq!(failure.hint().unwrap(), "run the same command again: what is done stays done");
}

#[test]
fn a_window_is_what_secrets_manager_takes() {
    assert_eq!(RecoveryWindow::default().days(), 7);
    let taken: Vec<u8> = (0..=u8::MAX).filter(|days| RecoveryWindow::of_days(*days).is_some()).collect();
    assert_eq!(taken, (7..=30).collect::<Vec<_>>());
}
