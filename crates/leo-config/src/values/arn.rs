use leo_env::form::Arn;

use crate::{AccountId, InvalidValue, Region, text::text};

text! {
    /// The ARN of a certificate in Certificate Manager.
    CertificateArn, check_certificate
}

text! {
    /// The ARN of a managed IAM policy, ours or AWS's.
    PolicyArn, check_policy
}

impl CertificateArn {
    /// The region that the certificate is in. A load balancer takes certificates of its own region alone.
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }

    /// The account that the certificate is in.
    pub fn account(&self) -> &str {
        self.0.split(':').nth(4).unwrap_or_default()
    }
}

fn check_certificate(text: &str) -> Result<(), InvalidValue> {
    let good = Arn::parse(text).is_some_and(|arn| {
        arn.service == "acm"
            && Region::parse(arn.region).is_ok()
            && AccountId::parse(arn.account).is_ok()
            && arn.resource.strip_prefix("certificate/").is_some_and(is_id)
    });
    if good {
        return Ok(());
    }
    let error = InvalidValue::new(
        "is not an ACM certificate ARN",
        "copy it from Certificate Manager: arn:aws:acm:<region>:<account>:certificate/<id>",
    );
    Err(with_kind(error, text))
}

fn check_policy(text: &str) -> Result<(), InvalidValue> {
    let good = Arn::parse(text).is_some_and(|arn| {
        arn.service == "iam"
            && arn.region.is_empty()
            && (arn.account == "aws" || AccountId::parse(arn.account).is_ok())
            && arn.resource.strip_prefix("policy/").is_some_and(|path| path.split('/').all(is_name))
    });
    if good {
        return Ok(());
    }
    let error = InvalidValue::new(
        "is not the ARN of an IAM policy",
        "copy it from IAM, Policies: arn:aws:iam::<account>:policy/<name>",
    );
    Err(with_kind(error, text))
}

/// Says what kind of ARN was found, where the text is one at all.
fn with_kind(error: InvalidValue, text: &str) -> InvalidValue {
    let Some(arn) = Arn::parse(text) else {
        return if text.starts_with("arn:") {
            error.found("an incomplete ARN")
        } else {
            error.found("no ARN")
        };
    };
    let kind = arn.resource.split(['/', ':']).next().unwrap_or_default();
    error.found(match (arn.service, kind) {
        ("acm", "certificate") => "a certificate ARN with a malformed region, account or id".to_owned(),
        ("iam", "policy") => "a policy ARN with a malformed account or name".to_owned(),
        ("iam", "server-certificate") => "an IAM server certificate".to_owned(),
        ("iam", "role") => "an IAM role".to_owned(),
        ("iam", "user") => "an IAM user".to_owned(),
        (service, _) if service.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {
            format!("an ARN of the service `{service}`")
        }
        _ => "an ARN of another kind".to_owned(),
    })
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// A part of an IAM path or name (IAM, "IAM identifiers": letters, digits and `+=,.@-_`).
fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(error: &InvalidValue) -> &str {
        error.found_instead().unwrap()
    }

    #[test]
    fn certificates() {
        let arn =
            CertificateArn::parse("arn:aws-us-gov:acm:us-gov-west-1:123456789012:certificate/0a-1b").unwrap();
        assert_eq!((arn.region(), arn.account()), ("us-gov-west-1", "123456789012"));
        for (text, what) in [
            ("arn:aws:iam::123456789012:role/x", "an IAM role"),
            ("arn:aws:iam::123456789012:server-certificate/x", "an IAM server certificate"),
            (
                "arn:aws:acm:us-east-1:123456789012:certificate/",
                "a certificate ARN with a malformed region, account or id",
            ),
            (
                "arn:aws:acm:us-east-1:12:certificate/a",
                "a certificate ARN with a malformed region, account or id",
            ),
            (
                "arn:aws:acm-pca:us-east-1:123456789012:certificate-authority/a",
                "an ARN of the service `acm-pca`",
            ),
            ("arn:aws:acm", "an incomplete ARN"),
            ("arn:azure:acm:us-east-1:123456789012:certificate/a", "an incomplete ARN"),
            ("0a-1b", "no ARN"),
            ("", "no ARN"),
        ] {
            assert_eq!(found(&CertificateArn::parse(text).unwrap_err()), what, "{text}");
        }
    }

    #[test]
    fn policies() {
        for good in [
            "arn:aws:iam::123456789012:policy/x",
            "arn:aws:iam::aws:policy/team/Edge_1",
            "arn:aws-cn:iam::123456789012:policy/a+b=c,d.e@f",
        ] {
            assert!(PolicyArn::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "arn:aws:iam::123456789012:policy/",
            "arn:aws:iam:us-east-1:123456789012:policy/x",
            "arn:aws:iam::1:policy/x",
            "arn:aws:iam::123456789012:policy//x",
            "",
        ] {
            assert!(PolicyArn::parse(bad).is_err(), "{bad}");
        }
    }
}
