//! Images in tables and documents.

use crate::registry::{Judged, Users};
use comfy_table::{Table, presets};
use leo_image::{
    ListedImage,
    retention::{Stays, User, Verdict},
};
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

/// A table without lines.
pub(super) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    table.add_rows(rows);
    let lines: Vec<String> = table.trim_fmt().lines().map(|line| line.trim().to_owned()).collect();
    lines.join("\n")
}

/// The tags of an image; `-` where it has none.
pub(super) fn tags(image: &ListedImage) -> String {
    /// As many as fit beside the rest; the document has all.
    const SHOWN: usize = 3;
    let shown: Vec<&str> = image.tags.iter().take(SHOWN).map(leo_image::ImageTag::as_str).collect();
    match image.tags.len().checked_sub(SHOWN) {
        None | Some(0) if shown.is_empty() => "-".to_owned(),
        None | Some(0) => shown.join(" "),
        Some(more) => format!("{} +{more}", shown.join(" ")),
    }
}

/// How long ago an image was pushed.
pub(super) fn age(image: &ListedImage, now: SystemTime) -> String {
    let Some(at) = image.pushed_at else { return "unknown".to_owned() };
    let age = now.duration_since(at).unwrap_or_default();
    let units = [("day", 86_400), ("hour", 3600), ("minute", 60)];
    let unit = units.into_iter().find(|(_, seconds)| age >= Duration::from_secs(*seconds));
    unit.map_or_else(|| "now".to_owned(), |(unit, seconds)| leo_data::count(age.as_secs() / seconds, unit))
}

/// Why an image stays or goes. The tasks of one task definition are counted: a hundred of them say no more than one.
pub(super) fn reasons(verdict: &Verdict) -> Vec<String> {
    let reasons = match verdict {
        Verdict::Goes(reasons) => return reasons.iter().map(ToString::to_string).collect(),
        Verdict::Stays(reasons) => reasons,
    };
    let mut said: Vec<String> = vec![];
    let mut tasks: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for reason in reasons {
        match reason {
            Stays::Used(User::Task { cluster, definition, .. }) => {
                *tasks.entry((cluster, definition)).or_default() += 1;
            }
            other => said.push(other.to_string()),
        }
    }
    let counted = tasks.into_iter().map(|((cluster, definition), number)| {
        format!("{} in {cluster} ({definition})", leo_data::count(number, "task"))
    });
    counted.chain(said).collect()
}

/// An image as a document.
pub(super) fn image(judged: &Judged, image: &ListedImage) -> Json {
    let time = |time: Option<SystemTime>| time.map(leo_release::rfc3339);
    let tags: Vec<&str> = image.tags.iter().map(leo_image::ImageTag::as_str).collect();
    let parts: Vec<&str> = image.children.iter().map(leo_image::ImageDigest::as_str).collect();
    let reason = |kind: &str, text: String| json!({"kind": kind, "text": text});
    let verdict = judged.verdicts.get(&image.digest);
    let reasons: Vec<Json> = match verdict {
        Some(Verdict::Stays(reasons)) => {
            reasons.iter().map(|one| reason(one.kind(), one.to_string())).collect()
        }
        Some(Verdict::Goes(reasons)) => {
            reasons.iter().map(|one| reason(one.kind(), one.to_string())).collect()
        }
        None => vec![],
    };
    json!({
        "image": judged.name.as_str(),
        "repository": judged.repository.name,
        "digest": image.digest.as_str(),
        "tags": tags,
        "pushed_at": time(image.pushed_at),
        "pulled_at": time(image.pulled_at),
        "bytes": image.bytes,
        "parts": parts,
        "stays": verdict.is_none_or(Verdict::stays),
        "reasons": reasons,
    })
}

/// The environments that use the registry, as a document.
pub(super) fn environments(users: &Users) -> Json {
    let environments = users.environments.iter().map(|environment| {
        json!({
            "name": environment.name,
            "platform": environment.platform,
            "oldest_release_kept": environment.releases.map(|(oldest, _)| oldest),
            "newest_release": environment.releases.map(|(_, newest)| newest),
        })
    });
    environments.collect()
}

#[cfg(test)]
pub(super) mod testing {
    use crate::registry::{Judged, Seen, Users, repository};
    use leo_image::{
        ImageDigest, ImageName, ListedImage,
        retention::{FRESH, Named, Subject, Use, User, judge},
    };
    use std::time::{Duration, SystemTime};

    pub(crate) fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000)
    }

    fn digest(letter: char) -> ImageDigest {
        format!("sha256:{}", letter.to_string().repeat(64)).parse().expect("is one")
    }

    fn image(letter: char, tags: &[&str], parts: &str, hours: u64) -> ListedImage {
        let pushed_at = now().checked_sub(Duration::from_hours(hours));
        ListedImage {
            digest: digest(letter),
            tags: tags.iter().map(|tag| tag.parse().expect("is one")).collect(),
            pushed_at,
            pulled_at: pushed_at,
            bytes: 123_400_000,
            children: parts.chars().map(digest).collect(),
            subject: None,
        }
    }

    /// Both repositories with an image of most kinds.
    pub(crate) fn seen() -> Seen {
        let task = |task: &str| User::Task {
            cluster: "leo-dev".to_owned(),
            definition: "leo-dev-generator:3".to_owned(),
            task: task.to_owned(),
        };
        let release = |number| User::Release { environment: "dev".to_owned(), number };
        let service = User::Service {
            cluster: "leo-dev".to_owned(),
            service: "web".to_owned(),
            definition: "leo-dev-orchestrator:9".to_owned(),
        };
        let by = |letter: char, by: User| Use { image: Named::Digest(digest(letter)), by };
        let users = Users {
            uses: vec![
                by('a', service),
                by('a', release(9)),
                by('a', release(8)),
                by('b', release(8)),
                by('d', task("1")),
                by('d', task("2")),
                by('d', User::Promotion { environment: "prod".to_owned() }),
            ],
            oldest_kept: [("dev".to_owned(), 8)].into(),
            ..Users::default()
        };
        let orchestrators = vec![
            image('a', &["git-1-amd64", "release-dev-8", "release-dev-9", "src-1"], "c", 30),
            image('c', &[], "", 30),
            image('b', &["git-2-amd64"], "", 72),
            image('e', &["git-3-amd64", "release-dev-3"], "", 24 * 400),
        ];
        let generators = vec![image('f', &["git-4-amd64"], "", 1), image('d', &[], "", 48)];
        let judged = |(name, images): (ImageName, Vec<ListedImage>)| {
            let repository = repository(name);
            let subject = Subject {
                repository: &repository.name,
                images: &images,
                uses: &users.uses,
                oldest_kept: &users.oldest_kept,
                now: now(),
                fresh: FRESH,
            };
            let verdicts = judge(&subject);
            Judged { name, repository, images, verdicts }
        };
        let repositories =
            [(ImageName::Orchestrator, orchestrators), (ImageName::Generator, generators)].map(judged);
        Seen { repositories: repositories.into(), users }
    }
}
