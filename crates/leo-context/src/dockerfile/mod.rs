//! What a Dockerfile builds upon that can change without any file of ours changing.

mod stages;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

use self::stages::{Base, Stages};
use self::words::Variables;
use crate::look::Request;

/// Something that a build takes from outside and that can be another thing tomorrow. What a `RUN` downloads is none:
/// nobody can know that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovingBase {
    /// As it stands in the Dockerfile, its variables filled in where their values are known.
    pub reference: String,
    /// Its line in the Dockerfile, from 1.
    pub line: usize,
    /// Why it is moving.
    pub why: MovingReason,
}

/// Why something is moving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MovingReason {
    /// An image by a tag, not by its digest.
    Tag,
    /// A Dockerfile frontend (`# syntax=`) by a tag.
    Syntax,
    /// A download without a checksum.
    Download,
    /// A git repository without a commit.
    Git,
    /// Something in a Dockerfile that only its frontend understands.
    Unknown,
}

impl Display for MovingReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tag => "an image without a digest",
            Self::Syntax => "a Dockerfile frontend without a digest",
            Self::Download => "a download without a checksum",
            Self::Git => "a git repository without a commit",
            Self::Unknown => "only its frontend understands it",
        })
    }
}

/// `debian:12 (line 3: an image without a digest)`.
impl Display for MovingBase {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {}: {})", self.reference, self.line, self.why)
    }
}

/// What is moving of all that the wanted stage needs, each thing once, in the Dockerfile's order. A Dockerfile that is
/// not understood is moving as a whole: what is wrong with it is for BuildKit to say, which may understand it.
pub(crate) fn moving(text: &str, request: &Request<'_>) -> Vec<MovingBase> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let unknown =
        || MovingBase { reference: "the Dockerfile".to_owned(), line: 1, why: MovingReason::Unknown };
    let Ok(parsed) = parse_dockerfile::parse(text) else { return vec![unknown()] };
    let line = |place: usize| text.get(..place).unwrap_or_default().matches('\n').count() + 1;

    let mut moving = Vec::new();
    let directive = parsed.parser_directives.syntax.as_ref();
    let syntax = match request.build_args.get("BUILDKIT_SYNTAX") {
        Some(reference) => Some((reference.as_str(), 1)),
        None => directive.map(|syntax| (syntax.value.value, line(syntax.value.span.start))),
    };
    if let Some((reference, line)) = syntax.filter(|(reference, _)| !is_pinned(reference)) {
        moving.push(MovingBase { reference: reference.to_owned(), line, why: MovingReason::Syntax });
    }

    let globals = globals(&parsed, request);
    let stages = Stages::read(&parsed, &globals, request);
    let mut seen = BTreeSet::new();
    for stage in stages.needed(request.target) {
        for base in &stage.bases {
            let (reference, why) = match base {
                Base::Image { reference, .. } if !is_pinned(reference) => (reference, MovingReason::Tag),
                Base::Download { url, .. } => (url, MovingReason::Download),
                Base::Git { url, .. } => (url, MovingReason::Git),
                Base::Image { .. } => continue,
            };
            if seen.insert((reference.clone(), why)) {
                moving.push(MovingBase { reference: reference.clone(), line: line(base.place()), why });
            }
        }
    }
    moving
}

/// Whether an image is named by what it is, not by a name that can be given to another.
fn is_pinned(reference: &str) -> bool {
    let digest = reference.rsplit_once("@sha256:").map(|(_, digest)| digest);
    digest.is_some_and(|digest| digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The arguments before the first stage, and those that BuildKit sets.
fn globals(parsed: &parse_dockerfile::Dockerfile<'_>, request: &Request<'_>) -> Variables {
    let mut variables = Variables::default();
    for (prefix, platform) in [("TARGET", request.platform), ("BUILD", own_platform())] {
        let mut parts = platform.splitn(3, '/');
        variables.set(format!("{prefix}PLATFORM"), platform.to_owned());
        for part in ["OS", "ARCH", "VARIANT"] {
            variables.set(format!("{prefix}{part}"), parts.next().unwrap_or_default().to_owned());
        }
    }
    for argument in parsed.global_args() {
        variables.declare(&argument.arguments.value, request.build_args, &BTreeMap::new());
    }
    variables
}

/// The platform that BuildKit most probably runs on. It decides nothing but what a `$BUILD…` in a name becomes.
fn own_platform() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "linux/arm64",
        _ => "linux/amd64",
    }
}

#[cfg(test)]
mod tests;
