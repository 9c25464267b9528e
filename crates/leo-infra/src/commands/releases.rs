use crate::{
    commands::load_project,
    deploy::{self, Before},
    failure::Failure,
    standing::Standing,
    stdout,
    target::Target,
};
use comfy_table::{Table, presets};
use leo_env::SecretsPolicy;
use leo_release::{History, Release};
use serde_json::{Value as Json, json};
use std::{num::NonZeroUsize, process::ExitCode};

/// List what was deployed, newest first
///
/// A release is a deploy that passed its health gate. `rollback` brings one back.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment; without it, LEO_ENVIRONMENT decides
    #[arg(long, short, value_name = "NAME")]
    environment: Option<String>,
    /// Those of the local target
    #[arg(long)]
    local: bool,
    /// How many to list
    #[arg(long, value_name = "COUNT", default_value = "20", conflicts_with = "all")]
    newest: NonZeroUsize,
    /// List all of them
    #[arg(long)]
    all: bool,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> ExitCode {
    match Box::pin(list(&args)).await {
        Ok(listed) => {
            listed.warn();
            if args.json {
                stdout::line(format_args!("{:#}", listed.json()));
            } else {
                stdout::line(listed.text());
            }
            ExitCode::SUCCESS
        }
        Err(failure) => failure.report(args.json),
    }
}

/// The releases of an environment, and which of them stands.
struct Listed {
    environment: String,
    history: History,
    stands: Option<u64>,
    /// Whether there is a platform at all.
    has_platform: bool,
}

async fn list(args: &Args) -> Result<Listed, Failure> {
    let project = load_project(args.environment.as_deref(), SecretsPolicy::Ignore, args.local)?;
    let stacks = leo_stack::compose(&project.config).map_err(deploy::not_composed)?;
    let target = Target::open(&project, args.local).await?;
    let account = target.check_account(&project.config).await?;
    let engine = leo_deploy::Stacks::new(target.cloudformation.clone());
    let artifacts = target.artifacts(&project.config, &account);
    let environment = project.config.environment.name.to_string();
    let at_most = (!args.all).then_some(args.newest);
    let (before, history) = tokio::try_join!(Before::look(&engine, &stacks), async {
        Ok(artifacts.releases(&environment, at_most).await?)
    },)?;
    let standing = Standing::read(&target, &before).await?;
    let stands = standing.release(&history.releases).map(|release| release.number);
    Ok(Listed { environment, history, stands, has_platform: before.platform.is_some() })
}

impl Listed {
    /// What the list leaves out is said, not passed over.
    fn warn(&self) {
        for unreadable in &self.history.unreadable {
            eprintln!("warning: left out {}: {}", unreadable.key, unreadable.reason);
        }
    }

    fn text(&self) -> String {
        let History { releases, older, .. } = &self.history;
        if releases.is_empty() {
            return format!("{}: no release is recorded", self.environment);
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["Release", "When (UTC)", "Who", "Commit", "Images", "What"]);
        table.add_rows(releases.iter().map(|release| {
            [
                release.number.to_string(),
                when(release),
                format!("{}@{}", release.by, release.host),
                release.commit.as_deref().map_or("-", |commit| short(commit, 10)).to_owned(),
                images(release),
                what(release, self.stands),
            ]
        }));
        let mut lines: Vec<String> = table.trim_fmt().lines().map(|line| line.trim().to_owned()).collect();
        if *older > 0 {
            lines.push(format!("… and {older} older (--all)"));
        }
        if self.stands.is_none() && self.has_platform {
            lines.push("what runs now is none of these".to_owned());
        }
        lines.join("\n")
    }

    fn json(&self) -> Json {
        let releases: Vec<Json> = self
            .history
            .releases
            .iter()
            .map(|release| {
                // A record is a map: its fields, and whether it runs.
                let mut json = json!(release);
                if let Some(fields) = json.as_object_mut() {
                    fields.insert("runs".to_owned(), json!(self.stands == Some(release.number)));
                }
                json
            })
            .collect();
        let unreadable: Vec<Json> = self
            .history
            .unreadable
            .iter()
            .map(|unreadable| json!({"key": unreadable.key, "reason": unreadable.reason}))
            .collect();
        json!({
            "environment": self.environment,
            "releases": releases,
            "unreadable": unreadable,
            "older": self.history.older,
        })
    }
}

/// `2026-11-22 14:03`
pub(crate) fn when(release: &Release) -> String {
    short(&release.at, 16).replace('T', " ")
}

/// `orchestrator 0123456789ab, generator 0123456789ab`
pub(crate) fn images(release: &Release) -> String {
    let digest = |digest: &str| short(digest.strip_prefix("sha256:").unwrap_or(digest), 12).to_owned();
    let images = release.images.iter().map(|image| format!("{} {}", image.container, digest(&image.digest)));
    images.collect::<Vec<_>>().join(", ")
}

fn what(release: &Release, stands: Option<u64>) -> String {
    let what = match release.rollback_of {
        Some(origin) => format!("rollback to {origin}"),
        None => "deploy".to_owned(),
    };
    if stands == Some(release.number) { format!("{what}, runs now") } else { what }
}

/// The first characters of a text that is ASCII.
pub(crate) fn short(text: &str, characters: usize) -> &str {
    text.get(..characters).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standing::testing::release;
    use leo_release::Unreadable;

    fn listed() -> Listed {
        let mut back = release(12, "x", &[]);
        back.rollback_of = Some(10);
        back.commit = None;
        let unreadable = Unreadable {
            key: "releases/dev/00000011.json".to_owned(),
            number: Some(11),
            reason: "it is no record".to_owned(),
        };
        Listed {
            environment: "dev".to_owned(),
            history: History {
                releases: vec![back, release(10, "x", &[]), release(9, "y", &[])],
                unreadable: vec![unreadable],
                older: 8,
            },
            stands: Some(12),
            has_platform: true,
        }
    }

    #[test]
    fn the_list_says_when_who_what_and_what_runs() {
        insta::assert_snapshot!(listed().text());
        let other = Listed { stands: None, ..listed() };
        assert!(other.text().ends_with("what runs now is none of these"), "{}", other.text());
        let empty = Listed { history: History::default(), ..listed() };
        assert_eq!(empty.text(), "dev: no release is recorded");
    }

    #[test]
    fn the_document_has_each_record_and_whether_it_runs() {
        let json = listed().json();
        assert_eq!(json["releases"][0]["runs"], true);
        assert_eq!(json["releases"][0]["rollback_of"], 10);
        assert_eq!(json["releases"][1]["runs"], false);
        assert_eq!(json["releases"][1]["stacks"][1]["role"], "platform");
        assert_eq!(json["unreadable"][0]["key"], "releases/dev/00000011.json");
        assert_eq!(json["older"], 8);
    }
}
