//! The stages of a Dockerfile, what each takes from outside, and which of them a build needs.

use std::collections::BTreeSet;

use parse_dockerfile::{AddInstruction, Dockerfile, Flag, Instruction, Source};

use super::words::Variables;
use crate::look::Request;

/// A stage.
#[derive(Debug)]
pub(super) struct Stage {
    /// Its name, in lower case.
    name: Option<String>,
    /// Earlier stages that it takes from.
    uses: BTreeSet<usize>,
    /// What it takes from outside.
    pub(super) bases: Vec<Base>,
}

/// Something from outside. `place` is where it stands in the text.
#[derive(Debug)]
pub(super) enum Base {
    /// An image.
    Image { reference: String, place: usize },
    /// A file without a checksum.
    Download { url: String, place: usize },
    /// A repository without a commit.
    Git { url: String, place: usize },
}

impl Base {
    pub(super) fn place(&self) -> usize {
        match self {
            Self::Image { place, .. } | Self::Download { place, .. } | Self::Git { place, .. } => *place,
        }
    }
}

/// All stages of a Dockerfile, in its order.
#[derive(Debug)]
pub(super) struct Stages(Vec<Stage>);

impl Stages {
    pub(super) fn read(parsed: &Dockerfile<'_>, globals: &Variables, request: &Request<'_>) -> Self {
        let mut stages = Self(Vec::new());
        for stage in parsed.stages() {
            let name = stage.from.as_.as_ref().map(|(_, name)| name.value.to_ascii_lowercase());
            let mut own = Stage { name, uses: BTreeSet::new(), bases: Vec::new() };
            let image = &stage.from.image;
            let reference = globals.fill(&image.value).unwrap_or_else(|| image.value.to_string());
            stages.take(&mut own, reference, false, image.span.start, request);

            let mut variables = Variables::default();
            for instruction in stage.instructions {
                match instruction {
                    Instruction::Arg(argument) => {
                        variables.declare(&argument.arguments.value, request.build_args, globals.all());
                    }
                    Instruction::Env(environment) => variables.environment(&environment.arguments.value),
                    Instruction::Copy(copy) => {
                        for (from, place) in options(&copy.options, "from") {
                            stages.take(&mut own, from.to_owned(), true, place, request);
                        }
                    }
                    Instruction::Run(run) => {
                        for (mount, place) in options(&run.options, "mount") {
                            let parts = mount.split(',').filter_map(|part| part.trim().split_once('='));
                            for (_, from) in parts.filter(|(key, _)| key.eq_ignore_ascii_case("from")) {
                                stages.take(
                                    &mut own,
                                    from.trim_matches('"').to_owned(),
                                    true,
                                    place,
                                    request,
                                );
                            }
                        }
                    }
                    Instruction::Add(add) => own.bases.extend(downloads(add, &variables)),
                    _ => {}
                }
            }
            stages.0.push(own);
        }
        stages
    }

    /// Notes what a stage takes from: a folder of ours, an earlier stage, nothing, or an image.
    fn take(
        &self,
        stage: &mut Stage,
        reference: String,
        by_number: bool,
        place: usize,
        request: &Request<'_>,
    ) {
        let lower = reference.to_ascii_lowercase();
        let named =
            |name: &&String| familiar(name) == familiar(&reference) || name.to_ascii_lowercase() == lower;
        if request.named.keys().any(|name| named(&name)) || lower == "scratch" && !by_number {
            return;
        }
        let number = reference.parse().ok().filter(|&number: &usize| by_number && number < self.0.len());
        let by_name = || self.0.iter().rposition(|own| own.name.as_deref() == Some(&lower));
        match number.or_else(by_name) {
            Some(number) => {
                stage.uses.insert(number);
            }
            None => stage.bases.push(Base::Image { reference, place }),
        }
    }

    /// The wanted stage and all that it takes from, in the Dockerfile's order; all, where there is no such stage.
    pub(super) fn needed(&self, target: Option<&str>) -> impl Iterator<Item = &Stage> {
        let wanted = match target.map(str::to_ascii_lowercase) {
            None => self.0.len().checked_sub(1),
            Some(target) => {
                let by_name = self.0.iter().rposition(|stage| stage.name.as_ref() == Some(&target));
                by_name.or_else(|| target.parse().ok().filter(|&number| number < self.0.len()))
            }
        };
        let mut needed: BTreeSet<usize> = wanted.into_iter().collect();
        // A stage takes from earlier ones alone.
        for (number, stage) in self.0.iter().enumerate().rev() {
            if needed.contains(&number) {
                needed.extend(&stage.uses);
            }
        }
        let all = wanted.is_none();
        let stages = self.0.iter().enumerate();
        stages.filter(move |(number, _)| all || needed.contains(number)).map(|(_, stage)| stage)
    }
}

/// An image's name without what Docker adds when it is left out.
fn familiar(reference: &str) -> &str {
    let reference = reference.strip_prefix("docker.io/").unwrap_or(reference);
    let reference = reference.strip_prefix("library/").unwrap_or(reference);
    reference.strip_suffix(":latest").unwrap_or(reference)
}

/// The values of an option, and where each stands.
fn options<'a>(options: &'a [Flag<'_>], name: &str) -> impl Iterator<Item = (&'a str, usize)> {
    let own = options.iter().filter(move |option| option.name.value.eq_ignore_ascii_case(name));
    own.filter_map(|option| option.value.as_ref()).map(|value| (value.value.as_ref(), value.span.start))
}

/// What an `ADD` fetches that is not pinned.
fn downloads(add: &AddInstruction<'_>, variables: &Variables) -> Vec<Base> {
    let has_checksum = options(&add.options, "checksum").next().is_some();
    let mut bases = Vec::new();
    for source in &add.src {
        let Source::Path(path) = source else { continue };
        let place = path.span.start;
        let url = variables.fill(&path.value).unwrap_or_else(|| path.value.to_string());
        if is_git(&url) {
            if !has_checksum && !has_commit(&url) {
                bases.push(Base::Git { url, place });
            }
        } else if !has_checksum && (is_http(&url) || url.starts_with('$')) {
            bases.push(Base::Download { url, place });
        }
    }
    bases
}

fn is_http(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

fn is_git(url: &str) -> bool {
    let place = url.split(['#', '?']).next().unwrap_or_default();
    url.starts_with("git://")
        || url.starts_with("ssh://")
        || url.starts_with("git@")
        || is_http(url) && place.strip_suffix(".git").is_some()
}

/// `…#<40 hex digits>`, perhaps with a folder after it.
fn has_commit(url: &str) -> bool {
    let fragment = url.split_once('#').map(|(_, fragment)| fragment.split(':').next().unwrap_or_default());
    let by_query =
        url.split_once("checksum=").or_else(|| url.split_once("commit=")).map(|(_, commit)| commit);
    let is_commit =
        |commit: &str| commit.len() >= 40 && commit.bytes().take(40).all(|byte| byte.is_ascii_hexdigit());
    fragment.is_some_and(is_commit) || by_query.is_some_and(is_commit)
}
