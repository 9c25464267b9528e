//! The tables that hold a setting or two.

use super::{item::Item, section::Section};
use crate::{Capacity, Cluster, Identity, LogRetention, Logs, Registry, Storage};

/// Ten years: nothing that expires is meant to be kept for longer.
const LONGEST_EXPIRY_DAYS: u32 = 3650;

pub(crate) fn registry(section: &Section<'_>) -> Registry {
    Registry {
        expire_after_days: section.number("expire_after_days", 14, 1..=LONGEST_EXPIRY_DAYS).value,
        // A rollback goes to other images than the newest's.
        keep_releases: section.number("keep_releases", 10, 2..=1000).value,
    }
}

pub(crate) fn storage(section: &Section<'_>) -> Storage {
    Storage {
        object_expiry_days: section.number("object_expiry_days", 30, 1..=LONGEST_EXPIRY_DAYS).value,
        incomplete_upload_days: section.number("incomplete_upload_days", 1, 1..=LONGEST_EXPIRY_DAYS).value,
    }
}

pub(crate) fn logs(section: &Section<'_>) -> Logs {
    let read = |item: &Item<'_>| item.checked(LogRetention::from_days(item.number(&(0..=u32::MAX))?));
    Logs { retention: section.or("retention_days", LogRetention::WEEK, read).value }
}

pub(crate) fn identity(section: &Section<'_>) -> Identity {
    Identity { permissions_boundary: section.optional("permissions_boundary", Item::parse).value }
}

pub(crate) fn cluster(section: &Section<'_>) -> Cluster {
    Cluster {
        default_capacity: section.or("default_capacity", Capacity::OnDemand, capacity).value,
        container_insights: section.flag("container_insights", false).value,
    }
}

/// Where Fargate takes a machine from.
pub(crate) fn capacity(item: &Item<'_>) -> Option<Capacity> {
    item.word(&[("on-demand", Capacity::OnDemand), ("spot", Capacity::Spot)])
}
