//! Two messages that say the same of two tasks, made equal.

/// `text` without what differs from task to task: ids of tasks and requests, times, addresses, counts of attempts.
pub(crate) fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let inside = is_inside(first);
        let end = rest.find(|c| is_inside(c) != inside).unwrap_or(rest.len());
        let (token, tail) = rest.split_at(end);
        if inside {
            push(token, &mut out);
        } else {
            out.push_str(token);
        }
        rest = tail;
    }
    out
}

/// Characters of which ids, times and addresses are made.
fn is_inside(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_' | '+')
}

fn push(token: &str, out: &mut String) {
    let word = token.trim_end_matches(['.', ':', '-']);
    if is_time(word) {
        out.push_str("‹time›");
    } else if let Some(port) = after_address(word) {
        out.push_str("‹address›");
        out.push_str(port);
    } else if out.ends_with("retried ") && word.bytes().all(|byte| byte.is_ascii_digit()) {
        out.push_str("‹n›");
    } else {
        push_words(word, out);
    }
    out.push_str(token.get(word.len()..).unwrap_or_default());
}

fn push_words(token: &str, out: &mut String) {
    for word in token.split_inclusive([':', '.', '_']) {
        let (word, end) = match word.chars().last() {
            Some(last @ (':' | '.' | '_')) => (word.trim_end_matches(last), Some(last)),
            _ => (word, None),
        };
        if is_id(word, 12) {
            out.push_str("‹id›");
        } else {
            let parts = word.split('-').map(|part| if is_id(part, 8) { "‹id›" } else { part });
            out.push_str(&parts.collect::<Vec<_>>().join("-"));
        }
        out.extend(end);
    }
}

/// Hexadecimal digits or a UUID, and no word by chance.
fn is_id(word: &str, shortest: usize) -> bool {
    word.len() >= shortest
        && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        && word.bytes().any(|byte| byte.is_ascii_digit())
}

/// `2026-11-01T…` and `2026-11-01`.
fn is_time(word: &str) -> bool {
    let date = word.as_bytes().get(..10);
    date.is_some_and(|date| {
        date.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
    })
}

/// What follows an IPv4 address: nothing, or its port where that is a service's, not a connection's own.
fn after_address(word: &str) -> Option<&str> {
    let address = word.split(':').next()?;
    address.parse::<std::net::Ipv4Addr>().ok()?;
    let port = word.get(address.len()..)?;
    let of_service =
        port.strip_prefix(':').and_then(|port| port.parse::<u16>().ok()).is_some_and(|p| p < 32768);
    Some(if of_service { port } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tasks_that_failed_alike_read_alike() {
        let pairs = [
            (
                "(service leo) (task 0123456789abcdef0123456789abcdef) (port 8080) is unhealthy",
                "(service leo) (task fedcba98765432100123456789abcdef) (port 8080) is unhealthy",
            ),
            (
                "service call has been retried 1 time(s): dial tcp 10.0.3.17:443: i/o timeout",
                "service call has been retried 5 time(s): dial tcp 10.0.9.2:443: i/o timeout",
            ),
            (
                "AccessDeniedException: no status code: 400, request id: a87a66d9-f839-4353-b8c2-9984b1465695",
                "AccessDeniedException: no status code: 400, request id: b97a66d9-0839-4353-b8c2-9984b1465690",
            ),
            ("at 2026-11-22T14:50:07.123Z: eni-0abc123456789", "at 2026-11-22T14:51:00Z: eni-0fff123456789"),
            ("read tcp 10.0.1.5:51234->10.0.1.9:443.", "read tcp 10.0.1.6:49999->10.0.1.9:443."),
        ];
        for (one, other) in pairs {
            assert_eq!(normalise(one), normalise(other));
            assert_ne!(normalise(one), one);
        }
    }

    #[test]
    fn what_tells_causes_apart_stays() {
        for text in [
            "Essential container in task exited (exit code 1)",
            "Health checks failed with these codes: [404]",
            "Task failed ELB health checks in (target-group leo-target)",
            "failed to decade, a facade of feedback",
            "image Manifest does not contain descriptor matching platform 'linux/amd64'",
        ] {
            assert_eq!(normalise(text), text);
        }
        assert_eq!(
            normalise("…/leo-saas-app@sha256:5d41402abc4b2a76b9719d911017c592: not found"),
            "…/leo-saas-app@sha256:‹id›: not found"
        );
    }
}
