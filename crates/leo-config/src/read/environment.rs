//! What one environment has of its own: `[environments.<name>]` and the variables.

use std::{fmt, str::FromStr};

use leo_diagnostic::Diagnostic;
use leo_env::{Env, Origin, Schema, Setting, Source};

use super::{
    item::Item,
    report::{Field, Place, Report},
    section::Section,
};
use crate::{
    AccountId, Certificate, CertificateArn, DomainName, Endpoint, HostedZoneId, InvalidValue, Region,
};

/// The settings of `[environments.<name>]` besides the tables that it overrides.
pub(crate) const KEYS: [&str; 8] = [
    "account",
    "region",
    "profile",
    "secrets_profile",
    "protected",
    "domain",
    "certificate_arn",
    "hosted_zone_id",
];

/// What is settled about the place of an environment. A value that is wrong was reported.
pub(crate) struct Settled {
    pub(crate) region: Field<Option<Region>>,
    pub(crate) account: Field<Option<AccountId>>,
    pub(crate) profile: Field<Option<String>>,
    pub(crate) secrets_profile: Option<String>,
    pub(crate) protected: bool,
    domain: Field<Option<DomainName>>,
    certificate: Field<Option<CertificateArn>>,
    hosted_zone: Field<Option<HostedZoneId>>,
}

impl Settled {
    /// Whether a setting has a value, or had one that was reported.
    pub(crate) fn is_given(&self, setting: Setting) -> bool {
        fn is_given<T>(field: &Field<Option<T>>) -> bool {
            field.value.is_some() || field.wrong
        }
        match setting {
            Setting::Region => is_given(&self.region),
            Setting::Account => is_given(&self.account),
            Setting::Profile => is_given(&self.profile),
            Setting::Domain => is_given(&self.domain),
            Setting::Certificate => is_given(&self.certificate),
            Setting::HostedZone => is_given(&self.hosted_zone),
            // Whoever chose the environment has its name.
            Setting::Environment => true,
        }
    }
}

/// Settles where the environment lives, from its own table and the variables.
pub(crate) fn settle(own: &Section<'_>, schema: &Schema, env: Option<&Env>) -> Settled {
    let protected = own.flag("protected", false).value;
    let settling = Settling { own, schema, env, protected };
    Settled {
        region: settling.place("region", Setting::Region),
        account: settling.place("account", Setting::Account),
        profile: settling.profile(),
        // No variable: it is about a role, not about how one person signs in.
        secrets_profile: own.optional("secrets_profile", |item| item.checked(profile(item.text()?))).value,
        protected,
        domain: settling.place("domain", Setting::Domain),
        certificate: settling.place("certificate_arn", Setting::Certificate),
        hosted_zone: settling.place("hosted_zone_id", Setting::HostedZone),
    }
}

impl Settled {
    /// Each setting that has a value, as text, with its place. The environment's name is none of them.
    pub(crate) fn each(&self) -> Vec<(Setting, String, &Place)> {
        fn text<T: fmt::Display>(field: &Field<Option<T>>) -> Option<(String, &Place)> {
            Some((field.value.as_ref()?.to_string(), field.place.as_ref()?))
        }
        let all = [
            (Setting::Region, text(&self.region)),
            (Setting::Account, text(&self.account)),
            (Setting::Profile, text(&self.profile)),
            (Setting::Domain, text(&self.domain)),
            (Setting::Certificate, text(&self.certificate)),
            (Setting::HostedZone, text(&self.hosted_zone)),
        ];
        let set = |(setting, found): (Setting, Option<(String, _)>)| {
            found.map(|(value, place)| (setting, value, place))
        };
        all.into_iter().filter_map(set).collect()
    }
}

/// A value is malformed, and that was reported.
struct Reported;

struct Settling<'s, 'a> {
    own: &'s Section<'a>,
    schema: &'s Schema,
    env: Option<&'s Env>,
    protected: bool,
}

impl Settling<'_, '_> {
    /// A setting that says where the environment is. What speaks of this environment alone (its own table, its own file,
    /// then this process) is taken before what speaks of all of them (`env/.env`, then `env/.env.defaults`), and must agree:
    /// a variable that was left in a shell must not move an environment. In a protected one the process has to agree with
    /// the files as well.
    fn place<T>(&self, key: &'static str, setting: Setting) -> Field<Option<T>>
    where
        T: FromStr<Err = InvalidValue> + PartialEq + fmt::Display,
    {
        let own = self.own.optional(key, Item::parse::<T>);
        let mut wrong = own.wrong;
        let mut of = |source| match self.variable(source, setting, T::from_str) {
            Some(Err(Reported)) => {
                wrong = true;
                None
            }
            Some(Ok(found)) => Some(found),
            None => None,
        };
        let file = of(Source::Environment);
        let process = of(Source::Process);
        let shared = of(Source::Shared)
            .or_else(|| of(Source::Defaults))
            .or_else(|| self.default(setting, T::from_str));
        let mut candidates: Vec<(T, Place)> = own.value.zip(own.place).into_iter().chain(file).collect();
        let settled_by_files = !candidates.is_empty();
        if self.protected && !settled_by_files {
            candidates.extend(shared);
            candidates.extend(process);
        } else {
            candidates.extend(process);
            candidates.extend(shared.filter(|_| candidates.is_empty()));
        }
        let mut candidates = candidates.into_iter();
        let Some((value, place)) = candidates.next() else {
            return Field { value: None, place: None, wrong };
        };
        for (other, there) in candidates.filter(|(other, _)| *other != value) {
            wrong = true;
            self.report_conflict((&value.to_string(), &place), (&other.to_string(), &there));
        }
        Field { value: Some(value), place: Some(place), wrong }
    }

    /// The profile only says how one signs in on this machine, so the nearest to the person wins, and none must agree.
    fn profile(&self) -> Field<Option<String>> {
        let own = self.own.optional("profile", |item| item.checked(profile(item.text()?)));
        let mut wrong = own.wrong;
        let mut of =
            |source| self.variable(source, Setting::Profile, profile)?.map_err(|Reported| wrong = true).ok();
        let nearer = [of(Source::Process), of(Source::Environment), of(Source::Shared)];
        let defaults = of(Source::Defaults).or_else(|| self.default(Setting::Profile, profile));
        let all = nearer.into_iter().flatten().chain(own.value.zip(own.place)).chain(defaults);
        match all.into_iter().next() {
            Some((value, place)) => Field { value: Some(value), place: Some(place), wrong },
            None => Field { value: None, place: None, wrong },
        }
    }

    /// A variable from one source; `Err`: it is malformed, which was reported.
    fn variable<T>(
        &self,
        source: Source,
        setting: Setting,
        parse: impl Fn(&str) -> Result<T, InvalidValue>,
    ) -> Option<Result<(T, Place), Reported>> {
        let given = self.env?.get_from(source, setting)?;
        let place = Place::Env { key: setting.key(), origin: given.origin.clone() };
        Some(
            match parse(&given.value)
                .and_then(|value| allowed(self.schema, setting, &given.value).map(|()| value))
            {
                Ok(value) => Ok((value, place)),
                Err(error) => {
                    self.own.report().wrong(&place, &error);
                    Err(Reported)
                }
            },
        )
    }

    /// What counts where nothing is given. The schema has checked it for its own type alone.
    fn default<T>(
        &self,
        setting: Setting,
        parse: impl Fn(&str) -> Result<T, InvalidValue>,
    ) -> Option<(T, Place)> {
        let text = self.env.and(self.schema.key(setting.key()))?.default.as_ref()?;
        let location = self.schema.location(setting.key());
        let place = Place::Env { key: setting.key(), origin: Origin { source: Source::Defaults, location } };
        match parse(text) {
            Ok(value) => Some((value, place)),
            Err(error) => {
                self.own.report().wrong(&place, &error);
                None
            }
        }
    }

    fn report_conflict(&self, (value, place): (&str, &Place), (other, there): (&str, &Place)) {
        let from = |place: &Place| match place {
            Place::Toml { .. } => String::new(),
            Place::Env { origin, .. } => format!(" from {origin}"),
        };
        let (one, two) = (place.to_string(), there.to_string());
        let problem = if one == two {
            format!("`{one}` has two values")
        } else {
            format!("`{one}` and `{two}` contradict each other")
        };
        let finding = Diagnostic::error(problem)
            .found(format!("`{value}`{}, and `{other}`{}", from(place), from(there)))
            .hint("change or unset one of them: where a deploy goes must not depend on which of the two is looked at");
        self.own.report().add(Some(place), finding);
    }
}

/// Whether the schema allows a value of a setting.
pub(crate) fn allowed(schema: &Schema, setting: Setting, value: &str) -> Result<(), InvalidValue> {
    let checked = schema.key(setting.key()).map_or(Ok(()), |spec| spec.check(value));
    checked.map_err(|malformed| InvalidValue::new(malformed.what, malformed.wanted))
}

/// The name of a profile of the AWS configuration.
fn profile(text: &str) -> Result<String, InvalidValue> {
    if text.is_empty() || text.trim() != text || text.chars().any(|c| c.is_control() || "[]#;\"'".contains(c))
    {
        return Err(InvalidValue::new(
            "is not a profile's name",
            "as `aws configure list-profiles` prints it",
        ));
    }
    Ok(text.to_owned())
}

/// The longest name that a certificate can be made for: its common name has 64 characters at most (RFC 5280; AWS
/// Certificate Manager, "RequestCertificate").
const LONGEST_CERTIFIED: usize = 64;

/// How the orchestrator is reached: HTTP without a domain, HTTPS with one. `None`: something is wrong, and reported.
pub(crate) fn endpoint(report: &Report<'_>, settled: &Settled) -> Option<Endpoint> {
    let Settled { domain, certificate, hosted_zone, .. } = settled;
    if domain.wrong || certificate.wrong || hosted_zone.wrong {
        return None;
    }
    match (&domain.value, &certificate.value, &hosted_zone.value) {
        (None, None, None) => Some(Endpoint::Http),
        (Some(name), Some(arn), zone) => {
            let certificate = Certificate::Existing { arn: arn.clone(), hosted_zone: zone.clone() };
            matches_place(report, settled, arn).then(|| Endpoint::Https { domain: name.clone(), certificate })
        }
        (Some(name), None, Some(_)) if name.as_str().len() > LONGEST_CERTIFIED => {
            let finding = Diagnostic::error(format!("no certificate can be made for the domain `{name}`"))
                .found(format!("{} characters", name.as_str().len()))
                .hint(format!(
                    "at most {LONGEST_CERTIFIED}, or a certificate that has a shorter name first (`certificate_arn` or \
                     `LEO_CERTIFICATE_ARN`)"
                ));
            report.add(domain.place.as_ref(), finding);
            None
        }
        (Some(name), None, Some(zone)) => {
            let certificate = Certificate::Issued { hosted_zone: zone.clone() };
            Some(Endpoint::Https { domain: name.clone(), certificate })
        }
        (Some(name), None, None) => {
            let finding = Diagnostic::error(format!("the domain `{name}` has neither a certificate nor a hosted zone"))
                .hint(
                    "give it a hosted zone (`hosted_zone_id` or `LEO_HOSTED_ZONE_ID`), in which a certificate is made, or a \
                     certificate (`certificate_arn` or `LEO_CERTIFICATE_ARN`)",
                );
            report.add(domain.place.as_ref(), finding);
            None
        }
        (None, certificate_arn, zone) => {
            for (given, what, place) in [
                (certificate_arn.is_some(), "certificate", &certificate.place),
                (zone.is_some(), "hosted zone", &hosted_zone.place),
            ] {
                if given {
                    let finding = Diagnostic::error(format!("there is a {what}, but no domain")).hint(
                        "set `domain` or `LEO_DOMAIN_NAME` to the name that people open: `leo.example.com`",
                    );
                    report.add(place.as_ref(), finding);
                }
            }
            None
        }
    }
}

/// A load balancer takes certificates of its own region and account alone.
fn matches_place(report: &Report<'_>, settled: &Settled, arn: &CertificateArn) -> bool {
    let mut good = true;
    if let Some(region) = settled.region.value.as_ref().filter(|region| region.as_str() != arn.region()) {
        good = false;
        let finding = Diagnostic::error("the certificate is in another region than the environment")
            .found(format!("a certificate in {}, and an environment in {region}", arn.region()))
            .hint(format!("request or import one in {region}: a load balancer takes no other"));
        report.add(settled.certificate.place.as_ref(), finding);
    }
    if let Some(account) = settled.account.value.as_ref().filter(|account| account.as_str() != arn.account())
    {
        good = false;
        let finding = Diagnostic::error("the certificate is in another account than the environment")
            .found(format!("a certificate in {}, and an environment in {account}", arn.account()))
            .hint(format!("request or import one in {account}: a load balancer takes no other"));
        report.add(settled.certificate.place.as_ref(), finding);
    }
    good
}
