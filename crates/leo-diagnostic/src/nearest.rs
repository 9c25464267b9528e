/// The candidate that a misspelt word most likely meant, where one is near enough to be worth a hint.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let length = word.chars().count();
    // What has so many letters more or less can't be near, and need not be compared letter by letter.
    let may_be_near = |candidate: &&str| {
        let other = candidate.chars().count();
        5 * length.abs_diff(other) <= 2 * length.max(other)
    };
    candidates
        .into_iter()
        .filter(may_be_near)
        .map(|candidate| (strsim::normalized_damerau_levenshtein(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let keys = ["idle_timeout_seconds", "ingress_cidrs", "port"];
        assert_eq!(nearest("idle_timeout_second", keys), Some("idle_timeout_seconds"));
        assert_eq!(nearest("prot", keys), Some("port"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("port", []), None);
        // Two letters of five are as much as may be wrong, or missing.
        assert_eq!((nearest("port", ["p"]), nearest("ports", ["por"])), (None, Some("por")));
    }
}
