//! What a Dockerfile builds upon that can change without any file of ours changing.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

/// Something that a build takes from outside and that can be another thing tomorrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovingBase {
    /// As it is in the Dockerfile, with its variables filled in.
    pub reference: String,
    /// Its line in the Dockerfile, from 1.
    pub line: usize,
    /// How it is used.
    pub why: MovingReason,
}

/// Why something is moving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MovingReason {
    /// An image by its tag, not by its digest.
    Tag,
    /// A frontend (`# syntax=`) by its tag.
    Syntax,
    /// A download without a checksum.
    Download,
    /// A repository without a commit.
    Git,
    /// The Dockerfile is not understood here, so anything may be in it.
    Unknown,
}

impl Display for MovingReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tag => "an image without a digest",
            Self::Syntax => "a Dockerfile frontend without a digest",
            Self::Download => "a download without a checksum",
            Self::Git => "a git repository without a commit",
            Self::Unknown => "a Dockerfile that only its frontend understands",
        })
    }
}

/// What a Dockerfile says, as far as it matters here.
pub(crate) fn moving(
    text: &str,
    _arguments: &BTreeMap<String, String>,
    _named: impl Fn(&str) -> bool,
) -> Vec<MovingBase> {
    let Ok(parsed) = parse_dockerfile::parse(text) else {
        // BuildKit says what is wrong with it, or understands more than we do.
        return vec![MovingBase { reference: String::new(), line: 1, why: MovingReason::Unknown }];
    };
    let mut moving = Vec::new();
    let mut stages: Vec<String> = Vec::new();
    for stage in parsed.stages() {
        let image = stage.from.image.value.as_ref();
        let line = text.get(..stage.from.image.span.start).unwrap_or_default().matches('\n').count() + 1;
        if image != "scratch"
            && !stages.iter().any(|own| own.eq_ignore_ascii_case(image))
            && !image.contains('@')
        {
            moving.push(MovingBase { reference: image.to_owned(), line, why: MovingReason::Tag });
        }
        stages.extend(stage.from.as_.iter().map(|(_, name)| name.value.to_string()));
    }
    moving
}
