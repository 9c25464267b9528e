use std::fmt;

use leo_env::form;

use crate::{InvalidValue, text::text};

text! {
    /// An AWS region (`us-east-1`), checked for its form: new regions need no new release.
    Region, check_region
}

text! {
    /// An AWS account: twelve digits.
    AccountId, check_account
}

text! {
    /// A domain name under which the orchestrator answers (`leo.example.com`): lower case, at least two labels.
    DomainName, check_domain
}

text! {
    /// The id of a Route 53 hosted zone (`Z0123456789ABCDEFGHIJ`).
    HostedZoneId, check_zone
}

/// A letter's availability zone in a region (`us-east-1a`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AvailabilityZone(String);

impl AvailabilityZone {
    /// The zone that AWS calls `<region><letter>` in this account.
    pub fn new(region: &Region, letter: char) -> Self {
        Self(format!("{region}{letter}"))
    }

    /// The name of the zone.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AvailabilityZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_region(text: &str) -> Result<(), InvalidValue> {
    if form::is_region(text) {
        return Ok(());
    }
    let error = InvalidValue::new(
        "is not an AWS region",
        "the region's code, in lower case: `us-east-1`, `eu-central-1`",
    );
    Err(if form::is_zone(text) { error.found("an availability zone") } else { error })
}

fn check_account(text: &str) -> Result<(), InvalidValue> {
    if form::is_account_id(text) {
        return Ok(());
    }
    Err(InvalidValue::new(
        "is not an AWS account id",
        "twelve digits, without hyphens: `aws sts get-caller-identity` prints it",
    ))
}

fn check_domain(text: &str) -> Result<(), InvalidValue> {
    if form::is_host_name(text) {
        return Ok(());
    }
    let error = InvalidValue::new(
        "is not a domain name",
        "a host name in lower case, without a scheme or a path: `leo.example.com`",
    );
    Err(if text.contains("://") { error.found("a URL") } else { error })
}

fn check_zone(text: &str) -> Result<(), InvalidValue> {
    let good = (2..=32).contains(&text.len())
        && text.starts_with('Z')
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if good {
        return Ok(());
    }
    let error = InvalidValue::new(
        "is not a hosted zone id",
        "`Z` and capital letters and digits, as the Route 53 console shows it: `Z0123456789ABCDEFGHIJ`",
    );
    Err(if text.starts_with("/hostedzone/") { error.found("a path that ends in the id") } else { error })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<T: std::str::FromStr>(texts: &[&str]) -> Vec<bool> {
        texts.iter().map(|text| text.parse::<T>().is_ok()).collect()
    }

    #[test]
    fn regions() {
        let good = [
            "us-east-1",
            "ap-southeast-7",
            "us-gov-west-1",
            "us-isob-east-1",
            "eusc-de-east-1",
            "mx-central-1",
        ];
        assert_eq!(all::<Region>(&good), [true; 6]);
        let bad = [
            "",
            "us-east",
            "us-east-",
            "us-east-1a",
            "US-EAST-1",
            "useast1",
            "us--east-1",
            "us-east-0",
            "us-east-12",
            "ü-b-1",
        ];
        assert_eq!(all::<Region>(&bad), [false; 10]);
        assert_eq!(Region::parse("us-east-1b").unwrap_err().found_instead(), Some("an availability zone"));
    }

    #[test]
    fn accounts_domains_and_zones() {
        assert_eq!(all::<AccountId>(&["123456789012", "000000000000"]), [true; 2]);
        assert_eq!(
            all::<AccountId>(&["", "12345678901", "1234567890123", "1234-5678-901", "१२३४५६७८९०१२"]),
            [false; 5]
        );
        assert_eq!(
            all::<DomainName>(&["leo.example.com", "a.b", "xn--bcher-kva.example", "1.example"]),
            [true; 4]
        );
        let bad = [
            "",
            "localhost",
            ".example.com",
            "a..b",
            "-a.example",
            "Leo.example.com",
            "10.0.0.1",
            "a.example/",
            "*.example.com",
        ];
        assert_eq!(all::<DomainName>(&bad), [false; 9]);
        assert_eq!(all::<HostedZoneId>(&["Z1", "Z0123456789ABCDEFGHIJ"]), [true; 2]);
        assert_eq!(all::<HostedZoneId>(&["", "Z", "z1", "Z1a", "/hostedzone/Z1"]), [false; 5]);
    }
}
