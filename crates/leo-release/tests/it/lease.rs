use crate::bucket::{Bucket, Fault};
use leo_aws::FailureKind;
use leo_release::{Artifacts, Holder, Lease, Lost, Process, REGISTRY_IMAGES, ReleaseError, Waiting};
use std::{
    process::{Child, Command},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, advance, sleep, timeout};

const KEY: &str = "leases/dev.json";
const MINUTE: Duration = Duration::from_mins(1);

fn holder(user: &str) -> Holder {
    Holder {
        environment: "dev".to_owned(),
        operation: format!("operation of {user}"),
        user: user.to_owned(),
        host: "laptop".to_owned(),
        process: Process::current(),
        commit: Some("1a2b3c4d5e6f7a8b9c".to_owned()),
        command: "deploy".to_owned(),
    }
}

/// Has it at once or not at all.
async fn at_once(artifacts: &Artifacts, user: &str) -> Result<Lease, ReleaseError> {
    artifacts.lease(holder(user), Duration::ZERO, &|_| panic!("it waits")).await
}

async fn waiting(artifacts: &Artifacts, user: &str, at_most: Duration) -> Result<Lease, ReleaseError> {
    artifacts.lease(holder(user), at_most, &|_| {}).await
}

/// A lease whose holder has no process that could be looked at: as one on another machine.
fn elsewhere(bucket: &Bucket) {
    let text = bucket.text(KEY).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    document["holder"]["process"]["origin"]["boot"] = "another machine".into();
    bucket.write(KEY, &document.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_created_and_given_back() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    let lease = at_once(&artifacts, "ada").await.unwrap();
    assert_eq!(lease.taken_over(), None);
    lease.confirm().await.unwrap();
    assert_eq!(bucket.calls(), [format!("PUT {KEY} If-None-Match: *")], "a fresh one is not asked for");
    lease.release().await.unwrap();
    assert_eq!(bucket.calls(), [format!("DELETE {KEY} If-Match")]);
    assert_eq!(bucket.keys(), [""; 0]);
    at_once(&artifacts, "grace").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_works_on_any_environment_is_told() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    assert_eq!(artifacts.holders().await.unwrap(), []);
    let lease = at_once(&artifacts, "ada").await.unwrap();
    assert_eq!(artifacts.holders().await.unwrap(), [holder("ada")]);
    bucket.write("leases/prod.json", "what is this");
    let holders = artifacts.holders().await.unwrap();
    assert_eq!(holders[1].environment, "prod", "what can't be read is someone's all the same");

    drop(lease);
    elsewhere(&bucket);
    sleep(2 * MINUTE).await;
    assert_eq!(artifacts.holders().await.unwrap(), [], "neither was renewed");
}

#[tokio::test(start_paused = true)]
async fn it_is_renewed_for_as_long_as_it_is_held() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    let lease = at_once(&artifacts, "ada").await.unwrap();
    let mut texts = vec![bucket.text(KEY).unwrap()];
    for _ in 0..20 {
        sleep(MINUTE).await;
        assert!(at_once(&artifacts, "grace").await.is_err());
        lease.confirm().await.unwrap();
        texts.push(bucket.text(KEY).unwrap());
    }
    texts.dedup();
    assert_eq!(texts.len(), 21, "no two writes are the same");
    lease.release().await.unwrap();
    at_once(&artifacts, "grace").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_holder_is_waited_for_by_name_and_then_it_is_an_error() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    let _lease = at_once(&artifacts, "ada").await.unwrap();
    let said = Mutex::new(vec![]);
    let began = Instant::now();
    let on_wait = |waiting: &Waiting| said.lock().unwrap().push(waiting.clone());
    let error = artifacts.lease(holder("grace"), MINUTE, &on_wait).await.unwrap_err();
    assert!((60..70).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert_eq!(error.kind(), FailureKind::Failed);
    let said = said.into_inner().unwrap();
    assert!(said.len() > 15, "{}", said.len());
    assert!(said[0].renewed.unwrap() < Duration::from_secs(2));
    let process = std::process::id().to_string();
    let since = said[0].since.clone().unwrap();
    let text = format!("{}\nfailed to {error}\nhint: {}", said[0], error.hint().unwrap());
    insta::assert_snapshot!(text.replace(&process, "‹process›").replace(&since, "‹time›"));

    let error = at_once(&artifacts, "grace").await.unwrap_err();
    assert!(!error.to_string().contains("waited"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn one_of_many_has_it_and_each_gets_its_turn() {
    let bucket = Bucket::new();
    let working = std::sync::Arc::new(AtomicU32::new(0));
    let mut deploys = tokio::task::JoinSet::new();
    for deploy in 0..5 {
        let (artifacts, working) = (bucket.artifacts(), working.clone());
        deploys.spawn(async move {
            let lease = waiting(&artifacts, &format!("user {deploy}"), 60 * MINUTE).await.unwrap();
            assert_eq!(working.fetch_add(1, Ordering::SeqCst), 0, "two work at once");
            sleep(Duration::from_secs(40 + 7 * deploy)).await;
            lease.confirm().await.unwrap();
            assert_eq!(working.fetch_sub(1, Ordering::SeqCst), 1);
            lease.release().await.unwrap();
        });
    }
    deploys.join_all().await;
    assert_eq!(bucket.keys(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_a_killed_process_of_this_machine_is_taken_over_at_once() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    let mut killed = Killed(Command::new("sleep").arg("600").spawn().unwrap());
    let theirs = Holder { process: Process::of(killed.0.id()), ..holder("ada") };
    let lease = artifacts.lease(theirs.clone(), Duration::ZERO, &|_| {}).await.unwrap();
    drop(lease);
    assert!(at_once(&artifacts, "grace").await.is_err(), "its process still runs");
    killed.0.kill().unwrap();
    killed.0.wait().unwrap();
    let lease = at_once(&artifacts, "grace").await.unwrap();
    assert_eq!(lease.taken_over(), Some(&theirs));
    assert!(bucket.text(KEY).unwrap().contains("grace"));
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_a_silent_machine_is_taken_over_by_the_servers_clock() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    drop(at_once(&artifacts, "ada").await.unwrap());
    elsewhere(&bucket);
    sleep(Duration::from_secs(89)).await;
    assert!(at_once(&artifacts, "grace").await.is_err());
    sleep(Duration::from_secs(3)).await;
    let lease = at_once(&artifacts, "grace").await.unwrap();
    assert_eq!(lease.taken_over().unwrap().user, "ada");
}

#[tokio::test(start_paused = true)]
async fn without_the_servers_clock_it_is_watched() {
    let bucket = Bucket::new();
    bucket.without_date();
    let artifacts = bucket.artifacts();
    drop(at_once(&artifacts, "ada").await.unwrap());
    elsewhere(&bucket);
    sleep(10 * MINUTE).await;
    assert!(at_once(&artifacts, "grace").await.is_err(), "nobody can know yet");
    let began = Instant::now();
    waiting(&artifacts, "grace", 5 * MINUTE).await.unwrap();
    assert!((90..100).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_read_ends_by_itself() {
    for text in ["", "{", "{\"schema\": 9}", "[]"] {
        let bucket = Bucket::new();
        bucket.write(KEY, text);
        let error = at_once(&bucket.artifacts(), "grace").await.unwrap_err();
        assert!(error.to_string().contains("someone@unknown"), "{error}");
        waiting(&bucket.artifacts(), "grace", 5 * MINUTE).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_loses_it_learns_of_it_before_the_next_step() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    let lease = at_once(&artifacts, "ada").await.unwrap();
    let another = Bucket::new();
    drop(at_once(&another.artifacts(), "grace").await.unwrap());
    bucket.write(KEY, &another.text(KEY).unwrap());
    let lost = timeout(MINUTE, lease.lost()).await.unwrap();
    assert!(matches!(&lost, Lost::TakenOver { by } if by.user == "grace"), "{lost}");
    let error = lease.confirm().await.unwrap_err();
    assert!(matches!(error, ReleaseError::LeaseLost { .. }));
    let process = std::process::id().to_string();
    let text = format!("failed to {error}\nhint: {}", error.hint().unwrap());
    insta::assert_snapshot!(text.replace(&process, "‹process›"));
    // What is not ours is not given back.
    lease.release().await.unwrap();
    assert!(bucket.text(KEY).unwrap().contains("grace"));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_deleted_is_lost() {
    let bucket = Bucket::new();
    let lease = at_once(&bucket.artifacts(), "ada").await.unwrap();
    bucket.delete(KEY);
    assert_eq!(timeout(MINUTE, lease.lost()).await.unwrap(), Lost::Removed);
    lease.release().await.unwrap();
    assert_eq!(bucket.keys(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn who_cannot_renew_is_out_before_anyone_else_may_be_in() {
    let faults = [
        Fault::Refused(503, "SlowDown"),
        Fault::Refused(400, "ExpiredToken"),
        Fault::Silence,
        Fault::Refused(500, "InternalError"),
    ];
    for fault in faults {
        let bucket = Bucket::new();
        let artifacts = bucket.artifacts();
        let lease = at_once(&artifacts, "ada").await.unwrap();
        bucket.fault(&format!("PUT {KEY}"), vec![fault; 100]);
        let began = Instant::now();
        let lost = timeout(5 * MINUTE, lease.lost()).await.unwrap();
        assert!(matches!(lost, Lost::NotRenewed { .. }), "{lost}");
        assert!((70..89).contains(&began.elapsed().as_secs()), "{fault:?}: {:?}", began.elapsed());
        lease.confirm().await.unwrap_err();
        if fault == Fault::Refused(400, "ExpiredToken") {
            let asked = bucket.calls().iter().filter(|call| call.starts_with("PUT")).count();
            assert!(asked <= 4, "no storm: {asked}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_disturbance_is_nothing() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    let lease = at_once(&artifacts, "ada").await.unwrap();
    let faults = [
        Fault::Refused(503, "SlowDown"),
        Fault::Refused(503, "SlowDown"),
        Fault::Refused(503, "SlowDown"),
        Fault::Refused(409, "ConditionalRequestConflict"),
        Fault::AnswerLost,
        Fault::Silence,
    ];
    bucket.fault(&format!("PUT {KEY}"), faults);
    let lost = timeout(Duration::from_secs(70), lease.lost()).await;
    assert!(lost.is_err(), "{lost:?}");
}

#[tokio::test(start_paused = true)]
async fn answers_that_get_lost_leave_the_lease_ours() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    bucket.fault(&format!("PUT {KEY}"), [Fault::AnswerLost]);
    let lease = at_once(&artifacts, "ada").await.unwrap();
    for _ in 0..10 {
        bucket.fault(&format!("PUT {KEY}"), [Fault::AnswerLost]);
        sleep(MINUTE).await;
        lease.confirm().await.unwrap();
    }
    bucket.fault(&format!("DELETE {KEY}"), [Fault::AnswerLost]);
    lease.release().await.unwrap();
    assert_eq!(bucket.keys(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_takeover_whose_answer_got_lost_is_recognised() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    drop(at_once(&artifacts, "ada").await.unwrap());
    elsewhere(&bucket);
    sleep(2 * MINUTE).await;
    bucket.fault(&format!("PUT {KEY} If-Match"), [Fault::AnswerLost]);
    let lease = at_once(&artifacts, "grace").await.unwrap();
    lease.confirm().await.unwrap();
    lease.release().await.unwrap();
    assert_eq!(bucket.keys(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_asks_before_it_goes_on() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    let lease = at_once(&artifacts, "ada").await.unwrap();
    bucket.calls();
    // The renewals had no time to run.
    advance(Duration::from_secs(40)).await;
    lease.confirm().await.unwrap();
    assert!(bucket.calls().contains(&format!("PUT {KEY} If-Match")));
}

#[tokio::test(start_paused = true)]
async fn without_a_bucket_there_is_no_lease() {
    let bucket = Bucket::new();
    bucket.remove();
    let error = at_once(&bucket.artifacts(), "ada").await.unwrap_err();
    assert!(matches!(error, ReleaseError::NoBucket { .. }), "{error}");
    insta::assert_snapshot!(format!("failed to {error}\nhint: {}", error.hint().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_deploy_and_a_deletion_of_images_never_both_go_on() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    let no_wait = |_: &Waiting| panic!("nobody is waited for");
    assert!(!artifacts.behind_collection(MINUTE, &no_wait).await.unwrap());

    // The deletion was first: the deploy, which has its environment, waits for the end of it.
    let collecting = Holder { environment: REGISTRY_IMAGES.to_owned(), ..holder("grace") };
    let lease = artifacts.lease(collecting.clone(), Duration::ZERO, &no_wait).await.unwrap();
    let deploy = at_once(&artifacts, "ada").await.unwrap();
    assert_eq!(artifacts.holders().await.unwrap().len(), 2, "the deletion sees that it has to give way");
    let said = std::sync::Arc::new(AtomicU32::new(0));
    let waiting = {
        let (artifacts, said) = (artifacts.clone(), said.clone());
        tokio::spawn(async move {
            let on_wait = move |waiting: &Waiting| {
                assert_eq!(waiting.holder.user, "grace");
                said.fetch_add(1, Ordering::SeqCst);
            };
            artifacts.behind_collection(10 * MINUTE, &on_wait).await
        })
    };
    sleep(MINUTE).await;
    assert!(!waiting.is_finished() && said.load(Ordering::SeqCst) > 5);
    lease.release().await.unwrap();
    assert!(waiting.await.unwrap().unwrap(), "that took a wait");

    // One that ended without giving it back is not waited for for ever, one that goes on is for so long only.
    let lease = artifacts.lease(collecting, Duration::ZERO, &|_| {}).await.unwrap();
    let error = artifacts.behind_collection(MINUTE, &|_| {}).await.unwrap_err();
    assert!(matches!(error, ReleaseError::Held { ref holder, .. } if holder.user == "grace"), "{error}");
    drop(lease);
    bucket.without_date();
    let began = Instant::now();
    artifacts.behind_collection(10 * MINUTE, &|_| {}).await.unwrap();
    assert!(began.elapsed() < 2 * MINUTE, "{:?}", began.elapsed());
    drop(deploy);
}
