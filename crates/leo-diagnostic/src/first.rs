use std::collections::{BTreeMap, BTreeSet};

use crate::{Diagnostic, Location};

/// So much is said of the lines of one file at most: nobody reads on after it, and one slip can make as many findings as a
/// file has lines.
pub const MOST_OF_A_FILE: usize = 50;

/// The findings, but of those about the lines of one file the first [`MOST_OF_A_FILE`] alone, errors before warnings. After
/// them comes one that says how many more there are and where; `more` makes it a finding like the others. What is about a
/// file as a whole stays.
pub fn first_of_each_file<T>(
    findings: Vec<T>,
    diagnostic: impl Fn(&T) -> &Diagnostic,
    more: impl Fn(Diagnostic) -> T,
) -> Vec<T> {
    let mut of_file: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        if let Some(at) = &diagnostic(finding).location {
            of_file.entry(&at.path).or_default().push(index);
        }
    }
    let mut left_out = BTreeSet::new();
    let mut after = BTreeMap::new();
    for (path, mut indices) in of_file {
        let Some(last) = indices.last().copied().filter(|_| indices.len() > MOST_OF_A_FILE) else { continue };
        let of = |index: &usize| findings.get(*index).map(&diagnostic);
        indices.sort_by_key(|index| of(index).map(|finding| finding.severity));
        let others = indices.split_off(MOST_OF_A_FILE);
        let errors = others.iter().filter_map(of).filter(|finding| finding.is_error()).count();
        let lines = others.iter().filter_map(of).filter_map(|finding| finding.location.as_ref());
        let line = lines.map(|at| at.line).min().unwrap_or(1);
        after.insert(last, how_many(path, line, errors, others.len() - errors));
        left_out.extend(others);
    }
    let mut first = Vec::with_capacity(findings.len() - left_out.len() + after.len());
    for (index, finding) in findings.into_iter().enumerate() {
        first.extend((!left_out.contains(&index)).then_some(finding));
        first.extend(after.remove(&index).map(&more));
    }
    first
}

fn how_many(path: &str, line: usize, errors: usize, warnings: usize) -> Diagnostic {
    let count = |number: usize, what: &str| match number {
        0 => None,
        1 => Some(format!("1 more {what}")),
        number => Some(format!("{number} more {what}s")),
    };
    let counts: Vec<String> =
        [count(errors, "error"), count(warnings, "warning")].into_iter().flatten().collect();
    let message = format!("{} about `{path}`", counts.join(" and "));
    let finding = if errors > 0 { Diagnostic::error(message) } else { Diagnostic::warning(message) };
    finding
        .at(Location::hidden(path, line, "<not shown>"))
        .hint("they are shown once those before them are put right")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(path: &str, line: usize, finding: Diagnostic) -> Diagnostic {
        finding.at(Location::hidden(path, line, "<not shown>"))
    }

    fn first(findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
        first_of_each_file(findings, |finding| finding, |more| more)
    }

    #[test]
    fn what_is_not_too_much_stays_as_it_is() {
        let mut findings: Vec<Diagnostic> =
            (1..=MOST_OF_A_FILE).map(|line| about("a", line, Diagnostic::error("x"))).collect();
        findings.push(about("b", 1, Diagnostic::warning("y")));
        findings.extend((0..2 * MOST_OF_A_FILE).map(|_| Diagnostic::error("about no line")));
        assert_eq!(first(findings.clone()), findings);
    }

    #[test]
    fn of_a_file_with_too_much_the_first_are_said_and_how_many_more_there_are() {
        let mut findings: Vec<Diagnostic> =
            (1..=60).map(|line| about("a", line, Diagnostic::warning("w"))).collect();
        findings.push(about("a", 70, Diagnostic::error("e")));
        findings.push(about("b", 1, Diagnostic::error("e")));
        let first = first(findings);
        assert_eq!(first.len(), MOST_OF_A_FILE + 2);
        let of_a: Vec<usize> = first
            .iter()
            .take(MOST_OF_A_FILE)
            .map(|finding| finding.location.as_ref().unwrap().line)
            .collect();
        let wanted: Vec<usize> = (1..=49).chain([70]).collect();
        assert_eq!(of_a, wanted, "the error is among them");
        let more = &first[MOST_OF_A_FILE];
        assert_eq!(more.message, "11 more warnings about `a`");
        assert_eq!((more.location.as_ref().unwrap().line, more.is_error()), (50, false));
        assert_eq!(first.last().unwrap().location.as_ref().unwrap().path, "b");
        assert_eq!(how_many("a", 1, 1, 2).message, "1 more error and 2 more warnings about `a`");
    }
}
