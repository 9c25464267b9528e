//! Who uses the images of the registry, and what of that can't be seen.

use super::stacks::{StandingStack, standing};
use crate::{failure::Problem, target::Target};
use leo_aws::FailureKind;
use leo_config::{AccountId, names};
use leo_data::{ImageUser, ImageUses, image_uses};
use leo_image::{
    ImageTag,
    retention::{Named, Use, User},
};
use leo_release::{Artifacts, History, Promotion};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What is looked for.
pub(crate) struct Wanted<'a> {
    pub(crate) artifacts: &'a Artifacts,
    pub(crate) account: &'a AccountId,
    /// What others run who may pull has a tag that keeps it: somebody's word.
    pub(crate) tagged_elsewhere: bool,
    /// How many of each environment's newest releases are kept.
    pub(crate) keep: u32,
    /// For how long an image stays after it was pushed.
    pub(crate) fresh: Duration,
    /// The environments that the configuration has in this account and region.
    pub(crate) configured: &'a BTreeSet<String>,
    /// Environments that are gone for good: their releases don't count.
    pub(crate) forgotten: &'a BTreeSet<String>,
}

/// Who uses the images.
#[derive(Debug, Default)]
pub(crate) struct Users {
    pub(crate) environments: Vec<SeenEnvironment>,
    pub(crate) uses: Vec<Use>,
    /// Of each environment the number of the oldest release whose images are kept.
    pub(crate) oldest_kept: BTreeMap<String, u64>,
    /// What could not be seen.
    pub(crate) blind: Vec<Problem>,
}

/// An environment that uses the registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SeenEnvironment {
    pub(crate) name: String,
    /// The status of its platform, where there is one.
    pub(crate) platform: Option<String>,
    /// The releases whose images are kept, oldest and newest.
    pub(crate) releases: Option<(u64, u64)>,
}

/// A stack and the values of its parameters.
type Parameters = BTreeMap<String, String>;

/// The releases of each environment that are kept, and what is promoted.
#[derive(Debug, Default)]
struct Recorded {
    releases: BTreeMap<String, History>,
    promotions: Vec<Promotion>,
}

impl Users {
    /// Looks at everything at once. What can't be seen is kept, all of it, not only the first thing.
    pub(crate) async fn look<'a>(
        target: &Target,
        wanted: &Wanted<'_>,
        tags: impl Iterator<Item = &'a ImageTag>,
    ) -> Self {
        let (stacks, recorded, running) = tokio::join!(stacks(target), recorded(wanted), async {
            image_uses(&target.ecs).await.map_err(Problem::from)
        },);
        let mut users = Self::default();
        let mut seen = |blind| users.blind.push(blind);
        let stacks = stacks.map_err(&mut seen).unwrap_or_default();
        let recorded = recorded.map_err(&mut seen).unwrap_or_default();
        let running = running.map_err(&mut seen).ok();
        users.of_stacks(&stacks, running.as_ref(), wanted);
        users.of_records(&recorded, wanted, tags);
        users.of_ecs(running.unwrap_or_default());
        users.environments(&stacks, &recorded, wanted);
        users
    }

    fn blind(&mut self, message: String, hint: &str) {
        self.blind.push(Problem::new(FailureKind::Failed, message).hint(hint));
    }

    /// Takes a use of an image by a name that may not be one.
    fn name(&mut self, name: &str, by: User) {
        match Named::parse(name) {
            Ok(image) => self.uses.push(Use { image, by }),
            // Other registries' names are not our concern, however they are written.
            Err(error) if is_ours(name) => self.blind(
                format!("{error}: {by}"),
                "write it as `<repository>@sha256:<digest>`, or deregister that task definition",
            ),
            Err(_) => {}
        }
    }

    fn of_stacks(
        &mut self,
        stacks: &[(StandingStack, Parameters)],
        running: Option<&ImageUses>,
        wanted: &Wanted<'_>,
    ) {
        for (stack, parameters) in stacks {
            let name = &stack.name;
            if environment_of(name).is_some_and(|environment| wanted.forgotten.contains(environment)) {
                let problem = Problem::new(
                    FailureKind::Usage,
                    format!("forget an environment that is there: `{name}` stands"),
                );
                self.blind.push(problem.hint("destroy it first: `cargo xtask destroy`"));
            }
            if stack.status.in_progress() {
                self.blind(
                    format!("know what `{name}` will run: it is {}", stack.status),
                    "wait until that operation is over, then run the same command again",
                );
            }
            for (parameter, value) in
                parameters.iter().filter(|(_, value)| is_ours(value) && value.contains("@sha256:"))
            {
                self.name(value, User::Stack { stack: name.clone(), parameter: parameter.clone() });
            }
            let cluster = environment_of(name).map(|environment| format!("leo-{environment}"));
            let is_seen = |running: &ImageUses| {
                cluster.as_ref().is_some_and(|cluster| running.clusters.contains(cluster))
            };
            if running.is_some_and(|running| !is_seen(running)) {
                self.blind(
                    format!(
                        "see what `{name}` runs: its cluster `{}` is not among the account's",
                        cluster.unwrap_or_default()
                    ),
                    "look at the stack's resources; destroy the environment where it is left over",
                );
            }
        }
    }

    fn of_records<'a>(
        &mut self,
        recorded: &Recorded,
        wanted: &Wanted<'_>,
        tags: impl Iterator<Item = &'a ImageTag>,
    ) {
        for (environment, history) in &recorded.releases {
            for unreadable in &history.unreadable {
                self.blind(
                    format!("read `{}` of `{}`: {}", unreadable.key, wanted.artifacts.bucket(), unreadable.reason),
                    "the bucket keeps every version: bring back the one that was right; or take away what is no record",
                );
            }
            let oldest = history.releases.iter().map(|release| release.number).min();
            self.oldest_kept.extend(oldest.map(|oldest| (environment.clone(), oldest)));
            for release in &history.releases {
                let by = User::Release { environment: environment.clone(), number: release.number };
                let images = release
                    .images
                    .iter()
                    .flat_map(|image| [&image.digest].into_iter().chain(&image.acceptable));
                for digest in images {
                    self.digest(digest, by.clone());
                }
            }
        }
        for name in wanted.forgotten.intersection(wanted.configured) {
            self.blind.push(
                Problem::new(
                    FailureKind::Usage,
                    format!("forget `{name}`: infra/leo.toml still has it here"),
                )
                .hint("take it out of infra/leo.toml first, and name another one with --environment"),
            );
        }
        for promotion in &recorded.promotions {
            for image in &promotion.images {
                self.digest(&image.digest, User::Promotion { environment: promotion.environment.clone() });
            }
        }
        self.oldest_kept.extend(wanted.forgotten.iter().map(|environment| (environment.clone(), u64::MAX)));
        let tagged: BTreeSet<&str> = tags.filter_map(|tag| Some(tag.release()?.0)).collect();
        for environment in
            tagged.into_iter().filter(|environment| !self.oldest_kept.contains_key(*environment))
        {
            self.blind.push(Problem::new(
                FailureKind::Failed,
                format!("see the releases of `{environment}`: images are tagged with them, and `{}` has no record of any", wanted.artifacts.bucket()),
            ).hint(format!(
                "bring the records back (the bucket keeps every version), or add `--forget {environment}` where that environment is gone for good"
            )));
        }
    }

    fn digest(&mut self, digest: &str, by: User) {
        match digest.parse() {
            Ok(digest) => self.uses.push(Use { image: Named::Digest(digest), by }),
            Err(error) => {
                self.blind(format!("{error}: {by}"), "bring back the version of that record that was right");
            }
        }
    }

    fn of_ecs(&mut self, running: ImageUses) {
        for used in running.uses {
            let by = match used.by {
                ImageUser::Service { cluster, service, definition } => {
                    User::Service { cluster, service, definition }
                }
                ImageUser::Task { cluster, definition, task } => User::Task { cluster, definition, task },
                ImageUser::Definition(definition) => User::Definition(definition),
            };
            // What was pulled may be of our registry under a name that is not.
            if let Some(Ok(digest)) = used.digest.map(|digest| digest.parse()) {
                self.uses.push(Use { image: Named::Digest(digest), by: by.clone() });
            }
            self.name(&used.image, by);
        }
    }

    fn environments(
        &mut self,
        stacks: &[(StandingStack, Parameters)],
        recorded: &Recorded,
        wanted: &Wanted<'_>,
    ) {
        let mut environments: BTreeMap<&str, SeenEnvironment> = BTreeMap::new();
        let promoted = recorded.promotions.iter().map(|promotion| &promotion.environment);
        for name in wanted.configured.iter().chain(promoted) {
            environments.entry(name).or_default();
        }
        for (stack, _) in stacks {
            if let Some(name) = environment_of(&stack.name) {
                environments.entry(name).or_default().platform = Some(stack.status.to_string());
            }
        }
        for (name, history) in &recorded.releases {
            let numbers = || history.releases.iter().map(|release| release.number);
            environments.entry(name).or_default().releases = numbers().min().zip(numbers().max());
        }
        self.environments = environments
            .into_iter()
            .map(|(name, environment)| SeenEnvironment { name: name.to_owned(), ..environment })
            .collect();
    }

    /// Refuses where anything could not be seen.
    pub(crate) fn refuse_blind(&self) -> Result<(), Problem> {
        let Some(kind) = self.blind.iter().map(|problem| problem.kind).max() else { return Ok(()) };
        let details = self.blind.iter().flat_map(|problem| {
            let said = format!("failed to {}", problem.message);
            let hint = problem.hint.iter().map(|hint| format!("  hint: {hint}"));
            [said].into_iter().chain(hint)
        });
        Err(Problem {
            details: details.collect(),
            ..Problem::new(kind, "see everything that uses the images of this registry; nothing was deleted")
        }
        .hint("an image that something unseen runs must not go: put each of these right, then run the same command again"))
    }
}

/// The platforms of the account and region, with their parameters.
async fn stacks(target: &Target) -> Result<Vec<(StandingStack, Parameters)>, Problem> {
    let engine = leo_deploy::Stacks::new(target.cloudformation.clone());
    let mut found = vec![];
    for stack in standing(&target.cloudformation, names::is_platform_stack).await? {
        // Nothing but a change set that nobody has executed.
        if stack.status.as_str() == "REVIEW_IN_PROGRESS" {
            continue;
        }
        // Gone since it was listed: it uses nothing.
        let Some(described) = engine.describe(&stack.name).await? else { continue };
        let stack = StandingStack { name: stack.name, status: described.status };
        found.push((stack, described.parameters));
    }
    Ok(found)
}

async fn recorded(wanted: &Wanted<'_>) -> Result<Recorded, Problem> {
    let mut recorded = Recorded { promotions: wanted.artifacts.promotions().await?, ..Recorded::default() };
    for environment in wanted.artifacts.environments().await? {
        if !wanted.forgotten.contains(&environment) {
            let history = kept(wanted.artifacts.releases(&environment, None).await?, wanted.keep);
            recorded.releases.insert(environment, history);
        }
    }
    Ok(recorded)
}

/// The newest releases with so many different sets of images: going back steps over those that differ in other things.
fn kept(history: History, keep: u32) -> History {
    let History { mut releases, mut unreadable, mut older } = history;
    releases.sort_by_key(|release| Reverse(release.number));
    let (all, mut sets) = (releases.len(), BTreeSet::new());
    releases.retain(|release| {
        let images = release.images.iter().map(|image| (image.container.clone(), image.digest.clone()));
        sets.insert(images.collect::<BTreeSet<_>>());
        sets.len() <= keep as usize
    });
    older += all - releases.len();
    let oldest = releases.last().map_or(0, |release| release.number);
    unreadable.retain(|record| record.number.is_none_or(|number| number >= oldest));
    History { releases, unreadable, older }
}

/// The environment whose platform a stack is.
fn environment_of(stack: &str) -> Option<&str> {
    stack.strip_prefix("leo-")?.strip_suffix("-platform")
}

/// Whether a text is about an image of one of our repositories, whatever the registry's host.
fn is_ours(text: &str) -> bool {
    text.split(['/', ':', '@'])
        .any(|part| part == names::ORCHESTRATOR_REPOSITORY || part == names::GENERATOR_REPOSITORY)
}

#[cfg(test)]
mod tests;
