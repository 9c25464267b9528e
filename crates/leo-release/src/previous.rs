//! What a rollback goes to.

use crate::release::Release;

/// Where a rollback goes from what runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Previous<'a> {
    /// To this release.
    Release(&'a Release),
    /// Nowhere: no release is recorded at all.
    NothingRecorded,
    /// Nowhere: before what runs there was nothing else.
    NothingBefore,
}

/// What `rollback` goes to when nobody names a release: the newest one before `current` whose contents differ.
///
/// A release that is itself a rollback counts as the one that it brought back: before it comes what came before that.
/// So a second rollback goes further back, and never forth again to what was left for being bad. The way forth is to
/// name the release.
///
/// `releases` in any order; `current` is the number of the one that runs; `ignored` are the parameters that a rollback
/// takes from elsewhere ([`Release::same_contents`]).
pub fn previous_good<'a>(releases: &'a [Release], current: u64, ignored: &[&str]) -> Previous<'a> {
    if releases.is_empty() {
        return Previous::NothingRecorded;
    }
    let find = |number: u64| releases.iter().find(|release| release.number == number);
    let runs = find(current);
    let mut at = current;
    loop {
        // A record may say nonsense: each step has to lead back.
        while let Some(origin) =
            find(at).and_then(|release| release.rollback_of).filter(|origin| *origin < at)
        {
            at = origin;
        }
        let before =
            releases.iter().filter(|release| release.number < at).max_by_key(|release| release.number);
        let Some(before) = before else { return Previous::NothingBefore };
        if runs.is_none_or(|runs| !runs.same_contents(before, ignored)) {
            return Previous::Release(before);
        }
        at = before.number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// A history in one line: each release is its contents, `c=n` one that brought back release n.
    fn history(line: &str) -> Vec<Release> {
        (1..)
            .zip(line.split(' '))
            .map(|(number, word)| {
                let (contents, rollback_of) = match word.split_once('=') {
                    Some((contents, origin)) => (contents, Some(origin.parse().unwrap())),
                    None => (word, None),
                };
                release(number, contents, rollback_of)
            })
            .collect()
    }

    fn release(number: u64, contents: &str, rollback_of: Option<u64>) -> Release {
        Release {
            number,
            environment: "dev".to_owned(),
            at: "2026-11-22T14:00:00Z".to_owned(),
            by: "ada".to_owned(),
            host: "laptop".to_owned(),
            commit: None,
            operation: format!("operation {number}"),
            stacks: vec![crate::ReleasedStack {
                role: "platform".to_owned(),
                name: "leo-dev-platform".to_owned(),
                template_sha256: contents.to_owned(),
                parameters: BTreeMap::from([("SecretsRevision".to_owned(), number.to_string())]),
            }],
            images: vec![],
            health_path: "/health".to_owned(),
            websocket_path: None,
            rollback_of,
        }
    }

    #[test]
    fn a_rollback_goes_back_and_never_forth() {
        let table = [
            ("a", None),
            ("a b", Some(1)),
            ("a b c", Some(2)),
            // After a rollback from b to a there is nothing before a: not b again.
            ("a b a=1", None),
            // From c to b; then from that further back.
            ("a b c b=2", Some(1)),
            ("a b c b=2 a=1", None),
            // A new release after a rollback: back to what it replaced, and from there past the bad one.
            ("a b a=1 c", Some(3)),
            ("a b a=1 c a=3", None),
            ("a b c b=2 d", Some(4)),
            ("a b c b=2 d b=4", Some(1)),
            // Only the secrets changed in between: that is not another release to go back to.
            ("a b b", Some(1)),
            ("a b c b=2 b", Some(1)),
            // The bad c is not gone to, though it is the newest that differs.
            ("b c b=1 b", None),
            // Nonsense leads nowhere rather than round and round.
            ("a b=7 b=3", Some(1)),
        ];
        for (line, expected) in table {
            let mut releases = history(line);
            let current = releases.last().unwrap().number;
            for _ in 0..2 {
                let previous = previous_good(&releases, current, &["SecretsRevision"]);
                let number = match previous {
                    Previous::Release(release) => Some(release.number),
                    _ => None,
                };
                assert_eq!(number, expected, "{line}");
                releases.reverse();
            }
        }
        assert_eq!(previous_good(&[], 1, &[]), Previous::NothingRecorded);
    }

    #[test]
    fn a_record_that_is_missing_is_stepped_over() {
        let mut releases = history("a b c b=2");
        releases.remove(1);
        let Previous::Release(found) = previous_good(&releases, 4, &["SecretsRevision"]) else { panic!() };
        assert_eq!(found.number, 1);
        // What runs is not recorded: the newest that is.
        let Previous::Release(found) = previous_good(&releases, 5, &[]) else { panic!() };
        assert_eq!(found.number, 4);
    }
}
