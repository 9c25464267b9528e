use super::{Place, Registry, words};
use crate::{
    failure::Failure,
    registry::{Seen, Wanted, bytes},
    stdout,
};
use leo_image::{
    ListedImage, Size,
    retention::{FRESH, Stays, User, Verdict},
};
use serde_json::{Value as Json, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
    time::SystemTime,
};

/// List the images, newest first, with where they run
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> ExitCode {
    match Box::pin(list(&args)).await {
        Ok(seen) => {
            for unseen in &seen.users.blind {
                eprintln!("warning: where images run is not known in full: failed to {}", unseen.message);
            }
            if args.json {
                stdout::line(format_args!("{:#}", document(&seen)));
            } else {
                stdout::line(text(&seen, SystemTime::now()));
            }
            ExitCode::SUCCESS
        }
        Err(failure) => failure.report(args.json),
    }
}

async fn list(args: &Args) -> Result<Seen, Failure> {
    let registry = Registry::open(&args.place).await?;
    let wanted = Wanted {
        artifacts: &registry.artifacts,
        account: &registry.account,
        tagged_elsewhere: false,
        keep: registry.project.config.registry.keep_releases,
        fresh: FRESH,
        configured: &registry.configured,
        forgotten: &BTreeSet::new(),
    };
    Ok(Seen::look(&registry.target, &wanted).await?)
}

fn text(seen: &Seen, now: SystemTime) -> String {
    let mut rows = vec![];
    let mut total = vec![];
    for judged in &seen.repositories {
        let parts: BTreeSet<_> = judged.images.iter().flat_map(|image| &image.children).collect();
        total.extend(&judged.images);
        for image in judged.images.iter().filter(|image| !parts.contains(&image.digest)) {
            let size: u64 = if image.children.is_empty() {
                image.bytes
            } else {
                bytes(judged.images.iter().filter(|part| image.children.contains(&part.digest)))
            };
            rows.push([
                judged.name.to_string(),
                image.digest.short().to_owned(),
                words::age(image, now),
                Size(size).to_string(),
                judged.verdicts.get(&image.digest).map_or_else(String::new, place),
                words::tags(image),
            ]);
        }
    }
    if rows.is_empty() {
        return "the registry has no images".to_owned();
    }
    let images: Vec<&ListedImage> = total;
    let sum = format!(
        "{}, {} at most: images share layers",
        leo_data::count(images.len() as u64, "image"),
        Size(bytes(images))
    );
    let table = words::table(["Image", "Digest", "Age", "Size", "Where it runs", "Tags"], rows);
    format!("{table}\n{sum}")
}

/// Where an image runs: its services and tasks by cluster, then its releases.
fn place(verdict: &Verdict) -> String {
    let Verdict::Stays(reasons) = verdict else { return "-".to_owned() };
    let mut running: BTreeMap<&str, (bool, u64)> = BTreeMap::new();
    let mut said = vec![];
    let mut releases: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for reason in reasons {
        match reason {
            Stays::Used(User::Service { cluster, .. }) => running.entry(cluster).or_default().0 = true,
            Stays::Used(User::Task { cluster, .. }) => running.entry(cluster).or_default().1 += 1,
            Stays::Used(User::Release { environment, number }) => {
                let (oldest, newest) = releases.entry(environment).or_insert((*number, *number));
                (*oldest, *newest) = ((*oldest).min(*number), (*newest).max(*number));
            }
            Stays::Used(User::Promotion { environment }) => said.push(format!("promoted to {environment}")),
            _ => {}
        }
    }
    let running = running.into_iter().map(|(cluster, (service, tasks))| match (service, tasks) {
        (true, 0) => format!("{cluster} (service)"),
        (true, tasks) => format!("{cluster} (service, {})", leo_data::count(tasks, "task")),
        (false, tasks) => format!("{cluster} ({})", leo_data::count(tasks, "task")),
    });
    let releases = releases.into_iter().map(|(environment, (oldest, newest))| {
        if oldest == newest {
            format!("release {newest} of {environment}")
        } else {
            format!("releases {oldest} to {newest} of {environment}")
        }
    });
    let all: Vec<String> = running.chain(said).chain(releases).collect();
    if all.is_empty() { "-".to_owned() } else { all.join(", ") }
}

fn document(seen: &Seen) -> Json {
    let images: Vec<Json> = seen
        .repositories
        .iter()
        .flat_map(|judged| judged.images.iter().map(|image| words::image(judged, image)))
        .collect();
    let unseen: Vec<&str> = seen.users.blind.iter().map(|problem| problem.message.as_str()).collect();
    json!({"images": images, "environments": words::environments(&seen.users), "unseen": unseen})
}

#[cfg(test)]
mod tests {
    use super::{words::testing, *};

    #[test]
    fn the_list_says_where_images_run() {
        insta::assert_snapshot!(text(&testing::seen(), testing::now()));
        let empty = Seen { repositories: vec![], ..testing::seen() };
        assert_eq!(text(&empty, testing::now()), "the registry has no images");
        let json = document(&testing::seen());
        assert_eq!(json["images"].as_array().map(Vec::len), Some(6));
        insta::assert_snapshot!(format!("{:#}", json["images"][0]));
    }
}
