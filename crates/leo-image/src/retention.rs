//! Which images stay and which may go: the decision alone, from what was seen.
//!
//! A digest is the same image under whatever name it is asked for, so one that is named anywhere stays, however its
//! registry is spelt. Whatever is not known keeps an image.

mod reason;
mod reference;

pub use reason::{Goes, Stays, User};
pub use reference::{Named, ReferenceError};

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use crate::{ImageDigest, ListedImage};

/// For how long an image stays after it was pushed, where nothing else is said: the deploy that it was built for may be
/// still to come.
pub const FRESH: Duration = Duration::from_hours(24);

/// Something that uses an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The image.
    pub image: Named,
    /// Who uses it.
    pub by: User,
}

/// What is decided about one repository.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its name.
    pub repository: &'a str,
    /// All images in it.
    pub images: &'a [ListedImage],
    /// All uses of any image, of other repositories too.
    pub uses: &'a [Use],
    /// Of each environment the number of the oldest release whose images are kept.
    pub oldest_kept: &'a BTreeMap<String, u64>,
    /// What time it is.
    pub now: SystemTime,
    /// For how long an image stays after it was pushed.
    pub fresh: Duration,
}

/// Whether an image stays, with every reason; neither list is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stays.
    Stays(BTreeSet<Stays>),
    /// It may go.
    Goes(BTreeSet<Goes>),
}

impl Verdict {
    /// Whether it stays.
    pub fn stays(&self) -> bool {
        matches!(self, Self::Stays(_))
    }
}

/// Decides about every image of a repository.
pub fn judge(subject: &Subject<'_>) -> BTreeMap<ImageDigest, Verdict> {
    let mut stays: BTreeMap<&ImageDigest, BTreeSet<Stays>> = BTreeMap::new();
    for image in subject.images {
        let reasons = own_reasons(subject, image);
        if !reasons.is_empty() {
            stays.insert(&image.digest, reasons);
        }
    }
    keep_wholes(subject.images, &mut stays);
    keep_parts(subject.images, &mut stays);
    subject
        .images
        .iter()
        .map(|image| {
            let verdict = match stays.remove(&image.digest) {
                Some(reasons) => Verdict::Stays(reasons),
                None => Verdict::Goes(why_it_goes(subject, image)),
            };
            (image.digest.clone(), verdict)
        })
        .collect()
}

/// The order in which images go: each group after the one before. ECR deletes nothing that an index which is there is
/// made of, so an index goes before its parts.
pub fn groups<'a>(images: &'a [ListedImage], going: &BTreeSet<ImageDigest>) -> Vec<Vec<&'a ListedImage>> {
    let mut left: Vec<&ListedImage> = images.iter().filter(|image| going.contains(&image.digest)).collect();
    let mut groups = vec![];
    while !left.is_empty() {
        let parts: BTreeSet<&ImageDigest> = left.iter().flat_map(|image| &image.children).collect();
        let (mut later, mut now): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|image| parts.contains(&image.digest));
        if now.is_empty() {
            // Indexes that are made of each other: no hash allows that.
            now = std::mem::take(&mut later);
        }
        groups.push(now);
        left = later;
    }
    groups
}

fn own_reasons(subject: &Subject<'_>, image: &ListedImage) -> BTreeSet<Stays> {
    let is_it = |named: &Named| match named {
        Named::Digest(digest) => *digest == image.digest,
        Named::Tag { repository, tag } => repository == subject.repository && image.tags.contains(tag),
    };
    let uses = subject.uses.iter().filter(|used| is_it(&used.image)).map(|used| Stays::Used(used.by.clone()));
    let tags = image.tags.iter().filter_map(|tag| match tag.release() {
        Some((environment, number)) => {
            let kept = subject.oldest_kept.get(environment).is_none_or(|oldest| number >= *oldest);
            kept.then(|| Stays::Tagged(tag.clone()))
        }
        None if tag.is_keep() => Some(Stays::Tagged(tag.clone())),
        None if tag.is_cache() => Some(Stays::Cache(tag.clone())),
        None => None,
    });
    let age = match image.pushed_at {
        None => Some(Stays::AgeUnknown),
        // Pushed later than now: the clocks differ, and it is new.
        Some(at) => {
            let age = subject.now.duration_since(at).unwrap_or_default();
            (age < subject.fresh).then_some(Stays::Fresh(subject.fresh))
        }
    };
    uses.chain(tags).chain(age).collect()
}

/// A task may say of an index only which part of it runs. What it would be started from again is the index, so that stays,
/// unless the same user names another index with that part.
fn keep_wholes<'a>(images: &'a [ListedImage], stays: &mut BTreeMap<&'a ImageDigest, BTreeSet<Stays>>) {
    let holders = |part: &ImageDigest| {
        let part = part.clone();
        images.iter().filter(move |image| image.children.contains(&part))
    };
    let mut wanted: Vec<&ImageDigest> = vec![];
    for image in images {
        let used = |reason: &&Stays| matches!(reason, Stays::Used(_));
        let is_named = |user: &Stays| {
            holders(&image.digest).any(|index| stays.get(&index.digest).is_some_and(|own| own.contains(user)))
        };
        let users = stays.get(&image.digest).into_iter().flatten().filter(used);
        if users.into_iter().any(|user| !is_named(user)) {
            wanted.push(&image.digest);
        }
    }
    while let Some(part) = wanted.pop() {
        for index in holders(part) {
            if stays.entry(&index.digest).or_default().insert(Stays::Holds(part.clone())) {
                wanted.push(&index.digest);
            }
        }
    }
}

/// The parts of whatever stays, and what describes it, stay with it.
fn keep_parts<'a>(images: &'a [ListedImage], stays: &mut BTreeMap<&'a ImageDigest, BTreeSet<Stays>>) {
    loop {
        let mut changed = false;
        for image in images {
            if stays.contains_key(&image.digest) {
                for part in &image.children {
                    changed |= stays.entry(part).or_default().insert(Stays::PartOf(image.digest.clone()));
                }
            }
            if let Some(described) = &image.subject
                && stays.contains_key(described)
            {
                let reason = Stays::Describes(described.clone());
                changed |= stays.entry(&image.digest).or_default().insert(reason);
            }
        }
        if !changed {
            return;
        }
    }
}

fn why_it_goes(subject: &Subject<'_>, image: &ListedImage) -> BTreeSet<Goes> {
    let mut reasons = BTreeSet::new();
    for (environment, number) in image.tags.iter().filter_map(crate::ImageTag::release) {
        reasons.insert(Goes::OldRelease { environment: environment.to_owned(), number });
    }
    for index in subject.images.iter().filter(|index| index.children.contains(&image.digest)) {
        reasons.insert(Goes::PartOf(index.digest.clone()));
    }
    if let Some(described) = &image.subject {
        reasons.insert(Goes::Describes(described.clone()));
    }
    if reasons.is_empty() {
        reasons.insert(Goes::Unused);
    }
    reasons
}

#[cfg(test)]
mod tests;
