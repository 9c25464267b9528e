use super::*;
use crate::standing::testing::release;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use leo_data::ImageUse;
use leo_deploy::StackStatus;
use leo_release::{Address, PromotedFrom, PromotedImage, Unreadable};

fn digest(letter: char) -> String {
    format!("sha256:{}", letter.to_string().repeat(64))
}

fn history(numbers: &[u64]) -> History {
    let releases = numbers.iter().map(|number| release(*number, "{}", &[])).collect();
    History { releases, ..History::default() }
}

fn platform(environment: &str, status: &str, image: &str) -> (StandingStack, Parameters) {
    let stack =
        StandingStack { name: format!("leo-{environment}-platform"), status: StackStatus::from(status) };
    let parameters = [("OrchestratorImage", image), ("SecretsRevision", "leo@1")];
    let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    (stack, parameters.map(text).into())
}

fn running(clusters: &[&str], images: &[(&str, Option<&str>)]) -> ImageUses {
    let used = |(image, digest): &(&str, Option<&str>)| ImageUse {
        image: (*image).to_owned(),
        digest: digest.map(str::to_owned),
        by: ImageUser::Definition("x:1".to_owned()),
    };
    let clusters = clusters.iter().map(|cluster| (*cluster).to_owned()).collect();
    ImageUses { clusters, uses: images.iter().map(used).collect() }
}

/// What users make of what was seen, with `gone` forgotten.
fn of(stacks: &[(StandingStack, Parameters)], recorded: &Recorded, ecs: ImageUses, tags: &[&str]) -> Users {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .build();
    let address = Address::Aws { region: "us-east-1".to_owned() };
    let artifacts = Artifacts::new(aws_sdk_s3::Client::from_conf(config), "leo-artifacts", address);
    let wanted = Wanted {
        artifacts: &artifacts,
        account: &"111122223333".parse().expect("is one"),
        tagged_elsewhere: false,
        keep: 2,
        fresh: Duration::ZERO,
        configured: &["dev".to_owned(), "new".to_owned()].into(),
        forgotten: &["gone".to_owned()].into(),
    };
    let tags: Vec<ImageTag> = tags.iter().map(|tag| tag.parse().expect("is one")).collect();
    let mut users = Users::default();
    users.of_stacks(stacks, Some(&ecs), &wanted);
    users.of_records(recorded, &wanted, tags.iter());
    users.of_ecs(ecs);
    users.environments(stacks, recorded, &wanted);
    users
}

fn blind(users: &Users) -> Vec<&str> {
    users.blind.iter().map(|problem| problem.message.as_str()).collect()
}

#[test]
fn everyone_who_names_an_image_uses_it() {
    let image = format!("r/leo-saas-app@{}", digest('c'));
    let stacks = [platform("dev", "UPDATE_COMPLETE", &image), platform("eu", "UPDATE_FAILED", &image)];
    let promotion = Promotion::new(
        "prod",
        PromotedFrom {
            environment: "dev".to_owned(),
            release: 7,
            account: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
        },
        ("ada".to_owned(), "laptop".to_owned()),
        vec![PromotedImage {
            container: "generator".to_owned(),
            repository: "r/leo".to_owned(),
            digest: digest('d'),
        }],
    );
    let recorded = Recorded {
        releases: [("dev".to_owned(), history(&[7, 6])), ("old".to_owned(), history(&[3]))].into(),
        promotions: vec![promotion],
    };
    // Names of other registries, which are not our concern, among ours.
    let ecs = running(
        &["leo-dev", "leo-eu"],
        &[("public/nginx:${TAG}", None), ("x/leo:git-1", Some(&digest('e'))), ("sidecar", None)],
    );
    let users = of(&stacks, &recorded, ecs, &["release-dev-1", "release-old-3", "release-gone-9", "git-1"]);
    assert_eq!(blind(&users), [""; 0]);
    assert!(users.refuse_blind().is_ok());
    let lines: Vec<String> = users
        .uses
        .iter()
        .map(|used| match &used.image {
            Named::Digest(digest) => format!("{} {}", &digest.short()[..1], used.by),
            Named::Tag { repository, tag } => format!("{repository}:{tag} {}", used.by),
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    let oldest = |environment: &str| users.oldest_kept.get(environment).copied();
    assert_eq!((oldest("dev"), oldest("old"), oldest("gone")), (Some(6), Some(3), Some(u64::MAX)));
    let seen: Vec<String> = users
        .environments
        .iter()
        .map(|one| format!("{} {} {:?}", one.name, one.platform.as_deref().unwrap_or("-"), one.releases))
        .collect();
    insta::assert_snapshot!(seen.join("\n"));
}

#[test]
fn whatever_can_not_be_seen_is_named_and_refused() {
    let image = format!("r/leo-saas-app@{}", digest('c'));
    let nothing = Recorded::default();
    let one = |stack, clusters: &[&str]| {
        let users = of(&[stack], &nothing, running(clusters, &[]), &[]);
        assert_eq!(users.refuse_blind().is_err(), !users.blind.is_empty());
        blind(&users).join("; ")
    };
    let mut said = vec![
        one(platform("dev", "UPDATE_IN_PROGRESS", &image), &["leo-dev"]),
        one(platform("dev", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", &image), &["leo-dev"]),
        one(platform("dev", "UPDATE_COMPLETE", &image), &["leo-eu"]),
        one(platform("dev", "UPDATE_COMPLETE", "r/leo-saas-app@sha256:short"), &["leo-dev"]),
        one(platform("gone", "UPDATE_COMPLETE", &image), &["leo-gone"]),
    ];
    let mut broken = history(&[7]);
    let unreadable = Unreadable {
        key: "releases/dev/00000006.json".to_owned(),
        number: Some(6),
        reason: "it is no record".to_owned(),
    };
    broken.unreadable.push(unreadable);
    broken.releases[0].images[0].digest = "latest".to_owned();
    let recorded = Recorded { releases: [("dev".to_owned(), broken)].into(), ..Recorded::default() };
    said.push(blind(&of(&[], &recorded, running(&[], &[]), &[])).join("; "));
    let of_nobody = of(&[], &nothing, running(&[], &[("x/leo@sha512:1", None)]), &["release-prod-1"]);
    said.push(blind(&of_nobody).join("; "));
    insta::assert_snapshot!(said.join("\n"));

    let problem = of_nobody.refuse_blind().expect_err("is refused");
    assert_eq!(problem.kind, FailureKind::Failed);
    let hint = problem.hint.expect("has one");
    insta::assert_snapshot!(format!(
        "failed to {}\n{}\nhint: {hint}",
        problem.message,
        problem.details.join("\n")
    ));
    let forgetting =
        of(&[platform("gone", "UPDATE_COMPLETE", &image)], &nothing, running(&["leo-gone"], &[]), &[]);
    assert_eq!(forgetting.refuse_blind().expect_err("is refused").kind, FailureKind::Usage);
}
