//! The releases of an environment in the bucket.

use crate::{
    artifacts::{Artifacts, template_sha256},
    error::ReleaseError,
    objects::{Condition, Written},
    release::{NewRelease, Release, ReleasedStack},
};
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use std::{collections::BTreeSet, num::NonZeroUsize, time::SystemTime};
use tokio::task::JoinSet;

/// How the key of every record begins.
const PREFIX: &str = "releases/";
/// How many numbers are tried that others take at the same moment.
const NUMBERS: u32 = 50;
/// How many records are read at once.
const AT_ONCE: usize = 16;

/// The releases of an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The releases, newest first.
    pub releases: Vec<Release>,
    /// Records among them that can't be read, newest first: they are left out, not passed over in silence.
    pub unreadable: Vec<Unreadable>,
    /// How many older records were not asked for.
    pub older: usize,
}

/// A record that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The object.
    pub key: String,
    /// Its number, where the key has one.
    pub number: Option<u64>,
    /// What is wrong with it.
    pub reason: String,
}

impl Artifacts {
    /// Records a release under the next number and keeps its templates. Two writers never share a number.
    ///
    /// If the newest release has the same contents, that one comes back and nothing is written: a deploy with nothing
    /// to change is no release. Whether a record is new shows in its operation.
    pub async fn record(&self, new: NewRelease) -> Result<Release, ReleaseError> {
        let task = || format!("record a release of `{}`", new.environment);
        let numbers = self.numbers(&new.environment).await?.0;
        let newest = numbers.last().copied();
        let mut release = unnumbered(&new);
        if let Some(number) = newest
            && let Some(last) = self.readable(&new.environment, number).await?
            && last.same_contents(&release, &[])
        {
            return Ok(last);
        }
        for stack in &new.stacks {
            self.stage(&stack.template).await?;
        }
        release.number = newest.unwrap_or_default();
        for _ in 0..NUMBERS {
            release.number += 1;
            let key = key(&new.environment, release.number);
            let written = self
                .objects
                .put(&key, &release.to_record(), Condition::Absent)
                .await
                .map_err(|source| self.objects.failed(task(), source))?;
            if matches!(written, Written::Done(_)) {
                return Ok(release);
            }
            // A write whose answer got lost, then repeated: what is there is this very release.
            if self.readable(&new.environment, release.number).await?.as_ref() == Some(&release) {
                return Ok(release);
            }
        }
        Err(ReleaseError::Contended { environment: new.environment, tries: NUMBERS })
    }

    /// The newest releases, at most `at_most` where it is given.
    pub async fn releases(
        &self,
        environment: &str,
        at_most: Option<NonZeroUsize>,
    ) -> Result<History, ReleaseError> {
        let (mut numbers, mut unreadable) = self.numbers(environment).await?;
        let older = at_most.map_or(0, |at_most| numbers.len().saturating_sub(at_most.get()));
        numbers.drain(..older);
        let mut reading = JoinSet::new();
        let mut waiting = numbers.into_iter().rev();
        let mut releases = vec![];
        loop {
            while reading.len() < AT_ONCE
                && let Some(number) = waiting.next()
            {
                let (artifacts, environment) = (self.clone(), environment.to_owned());
                reading.spawn(async move { (number, artifacts.release(&environment, number).await) });
            }
            match reading.join_next().await {
                None => break,
                Some(Ok((_, Ok(Some(release))))) => releases.push(release),
                // Deleted since it was listed.
                Some(Ok((_, Ok(None)))) => {}
                Some(Ok((number, Err(ReleaseError::Damaged { key, reason, .. })))) => {
                    unreadable.push(Unreadable { key, number: Some(number), reason });
                }
                Some(Ok((_, Err(error)))) => return Err(error),
                Some(Err(error)) => {
                    if let Ok(panic) = error.try_into_panic() {
                        std::panic::resume_unwind(panic);
                    }
                }
            }
        }
        releases.sort_by_key(|release| std::cmp::Reverse(release.number));
        unreadable.sort_by(|one, other| other.key.cmp(&one.key));
        Ok(History { releases, unreadable, older })
    }

    /// The environments that have a record of a release, readable or not: also those that were destroyed.
    pub async fn environments(&self) -> Result<BTreeSet<String>, ReleaseError> {
        let failed = |source| self.objects.failed("list the environments that have releases", source);
        let keys = self.objects.keys(PREFIX).await.map_err(failed)?;
        let names = keys.iter().filter_map(|key| key.strip_prefix(PREFIX)?.split_once('/'));
        Ok(names.map(|(environment, _)| environment.to_owned()).collect())
    }

    /// The release of this number; `None` if there is none.
    pub async fn release(&self, environment: &str, number: u64) -> Result<Option<Release>, ReleaseError> {
        let key = key(environment, number);
        let object = self.objects.get(&key).await.map_err(|source| {
            self.objects.failed(format!("read release {number} of `{environment}`"), source)
        })?;
        object
            .map(|object| Release::from_record(&object.body, environment, number))
            .transpose()
            .map_err(|reason| ReleaseError::Damaged { key, bucket: self.objects.bucket.clone(), reason })
    }

    /// The release of this number; `None` also where its record can't be read.
    async fn readable(&self, environment: &str, number: u64) -> Result<Option<Release>, ReleaseError> {
        match self.release(environment, number).await {
            Err(ReleaseError::Damaged { .. }) => Ok(None),
            read => read,
        }
    }

    /// The number of the newest record, readable or not: one call, to see whether another one was added.
    pub async fn newest(&self, environment: &str) -> Result<Option<u64>, ReleaseError> {
        Ok(self.numbers(environment).await?.0.last().copied())
    }

    /// The numbers that are taken, smallest first, and what else lies among the records.
    async fn numbers(&self, environment: &str) -> Result<(Vec<u64>, Vec<Unreadable>), ReleaseError> {
        let prefix = prefix(environment);
        let keys =
            self.objects.keys(&prefix).await.map_err(|source| {
                self.objects.failed(format!("list the releases of `{environment}`"), source)
            })?;
        let (mut numbers, mut strange) = (vec![], vec![]);
        for found in keys {
            let number: Option<u64> = found
                .strip_prefix(&prefix)
                .and_then(|name| name.strip_suffix(".json"))
                .and_then(|digits| digits.parse().ok());
            match number {
                Some(number) if key(environment, number) == found => numbers.push(number),
                _ => strange.push(Unreadable {
                    key: found,
                    number: None,
                    reason: "its name is not a release's number".to_owned(),
                }),
            }
        }
        numbers.sort_unstable();
        Ok((numbers, strange))
    }
}

fn prefix(environment: &str) -> String {
    format!("{PREFIX}{environment}/")
}

fn key(environment: &str, number: u64) -> String {
    format!("{}{number:08}.json", prefix(environment))
}

fn unnumbered(new: &NewRelease) -> Release {
    let stacks = new.stacks.iter().map(|stack| ReleasedStack {
        role: stack.role.clone(),
        name: stack.name.clone(),
        template_sha256: template_sha256(&stack.template),
        parameters: stack.parameters.clone(),
    });
    Release {
        number: 0,
        environment: new.environment.clone(),
        at: rfc3339(new.at),
        by: new.by.clone(),
        host: new.host.clone(),
        commit: new.commit.clone(),
        operation: new.operation.clone(),
        stacks: stacks.collect(),
        images: new.images.clone(),
        health_path: new.health_path.clone(),
        websocket_path: new.websocket_path.clone(),
        rollback_of: new.rollback_of,
    }
}

/// A time as RFC 3339 in UTC, to the second, as records write it: `2026-11-22T14:18:19Z`.
pub fn rfc3339(time: SystemTime) -> String {
    let seconds = DateTime::from_secs(DateTime::from(time).secs());
    // Only a year beyond 9999 has no such form.
    seconds.fmt(DateTimeFormat::DateTime).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_written_to_the_second() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_357_099_900);
        assert_eq!(rfc3339(time), "2026-11-22T14:18:19Z");
    }
}
