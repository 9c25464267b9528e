use crate::bucket::{Bucket, Fault};
use leo_release::{PromotedFrom, PromotedImage, Promotion, ReleaseError};

const KEY: &str = "promotions/prod.json";

fn promotion(release: u64) -> Promotion {
    Promotion {
        environment: "prod".to_owned(),
        from: PromotedFrom {
            environment: "staging".to_owned(),
            release,
            account: "111122223333".to_owned(),
            region: "eu-central-1".to_owned(),
        },
        at: "2026-11-22T14:03:00Z".to_owned(),
        by: "ada".to_owned(),
        host: "laptop".to_owned(),
        images: vec![PromotedImage {
            container: "orchestrator".to_owned(),
            repository: "registry.example/leo-saas-app".to_owned(),
            digest: format!("sha256:{}", "a".repeat(64)),
        }],
    }
}

#[tokio::test(start_paused = true)]
async fn a_promotion_is_pending_until_it_is_deployed() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    assert_eq!(artifacts.promotion("prod").await.unwrap(), None);
    artifacts.promote(&promotion(12)).await.unwrap();
    insta::assert_snapshot!(bucket.text(KEY).unwrap());
    let pending = artifacts.promotion("prod").await.unwrap().unwrap();
    assert_eq!(pending.promotion, promotion(12));
    assert_eq!(pending.promotion.to_string(), "staging's release 12, by ada@laptop on 2026-11-22 14:03 UTC");
    assert_eq!(pending.promotion.digest("orchestrator").unwrap().len(), 71);
    assert_eq!(pending.promotion.digest("generator"), None);
    assert_eq!(artifacts.promotion("dev").await.unwrap(), None);
    assert!(artifacts.promotion_deployed(&pending).await.unwrap());
    assert_eq!(artifacts.promotion("prod").await.unwrap(), None);
    assert!(!artifacts.promotion_deployed(&pending).await.unwrap(), "it was not pending any more");
}

#[tokio::test(start_paused = true)]
async fn a_later_promotion_replaces_one_and_outlives_its_deploy() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    artifacts.promote(&promotion(12)).await.unwrap();
    let deploying = artifacts.promotion("prod").await.unwrap().unwrap();
    artifacts.promote(&promotion(13)).await.unwrap();
    assert!(!artifacts.promotion_deployed(&deploying).await.unwrap());
    let pending = artifacts.promotion("prod").await.unwrap().unwrap();
    assert_eq!(pending.promotion.from.release, 13);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_got_lost_is_found_again() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    for release in [12, 13] {
        bucket.fault("PUT promotions/", [Fault::AnswerLost]);
        artifacts.promote(&promotion(release)).await.unwrap();
        let pending = artifacts.promotion("prod").await.unwrap().unwrap();
        assert_eq!(pending.promotion.from.release, release);
    }
}

#[tokio::test(start_paused = true)]
async fn promotions_at_once_leave_one_whole() {
    let bucket = Bucket::new();
    let mut writers = tokio::task::JoinSet::new();
    for release in 1..=8 {
        let artifacts = bucket.artifacts();
        writers.spawn(async move { artifacts.promote(&promotion(release)).await.unwrap() });
    }
    writers.join_all().await;
    let pending = bucket.artifacts().promotion("prod").await.unwrap().unwrap();
    assert_eq!(pending.promotion, promotion(pending.promotion.from.release));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_not_passed_over() {
    let bucket = Bucket::new();
    let artifacts = bucket.artifacts();
    artifacts.promote(&promotion(12)).await.unwrap();
    let good = bucket.text(KEY).unwrap();
    let mut said = vec![];
    for bad in [
        "{\"schema\": 1,".to_owned(),
        good.replace("\"schema\": 1", "\"schema\": 2"),
        good.replace("\"environment\": \"prod\"", "\"environment\": \"staging\""),
    ] {
        bucket.write(KEY, &bad);
        let error = artifacts.promotion("prod").await.unwrap_err();
        assert!(matches!(error, ReleaseError::Damaged { .. }));
        said.push(format!("failed to {error}"));
    }
    insta::assert_snapshot!(said.join("\n"));
    // A new one is the way out.
    artifacts.promote(&promotion(13)).await.unwrap();
    assert!(artifacts.promotion("prod").await.unwrap().is_some());
    // Fields of later versions are ignored.
    bucket.write(KEY, &good.replacen('{', "{\"mood\": [1],", 1));
    assert_eq!(artifacts.promotion("prod").await.unwrap().unwrap().promotion, promotion(12));
}

#[tokio::test(start_paused = true)]
async fn all_that_is_pending_and_every_environment_with_a_release_is_listed() {
    let bucket = Bucket::new();
    bucket.page(1);
    let artifacts = bucket.artifacts();
    assert!(artifacts.promotions().await.unwrap().is_empty());
    artifacts.promote(&promotion(12)).await.unwrap();
    let eu = Promotion { environment: "prod-eu".to_owned(), ..promotion(13) };
    artifacts.promote(&eu).await.unwrap();
    assert_eq!(artifacts.promotions().await.unwrap(), [eu, promotion(12)]);

    bucket.write("promotions/staging.json", "what is this");
    let error = artifacts.promotions().await.unwrap_err();
    assert!(
        matches!(error, ReleaseError::Damaged { ref key, .. } if key == "promotions/staging.json"),
        "{error}"
    );

    for key in
        ["releases/dev/00000001.json", "releases/dev/00000002.json", "releases/gone/x", "releases/no-folder"]
    {
        bucket.write(key, "whatever it is");
    }
    let environments = artifacts.environments().await.unwrap();
    assert_eq!(environments.iter().collect::<Vec<_>>(), ["dev", "gone"]);
}
