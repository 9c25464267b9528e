//! The forms that names and places of AWS have, as far as a text alone can show it.

use std::net::IpAddr;

/// The longest region name accepted; the longest today have 14 characters. It bounds the names of buckets.
pub const REGION_LENGTH: usize = 20;

/// The longest provider name; Secrets Manager allows 512 characters for the whole `leo/<environment>/<provider>`.
pub const PROVIDER_LENGTH: usize = 32;

/// Whether a text is a region's code (`us-east-1`). New regions need no new release.
pub fn is_region(text: &str) -> bool {
    let word = |word: &&str| word.len() >= 2 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    text.len() <= REGION_LENGTH
        && words.len() >= 2
        && words.iter().all(word)
        && matches!(number.as_bytes(), [b'1'..=b'9'])
}

/// Whether a text is the name of an availability zone (`us-east-1a`).
pub fn is_zone(text: &str) -> bool {
    text.strip_suffix(|last: char| last.is_ascii_lowercase()).is_some_and(is_region)
}

/// Whether a text is an account's id: twelve digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is a host's name as DNS has it (`leo.example.com`): lower case, at least two labels, no address.
pub fn is_host_name(text: &str) -> bool {
    let label = |label: &&str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let labels: Vec<&str> = text.split('.').collect();
    let numeric = labels.last().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() <= 253 && labels.len() >= 2 && labels.iter().all(label) && !numeric
}

/// The parts of an ARN whose partition has the form of one (`aws`, `aws-cn`, `aws-us-gov`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// The service's short name: `acm`.
    pub service: &'a str,
    /// The region; empty for what is in none.
    pub region: &'a str,
    /// The account; empty, or `aws`, for what is in none.
    pub account: &'a str,
    /// What it is, in the service's own form: `certificate/<id>`.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// The parts of an ARN; `None`: the text is none.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut fields = text.splitn(6, ':');
        let (prefix, partition) = (fields.next()?, fields.next()?);
        let named = partition == "aws"
            || partition.strip_prefix("aws-").is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            });
        if prefix != "arn" || !named {
            return None;
        }
        Some(Self {
            service: fields.next()?,
            region: fields.next()?,
            account: fields.next()?,
            resource: fields.next()?,
        })
    }

    /// Whether its parts can be the parts of one: a service, a region and an account where there are any, a resource.
    pub fn is_complete(&self) -> bool {
        let graphic = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_service(self.service)
            && (self.region.is_empty() || is_region(self.region))
            && (matches!(self.account, "" | "aws") || is_account_id(self.account))
            && graphic(self.resource)
    }
}

/// Whether a text has the form of a service's name in an ARN: `acm`, `execute-api`.
pub fn is_service(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// What is wrong with a range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRange {
    /// The text has not the form of one.
    Form,
    /// It is an address without a prefix.
    AddressAlone,
    /// Its address is not the first of the range.
    AddressInside,
}

/// Whether a text is a range of addresses that begins with its first one (`10.0.0.0/16`, `2001:db8::/32`).
pub fn check_cidr(text: &str) -> Result<(), NoRange> {
    let Some((address, prefix)) = text.split_once('/') else {
        return Err(if text.parse::<IpAddr>().is_ok() { NoRange::AddressAlone } else { NoRange::Form });
    };
    let (Ok(address), true) = (address.parse::<IpAddr>(), is_number(prefix)) else {
        return Err(NoRange::Form);
    };
    let (bits, width) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let Some(host) = prefix.parse::<u32>().ok().and_then(|prefix| u32::checked_sub(width, prefix)) else {
        return Err(NoRange::Form);
    };
    let within = 1_u128.checked_shl(host).map_or(u128::MAX, |size| size - 1);
    if bits & within == 0 { Ok(()) } else { Err(NoRange::AddressInside) }
}

/// Whether a text is a whole number without a sign and without a zero before it.
fn is_number(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 3
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
}

/// What is wrong with the name of a provider of secrets, the last part of `leo/<environment>/<provider>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoProvider {
    /// Not 1 to [`PROVIDER_LENGTH`] lower-case letters, digits and inner hyphens, a letter first.
    Form,
    /// It ends with a hyphen and six characters: AWS Secrets Manager takes that for a partial ARN with its random suffix
    /// (CreateSecret, "Name").
    LikeArn,
}

impl NoProvider {
    /// What is wrong, as a predicate that reads after what names it.
    pub fn what(self) -> &'static str {
        match self {
            Self::Form => "is not a provider name",
            Self::LikeArn => {
                "ends with a hyphen and six characters, which Secrets Manager takes for the suffix of an ARN"
            }
        }
    }

    /// What would be right.
    pub fn wanted(self) -> String {
        match self {
            Self::Form => format!(
                "1 to {PROVIDER_LENGTH} lower-case letters, digits and inner hyphens, beginning with a letter: `github`"
            ),
            Self::LikeArn => "make the last part shorter or longer".to_owned(),
        }
    }
}

/// Whether a text can be the name of a provider of secrets (`github`).
pub fn check_provider(text: &str) -> Result<(), NoProvider> {
    if !is_label(text, PROVIDER_LENGTH) {
        return Err(NoProvider::Form);
    }
    if text.rsplit_once('-').is_some_and(|(_, last)| last.len() == 6) {
        return Err(NoProvider::LikeArn);
    }
    Ok(())
}

/// Whether a text is lower-case letters, digits and inner hyphens, a letter first.
pub fn is_label(text: &str, longest: usize) -> bool {
    text.len() <= longest
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Whether a variable of a container is set by the platform or by ECS: `LEO_…`, `AWS_…`, `ECS_…` and `PORT`.
pub fn is_reserved(name: &str) -> bool {
    name.starts_with("LEO_") || name.starts_with("AWS_") || name.starts_with("ECS_") || name == "PORT"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for good in ["10.0.0.0/16", "0.0.0.0/0", "::/0", "2001:db8::/32", "192.0.2.7/32", "2001:db8::1/128"] {
            assert_eq!(check_cidr(good), Ok(()), "{good}");
        }
        assert_eq!(check_cidr("10.0.0.1"), Err(NoRange::AddressAlone));
        assert_eq!(check_cidr("10.0.0.1/8"), Err(NoRange::AddressInside));
        assert_eq!(check_cidr("2001:db8::1/64"), Err(NoRange::AddressInside));
        for bad in
            ["", "/", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/+8", "10.0.0.0/08", "10.0/8", "x/8"]
        {
            assert_eq!(check_cidr(bad), Err(NoRange::Form), "{bad}");
        }
    }

    #[test]
    fn arns() {
        let certificate = Arn::parse("arn:aws:acm:us-east-1:123456789012:certificate/a:b").unwrap();
        assert_eq!(certificate.resource, "certificate/a:b");
        assert!(certificate.is_complete());
        for good in ["arn:aws:s3:::bucket", "arn:aws-cn:iam::aws:policy/X"] {
            assert!(Arn::parse(good).unwrap().is_complete(), "{good}");
        }
        for bad in
            ["arn:aws:acm:us-east-1a:123456789012:x", "arn:aws:acm::12:x", "arn:aws:acm:::", "arn:aws::::x"]
        {
            assert!(!Arn::parse(bad).unwrap().is_complete(), "{bad}");
        }
        for none in ["", "arn:aws:acm", "arn:aws-:a:::x", "arn:amazon:a:::x", "arm:aws:a:::x"] {
            assert_eq!(Arn::parse(none), None, "{none}");
        }
    }
}
