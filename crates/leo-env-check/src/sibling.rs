//! The sibling repositories that images are built from.

use std::path::{Path, PathBuf};

use leo_config::{ImageSource, Outline};
use leo_context::{Glance, glance};

use crate::{
    Request,
    git::{self, Head, Tracking},
};

/// A sibling repository as it is found.
#[derive(Debug)]
pub(crate) struct SiblingFacts {
    /// Which image is built from it.
    pub(crate) image: &'static str,
    /// Its build context as it is configured.
    pub(crate) context: PathBuf,
    /// Whether the context is a folder.
    pub(crate) there: bool,
    /// `None`: it is in no git repository.
    pub(crate) head: Option<Head>,
    /// The branch that is asked for.
    pub(crate) branch: Option<String>,
    /// What a build would see that looks like a secret.
    pub(crate) leaks: Vec<SeenSecret>,
    /// Why that can't be said, and what to do.
    pub(crate) unreadable: Option<(String, Option<String>)>,
}

/// A secret that a build would see.
#[derive(Debug)]
pub(crate) struct SeenSecret {
    /// The file, from this repository's root.
    pub(crate) path: PathBuf,
    /// What it is.
    pub(crate) what: String,
    /// The list that would keep it out, from this repository's root, and the line for it.
    pub(crate) ignore: Option<(PathBuf, String)>,
}

/// Each image's sibling.
pub(crate) fn look(request: &Request<'_>, outline: &Outline) -> Vec<SiblingFacts> {
    images(outline).map(|(image, source)| sibling(request, image, source)).collect()
}

/// The environment files of siblings that are further sources of secrets, each once.
pub(crate) fn env_files(outline: &Outline) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for path in images(outline).filter_map(|(_, source)| source.env_file.clone()) {
        if !files.contains(&path) {
            files.push(path);
        }
    }
    files
}

/// What the sibling's own git says of a file of it.
pub(crate) fn tracking(file: &Path) -> Option<Tracking> {
    let (folder, name) = (file.parent()?, file.file_name()?.to_str()?);
    git::ask(folder, name).answer().of(name)
}

fn images(outline: &Outline) -> impl Iterator<Item = (&'static str, &ImageSource)> {
    [("orchestrator", &outline.images.orchestrator), ("generator", &outline.images.generator)].into_iter()
}

fn sibling(request: &Request<'_>, image: &'static str, source: &ImageSource) -> SiblingFacts {
    let place = request.root.join(&source.context);
    let there = place.is_dir();
    let mut facts = SiblingFacts {
        image,
        context: source.context.clone(),
        there,
        head: if there { git::head(&place) } else { None },
        branch: source.branch.clone(),
        leaks: Vec::new(),
        unreadable: None,
    };
    if !there {
        return facts;
    }
    let seen = glance(&Glance {
        context: &place,
        dockerfile: &place.join(&source.dockerfile),
        allowed: &source.allow_in_context,
        own_root: Some(request.root),
        home: request.home.as_deref(),
    });
    match seen {
        Ok(leaks) => {
            let real = place.canonicalize().unwrap_or(place);
            let shown = |list: &Path| match list.strip_prefix(&real) {
                Ok(inside) => source.context.join(inside),
                Err(_) => list.to_owned(),
            };
            facts.leaks = leaks
                .into_iter()
                .map(|leak| SeenSecret {
                    path: source.context.join(&leak.path),
                    what: leak.what.to_string(),
                    ignore: leak.ignore.map(|ignore| (shown(&ignore.file), ignore.line)),
                })
                .collect();
        }
        Err(error) => facts.unreadable = Some((error.to_string(), error.hint())),
    }
    facts
}
