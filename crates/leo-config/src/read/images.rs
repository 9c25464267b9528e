use std::{
    collections::BTreeMap,
    path::{Component, PathBuf},
};

use leo_env::Schema;

use super::{item::Item, section::Section};
use crate::{ImageSource, Images, InvalidValue};

/// Each day is one tag that is asked for, and ECR's BatchGetImage takes 100 in one call.
const LONGEST_AGE_DAYS: u32 = 90;
/// A Fargate task has 200 GB of disk at most (ECS developer guide, "Fargate task ephemeral storage").
const LARGEST_BUDGET_MB: u32 = 200_000;

/// The tables `[images]`.
pub(crate) fn read(section: &Section<'_>, schema: &Schema) -> Images {
    Images {
        orchestrator: section.table("orchestrator", |section| source(section, "../leo-saas", schema)),
        generator: section.table("generator", |section| source(section, "../leo-container", schema)),
        attestations: section.flag("attestations", false).value,
        max_age_days: section.number("max_age_days", 7, 1..=LONGEST_AGE_DAYS).value,
    }
}

fn source(section: &Section<'_>, context: &str, schema: &Schema) -> ImageSource {
    let dockerfile = |item: &Item<'_>| {
        let path = path(item)?;
        if path.is_absolute() {
            let hint = "a path inside the build context: `Dockerfile`, `docker/app.Dockerfile`";
            return item.wrong(
                &InvalidValue::new("is not relative to the build context", hint).found("an absolute path"),
            );
        }
        Some(path)
    };
    let build_args = section.map("build_args", |name, item| build_arg(name, item, schema));
    ImageSource {
        context: section.or("context", PathBuf::from(context), path).value,
        dockerfile: section.or("dockerfile", PathBuf::from("Dockerfile"), dockerfile).value,
        target: section.optional("target", stage).value,
        build_args: build_args
            .into_iter()
            .map(|(name, field)| (name, field.value))
            .collect::<BTreeMap<_, _>>(),
        budget_mb: section.number("budget_mb", 1000, 1..=LARGEST_BUDGET_MB).value,
        allow_in_context: section.or("allow_in_context", Vec::new(), allowed).value,
        branch: section.optional("branch", branch).value,
        env_file: section.optional("env_file", env_file).value,
    }
}

/// A branch's name (git, "git-check-ref-format").
fn branch(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    let refused = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    let part = |part: &str| part.is_empty() || part.starts_with('.') || part.strip_suffix(".lock").is_some();
    let bad = text.contains(refused)
        || text.contains("..")
        || text.contains("@{")
        || text.starts_with('-')
        || text.ends_with('.')
        || text.split('/').any(part);
    if bad {
        let hint = "as `git branch` prints it: `main`, `release/2`";
        return item.wrong(&InvalidValue::new("is not the name of a branch", hint));
    }
    Some(text.to_owned())
}

/// A file outside this repository: one inside may be another environment's.
fn env_file(item: &Item<'_>) -> Option<PathBuf> {
    let path = path(item)?;
    let inside =
        matches!(path.components().find(|part| *part != Component::CurDir), Some(Component::Normal(_)));
    if inside {
        let hint = "a file of the sibling repository: `../leo-saas/.env`; the files in env/ are read anyhow";
        return item.wrong(&InvalidValue::new("is inside this repository", hint));
    }
    Some(path)
}

/// Files inside the build context.
fn allowed(item: &Item<'_>) -> Option<Vec<PathBuf>> {
    let inside = |item: &Item<'_>| {
        let path = path(item)?;
        if path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Some(path);
        }
        let hint = "a file's path inside the build context: `tests/fixtures/key.pem`";
        item.wrong(&InvalidValue::new("is not a path inside the build context", hint))
    };
    // Every wrong one is reported, not the first alone.
    let paths: Vec<_> = item.list()?.iter().map(inside).collect();
    paths.into_iter().collect()
}

fn path(item: &Item<'_>) -> Option<PathBuf> {
    let text = item.text()?;
    if text.is_empty() || text.chars().any(char::is_control) {
        return item
            .wrong(&InvalidValue::new("is not a path", "a path with `/` between its parts: `../leo-saas`"));
    }
    Some(PathBuf::from(text))
}

/// A stage's name (Dockerfile reference, "FROM … AS").
fn stage(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    let good = text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    if good {
        return Some(text.to_owned());
    }
    item.wrong(&InvalidValue::new(
        "is not the name of a stage",
        "the word behind `AS` in the Dockerfile: `runtime`",
    ))
}

fn build_arg(name: &str, item: &Item<'_>, schema: &Schema) -> Option<String> {
    if schema.key(name).is_some_and(|key| key.secret.is_some()) {
        let hint = "build arguments stay in the image: the container gets the secret when it is started";
        return item.wrong(&InvalidValue::secret(hint));
    }
    let good = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !good {
        return item.wrong(&InvalidValue::new(
            "is not the name of a build argument",
            "letters, digits and `_`: `VERSION`",
        ));
    }
    item.text().map(str::to_owned)
}
