use std::fmt;

/// What the environment files and the process environment may set, besides secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    /// `AWS_REGION`: where an environment lives that names no region of its own.
    Region,
    /// `LEO_ENVIRONMENT`: which environment is meant where the command line doesn't say.
    Environment,
    /// `AWS_ACCOUNT_ID`: the only account that may be deployed to.
    Account,
    /// `AWS_PROFILE`: the profile of the AWS configuration to sign in with.
    Profile,
    /// `LEO_CERTIFICATE_ARN`: the certificate of the load balancer.
    Certificate,
    /// `LEO_DOMAIN_NAME`: the domain that people open.
    Domain,
    /// `LEO_HOSTED_ZONE_ID`: the Route 53 zone that holds the domain.
    HostedZone,
}

impl Setting {
    /// All of them, in the order of `env/.env.defaults`.
    pub const ALL: [Self; 7] = [
        Self::Region,
        Self::Environment,
        Self::Account,
        Self::Profile,
        Self::Certificate,
        Self::Domain,
        Self::HostedZone,
    ];

    /// The name of the variable.
    pub fn key(self) -> &'static str {
        match self {
            Self::Region => "AWS_REGION",
            Self::Environment => "LEO_ENVIRONMENT",
            Self::Account => "AWS_ACCOUNT_ID",
            Self::Profile => "AWS_PROFILE",
            Self::Certificate => "LEO_CERTIFICATE_ARN",
            Self::Domain => "LEO_DOMAIN_NAME",
            Self::HostedZone => "LEO_HOSTED_ZONE_ID",
        }
    }

    /// Its key in the table of one environment, `[environments.<name>]` of `infra/leo.toml`; `None`: it has none there.
    pub fn in_leo_toml(self) -> Option<&'static str> {
        match self {
            Self::Region => Some("region"),
            Self::Environment => None,
            Self::Account => Some("account"),
            Self::Profile => Some("profile"),
            Self::Certificate => Some("certificate_arn"),
            Self::Domain => Some("domain"),
            Self::HostedZone => Some("hosted_zone_id"),
        }
    }

    /// The setting of a variable's name.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.key() == key)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}
