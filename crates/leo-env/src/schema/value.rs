use std::fmt;

use leo_token::Shape;

use super::{KeySpec, Kind};
use crate::form::{self, Arn, NoRange};

/// Why a text is no value of a key. Neither part ever quotes the value: it may be a secret, or one in the wrong place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong, as a predicate that reads after the key's name: "is not an AWS region".
    pub what: String,
    /// What would be right.
    pub wanted: String,
}

impl fmt::Display for Malformed {
    /// What is wrong.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

fn malformed(what: impl Into<String>, wanted: impl Into<String>) -> Malformed {
    Malformed { what: what.into(), wanted: wanted.into() }
}

impl KeySpec {
    /// Whether a text can be the key's value: of its type, of one of its shapes, matching its pattern. An empty text is as
    /// good as none, so it is never malformed.
    pub fn check(&self, value: &str) -> Result<(), Malformed> {
        if value.is_empty() {
            return Ok(());
        }
        if value.contains('\0') {
            return Err(malformed("holds a NUL character", "text that a variable can hold"));
        }
        self.kind.check(value)?;
        self.check_shape(value)?;
        match &self.pattern {
            Some(pattern) if !pattern.matches(value) => {
                let wanted = match &self.example {
                    Some(example) => format!("like `{example}`: what matches `{}`", pattern.as_str()),
                    None => format!("what matches `{}`", pattern.as_str()),
                };
                Err(malformed("doesn't have the form that infra/env.toml asks for", wanted))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_shape(&self, value: &str) -> Result<(), Malformed> {
        if self.shapes.is_empty() || self.shapes.iter().any(|shape| shape.matches(value)) {
            return Ok(());
        }
        let all = |words: fn(Shape) -> &'static str, between| {
            self.shapes.iter().copied().map(words).collect::<Vec<_>>().join(between)
        };
        let shapes = all(Shape::what, " or ");
        let what = match leo_token::describe(value) {
            // What it is called may be what is wanted, where only its length is wrong.
            Some(found) if !shapes.contains(found) => format!("is {found}, not {shapes}"),
            Some(_) | None => format!("doesn't look like {shapes}"),
        };
        Err(malformed(what, all(Shape::wanted, "; or ")))
    }
}

impl Kind {
    /// Whether a text is a value of the type.
    pub fn check(&self, value: &str) -> Result<(), Malformed> {
        match self {
            Self::String => Ok(()),
            Self::Integer { min, max } => integer(value, *min, *max),
            Self::Bool if matches!(value, "true" | "false") => Ok(()),
            Self::Bool => Err(malformed("is neither `true` nor `false`", "`true` or `false`, in lower case")),
            Self::Url => url(value),
            Self::Region if form::is_region(value) => Ok(()),
            Self::Region => {
                let what = if form::is_zone(value) {
                    "is an availability zone, not a region"
                } else {
                    "is not an AWS region"
                };
                Err(malformed(what, "the region's code, in lower case: `us-east-1`, `eu-central-1`"))
            }
            Self::Arn { service } => arn(value, service.as_deref()),
            Self::Cidr => cidr(value),
            Self::HostName if form::is_host_name(value) => Ok(()),
            Self::HostName => {
                let what =
                    if value.contains("://") { "is a URL, not a host name" } else { "is not a host name" };
                Err(malformed(what, "a name in lower case, without a scheme or a path: `leo.example.com`"))
            }
            Self::AccountId if form::is_account_id(value) => Ok(()),
            Self::AccountId => Err(malformed(
                "is not an AWS account id",
                "twelve digits, without hyphens: `aws sts get-caller-identity` prints it",
            )),
            Self::Duration if duration(value).is_some() => Ok(()),
            Self::Duration => Err(malformed(
                "is not a time",
                "whole numbers with `d`, `h`, `m` or `s`, the largest first: `30s`, `5m`, `1h30m`",
            )),
            Self::Choice(choices) if choices.iter().any(|choice| choice == value) => Ok(()),
            Self::Choice(choices) => {
                let choices: Vec<String> = choices.iter().map(|choice| format!("`{choice}`")).collect();
                Err(malformed("is none of what it can be", choices.join(" or ")))
            }
        }
    }

    /// Its name in the schema.
    pub fn name(&self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer { .. } => "integer",
            Self::Bool => "bool",
            Self::Url => "url",
            Self::Region => "region",
            Self::Arn { .. } => "arn",
            Self::Cidr => "cidr",
            Self::HostName => "host-name",
            Self::AccountId => "account-id",
            Self::Duration => "duration",
            Self::Choice(_) => "choice",
        }
    }
}

impl fmt::Display for Kind {
    /// What its values are, in a few words: "a whole number from 1 to 5".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => f.write_str("text"),
            Self::Integer { min, max } => f.write_str(&whole_number(*min, *max)),
            Self::Bool => f.write_str("`true` or `false`"),
            Self::Url => f.write_str("a URL"),
            Self::Region => f.write_str("an AWS region"),
            Self::Arn { service: Some(service) } => write!(f, "an ARN of `{service}`"),
            Self::Arn { service: None } => f.write_str("an ARN"),
            Self::Cidr => f.write_str("a CIDR range"),
            Self::HostName => f.write_str("a host name"),
            Self::AccountId => f.write_str("an AWS account id"),
            Self::Duration => f.write_str("a time such as `5m`"),
            Self::Choice(choices) => {
                let choices: Vec<String> = choices.iter().map(|choice| format!("`{choice}`")).collect();
                f.write_str(&choices.join(" or "))
            }
        }
    }
}

fn whole_number(min: Option<i64>, max: Option<i64>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("a whole number from {min} to {max}"),
        (Some(min), None) => format!("a whole number of at least {min}"),
        (None, Some(max)) => format!("a whole number of at most {max}"),
        (None, None) => "a whole number".to_owned(),
    }
}

fn integer(value: &str, min: Option<i64>, max: Option<i64>) -> Result<(), Malformed> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed(
            "is not a whole number",
            format!("{}, in digits alone", whole_number(min, max)),
        ));
    }
    let within = value
        .parse::<i64>()
        .is_ok_and(|number| min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max));
    if within { Ok(()) } else { Err(malformed("is out of range", whole_number(min, max))) }
}

fn url(value: &str) -> Result<(), Malformed> {
    let wrong =
        |what: &str| Err(malformed(what, "a URL with its scheme and host: `https://project.example.com`"));
    if value.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return wrong("holds white space, which no URL does");
    }
    let Some((scheme, rest)) = value.split_once("://") else {
        return wrong(if form::is_host_name(value) {
            "is a host name without a scheme"
        } else {
            "is not a URL"
        });
    };
    let scheme_is_one = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, after)| after);
    if scheme_is_one && is_host_and_port(host_and_port) { Ok(()) } else { wrong("is not a URL") }
}

/// A name, an IPv4 address or an IPv6 address in brackets, perhaps with a port.
fn is_host_and_port(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, after)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("ipv6", after),
            Some(_) | None => return false,
        },
        None => match text.split_once(':') {
            Some((host, _)) => (host, text.strip_prefix(host).unwrap_or_default()),
            None => (text, ""),
        },
    };
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let port_is_one = port.is_empty()
        || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    host.split('.').all(label) && port_is_one
}

fn arn(value: &str, service: Option<&str>) -> Result<(), Malformed> {
    let wanted = match service {
        Some("acm") => {
            "copy it from Certificate Manager: arn:aws:acm:<region>:<account>:certificate/<id>".to_owned()
        }
        Some(service) => format!("arn:aws:{service}:<region>:<account>:<resource>"),
        None => "arn:aws:<service>:<region>:<account>:<resource>".to_owned(),
    };
    match Arn::parse(value) {
        None if value.starts_with("arn:") => Err(malformed("is an incomplete ARN", wanted)),
        None => Err(malformed("is not an ARN", wanted)),
        Some(arn) if service.is_some_and(|service| service != arn.service) => {
            let service = service.unwrap_or_default();
            Err(malformed(format!("is not an ARN of `{service}`"), wanted))
        }
        Some(arn) if !arn.is_complete() => {
            Err(malformed("is an ARN with a malformed region, account or resource", wanted))
        }
        Some(_) => Ok(()),
    }
}

fn cidr(value: &str) -> Result<(), Malformed> {
    let what = match form::check_cidr(value) {
        Ok(()) => return Ok(()),
        Err(NoRange::Form) => "is not a CIDR range",
        Err(NoRange::AddressAlone) => "is an address alone, not a range",
        Err(NoRange::AddressInside) => "is an address inside its range, not the range",
    };
    Err(malformed(what, "the range's first address and a prefix: `10.0.0.0/16`, `2001:db8::/32`"))
}

/// The seconds of a time like `1h30m`.
fn duration(value: &str) -> Option<u64> {
    let mut rest = value;
    let mut seconds = 0_u64;
    let mut largest = u64::MAX;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(end)?;
        let (unit, after) = after.split_at_checked(1)?;
        let unit = match unit {
            "d" => 86_400,
            "h" => 3_600,
            "m" => 60,
            "s" => 1,
            _ => return None,
        };
        if unit >= largest {
            return None;
        }
        largest = unit;
        seconds = seconds.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = after;
    }
    (largest != u64::MAX).then_some(seconds)
}
