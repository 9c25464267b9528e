/// What a vertex of BuildKit's graph is, told by its name: it says so nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Vertex<'n> {
    /// A step of the Dockerfile: `[build 2/3] RUN make`.
    Step {
        /// The stage's name; `None` where the Dockerfile has one stage without a name.
        stage: Option<&'n str>,
        /// How many steps the stage has.
        of: u64,
        /// The instruction.
        text: &'n str,
    },
    /// What is sent of a folder.
    Context,
    /// A build cache that is read.
    CacheImport {
        /// Its reference.
        reference: &'n str,
    },
    /// The build cache that is written.
    CacheExport,
    /// The image is put together, and where the builder does that, pushed.
    Export,
    /// The engine pushes what the builder built.
    Push,
    /// What BuildKit does on its own behalf.
    Plumbing,
    /// Something else, like a download.
    Other,
}

impl<'n> Vertex<'n> {
    pub(super) fn of(name: &'n str) -> Self {
        if let Some(step) = step(name) {
            return step;
        }
        if let Some(reference) = name.strip_prefix("importing cache manifest from ") {
            return Self::CacheImport { reference };
        }
        if name == "[internal] load build context" || is_named_context(name) {
            Self::Context
        } else if name.is_empty() || name.starts_with('[') || name.starts_with("resolve image config for") {
            Self::Plumbing
        } else if name.starts_with("exporting cache") || name.starts_with("preparing inline") {
            Self::CacheExport
        } else if name.starts_with("exporting to") {
            Self::Export
        } else if name.starts_with("pushing ") {
            Self::Push
        } else {
            Self::Other
        }
    }
}

/// `[context binary] load from client`: a folder of `--build-context`.
fn is_named_context(name: &str) -> bool {
    name.strip_prefix("[context ")
        .and_then(|rest| rest.split_once("] "))
        .is_some_and(|(_, does)| does == "load from client")
}

/// `[linux/arm64 build 2/3] RUN make`; platform and stage may both be missing.
fn step(name: &str) -> Option<Vertex<'_>> {
    let (label, text) = name.strip_prefix('[')?.split_once("] ")?;
    let (before, count) = label.rsplit_once(' ').unwrap_or(("", label));
    let (number, of) = count.split_once('/')?;
    number.trim().parse::<u64>().ok()?;
    let of = of.parse().ok()?;
    // Steps of more than nine are aligned: `[build  2/10]`.
    let stage = before.trim().rsplit(' ').next().filter(|word| !word.is_empty() && !word.contains('/'));
    Some(Vertex::Step { stage, of, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_buildkit_gives_is_understood() {
        let step = |stage, of, text| Vertex::Step { stage, of, text };
        for (name, wanted) in [
            ("[2/3] COPY app /bin/sh", step(None, 3, "COPY app /bin/sh")),
            ("[build 2/3] RUN x", step(Some("build"), 3, "RUN x")),
            ("[build  2/12] RUN x", step(Some("build"), 12, "RUN x")),
            ("[stage-3 1/2] COPY --from=build /a] /b", step(Some("stage-3"), 2, "COPY --from=build /a] /b")),
            ("[linux/arm64 build 1/2] RUN x", step(Some("build"), 2, "RUN x")),
            ("[linux/arm64 1/2] RUN x", step(None, 2, "RUN x")),
            ("[linux/amd64->arm64 build 1/2] RUN x", step(Some("build"), 2, "RUN x")),
            ("[internal] load build context", Vertex::Context),
            ("[context binary] load from client", Vertex::Context),
            ("[context binary] load .dockerignore", Vertex::Plumbing),
            ("[internal] load metadata for docker.io/library/rust:1", Vertex::Plumbing),
            ("[auth] library/rust:pull token for registry-1.docker.io", Vertex::Plumbing),
            ("resolve image config for docker-image://docker.io/docker/dockerfile:1", Vertex::Plumbing),
            ("importing cache manifest from r/x:cache-a", Vertex::CacheImport { reference: "r/x:cache-a" }),
            ("exporting cache to registry", Vertex::CacheExport),
            ("exporting to image", Vertex::Export),
            ("pushing r/x:one with docker", Vertex::Push),
            ("https://example.com/archive.tar.gz", Vertex::Other),
            ("[", Vertex::Plumbing),
            ("", Vertex::Plumbing),
        ] {
            assert_eq!(Vertex::of(name), wanted, "{name}");
        }
    }
}
