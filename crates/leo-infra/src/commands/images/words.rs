//! Images in tables and documents.

use crate::registry::{Judged, Users};
use comfy_table::{Table, presets};
use leo_image::{ListedImage, retention::Verdict};
use serde_json::{Value as Json, json};
use std::time::{Duration, SystemTime};

/// A table without lines.
pub(super) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    table.add_rows(rows);
    let lines: Vec<String> = table.trim_fmt().lines().map(|line| line.trim().to_owned()).collect();
    lines.join("\n")
}

/// The tags of an image; `-` where it has none.
pub(super) fn tags(image: &ListedImage) -> String {
    /// As many as fit beside the rest; the document has all.
    const SHOWN: usize = 3;
    let shown: Vec<&str> = image.tags.iter().take(SHOWN).map(leo_image::ImageTag::as_str).collect();
    match image.tags.len().checked_sub(SHOWN) {
        None | Some(0) if shown.is_empty() => "-".to_owned(),
        None | Some(0) => shown.join(" "),
        Some(more) => format!("{} +{more}", shown.join(" ")),
    }
}

/// How long ago an image was pushed.
pub(super) fn age(image: &ListedImage, now: SystemTime) -> String {
    let Some(at) = image.pushed_at else { return "unknown".to_owned() };
    let age = now.duration_since(at).unwrap_or_default();
    let units = [("day", 86_400), ("hour", 3600), ("minute", 60)];
    let unit = units.into_iter().find(|(_, seconds)| age >= Duration::from_secs(*seconds));
    unit.map_or_else(|| "now".to_owned(), |(unit, seconds)| leo_data::count(age.as_secs() / seconds, unit))
}

/// Why an image stays or goes, a reason a line.
pub(super) fn reasons(verdict: &Verdict) -> Vec<String> {
    match verdict {
        Verdict::Stays(reasons) => reasons.iter().map(ToString::to_string).collect(),
        Verdict::Goes(reasons) => reasons.iter().map(ToString::to_string).collect(),
    }
}

/// An image as a document.
pub(super) fn image(judged: &Judged, image: &ListedImage) -> Json {
    let time = |time: Option<SystemTime>| time.map(crate::operation::rfc3339);
    let tags: Vec<&str> = image.tags.iter().map(leo_image::ImageTag::as_str).collect();
    let parts: Vec<&str> = image.children.iter().map(leo_image::ImageDigest::as_str).collect();
    let reason = |kind: &str, text: String| json!({"kind": kind, "text": text});
    let verdict = judged.verdicts.get(&image.digest);
    let reasons: Vec<Json> = match verdict {
        Some(Verdict::Stays(reasons)) => {
            reasons.iter().map(|one| reason(one.kind(), one.to_string())).collect()
        }
        Some(Verdict::Goes(reasons)) => {
            reasons.iter().map(|one| reason(one.kind(), one.to_string())).collect()
        }
        None => vec![],
    };
    json!({
        "image": judged.name.as_str(),
        "repository": judged.repository.name,
        "digest": image.digest.as_str(),
        "tags": tags,
        "pushed_at": time(image.pushed_at),
        "pulled_at": time(image.pulled_at),
        "bytes": image.bytes,
        "parts": parts,
        "stays": verdict.is_none_or(Verdict::stays),
        "reasons": reasons,
    })
}

/// The environments that use the registry, as a document.
pub(super) fn environments(users: &Users) -> Json {
    let environments = users.environments.iter().map(|environment| {
        json!({
            "name": environment.name,
            "platform": environment.platform,
            "oldest_release_kept": environment.releases.map(|(oldest, _)| oldest),
            "newest_release": environment.releases.map(|(_, newest)| newest),
        })
    });
    environments.collect()
}
