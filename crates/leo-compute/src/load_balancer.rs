//! The load balancer: target group, listeners, and with a hosted zone the certificate and the record.

use leo_cfn::{
    Attributes, Fragment, Handle, Value, logical_id,
    types::{
        certificatemanager::{Certificate as CertificateResource, CertificateArn, DomainValidationOption},
        ec2::{SecurityGroupId, SubnetId, VpcId},
        elasticloadbalancingv2::{
            Action, Attribute, Listener, ListenerCertificate, LoadBalancer, Matcher, RedirectConfig,
            TargetGroup,
        },
        route53::{AliasTarget, RecordSet},
    },
};
use leo_config::{Certificate, Config, DomainName, Endpoint, HostedZoneId};

/// TLS 1.3, and 1.2 with forward secrecy and authenticated ciphers only (Elastic Load Balancing, "Security policies").
const TLS_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06";

/// Where the load balancer stands.
pub(crate) struct Place {
    pub(crate) vpc: Value<VpcId>,
    pub(crate) subnets: Value<Vec<SubnetId>>,
    pub(crate) security_group: Value<SecurityGroupId>,
}

/// The load balancer, and what the service needs of it.
pub(crate) struct Front {
    pub(crate) load_balancer: Handle<LoadBalancer>,
    pub(crate) target_group: Handle<TargetGroup>,
    /// The listener that leads to the target group: until it is there, a service can't use the group.
    pub(crate) listener: Handle<Listener>,
}

pub(crate) fn add(config: &Config, fragment: &mut Fragment, place: Place) -> Front {
    let target_group = fragment.add(logical_id!("TargetGroup"), target_group(config, place.vpc));
    let load_balancer = fragment.add(
        logical_id!("LoadBalancer"),
        LoadBalancer {
            r#type: "application",
            scheme: "internet-facing",
            ip_address_type: "ipv4",
            subnets: place.subnets,
            security_groups: vec![place.security_group],
            load_balancer_attributes: vec![
                // WebSockets that are silent for longer are cut.
                Attribute::new(
                    "idle_timeout.timeout_seconds",
                    config.load_balancer.idle_timeout_seconds.to_string(),
                ),
                Attribute::new("routing.http.drop_invalid_header_fields.enabled", "true"),
                Attribute::new("routing.http.desync_mitigation_mode", "strictest"),
            ],
        },
    );
    let forward = Action::Forward { target_group_arn: target_group.reference() };
    let listener = match &config.load_balancer.endpoint {
        Endpoint::Http => fragment.add(logical_id!("HttpListener"), http(&load_balancer, forward)),
        Endpoint::Https { domain, certificate } => {
            let arn = certificate_arn(fragment, domain, certificate);
            let to_https = Action::Redirect {
                redirect_config: RedirectConfig { protocol: "HTTPS", port: "443", status_code: "HTTP_301" },
            };
            if let Some(zone) = hosted_zone(certificate) {
                fragment.add(logical_id!("AliasRecord"), alias(&load_balancer, domain, zone));
            }
            let https = fragment.add(
                logical_id!("HttpsListener"),
                Listener {
                    load_balancer_arn: load_balancer.reference(),
                    port: 443,
                    protocol: "HTTPS",
                    ssl_policy: Some(TLS_POLICY),
                    certificates: Some([ListenerCertificate { certificate_arn: arn }]),
                    default_actions: [forward],
                },
            );
            // One id for port 80 with and without HTTPS: as two resources the new one would be made before the old one
            // is gone, and the load balancer refuses a second listener on a port. It stops forwarding only once HTTPS
            // does, so that an environment that gets a domain is never without a way in.
            fragment.add_with(
                logical_id!("HttpListener"),
                Attributes::default().after(&https),
                http(&load_balancer, to_https),
            );
            https
        }
    };
    Front { load_balancer, target_group, listener }
}

fn target_group(config: &Config, vpc: Value<VpcId>) -> TargetGroup {
    let health = &config.orchestrator.health;
    let seconds = |key, seconds: u32| Attribute::new(key, seconds.to_string());
    TargetGroup {
        vpc_id: vpc,
        target_type: "ip",
        protocol: "HTTP",
        port: config.orchestrator.port,
        health_check_path: health.path.clone(),
        health_check_protocol: "HTTP",
        health_check_interval_seconds: health.interval_seconds,
        health_check_timeout_seconds: health.timeout_seconds,
        healthy_threshold_count: health.healthy_threshold,
        unhealthy_threshold_count: health.unhealthy_threshold,
        matcher: Matcher { http_code: "200-299" },
        target_group_attributes: vec![
            seconds(
                "deregistration_delay.timeout_seconds",
                config.load_balancer.deregistration_delay_seconds,
            ),
            Attribute::new("stickiness.enabled", "true"),
            Attribute::new("stickiness.type", "lb_cookie"),
            seconds("stickiness.lb_cookie.duration_seconds", config.load_balancer.stickiness_seconds),
        ],
    }
}

fn http(load_balancer: &Handle<LoadBalancer>, action: Action) -> Listener {
    Listener {
        load_balancer_arn: load_balancer.reference(),
        port: 80,
        protocol: "HTTP",
        ssl_policy: None,
        certificates: None,
        default_actions: [action],
    }
}

fn certificate_arn(
    fragment: &mut Fragment,
    domain: &DomainName,
    certificate: &Certificate,
) -> Value<CertificateArn> {
    match certificate {
        Certificate::Existing { arn, .. } => Value::existing(arn.as_str()),
        Certificate::Issued { hosted_zone } => fragment
            .add(
                logical_id!("Certificate"),
                CertificateResource {
                    domain_name: domain.to_string(),
                    validation_method: "DNS",
                    domain_validation_options: [DomainValidationOption {
                        domain_name: domain.to_string(),
                        hosted_zone_id: hosted_zone.to_string(),
                    }],
                },
            )
            .reference(),
    }
}

fn hosted_zone(certificate: &Certificate) -> Option<&HostedZoneId> {
    match certificate {
        Certificate::Existing { hosted_zone, .. } => hosted_zone.as_ref(),
        Certificate::Issued { hosted_zone } => Some(hosted_zone),
    }
}

fn alias(load_balancer: &Handle<LoadBalancer>, domain: &DomainName, zone: &HostedZoneId) -> RecordSet {
    RecordSet {
        hosted_zone_id: zone.to_string(),
        name: domain.to_string(),
        r#type: "A",
        alias_target: AliasTarget {
            dns_name: load_balancer.dns_name(),
            hosted_zone_id: load_balancer.canonical_hosted_zone_id(),
            evaluate_target_health: false,
        },
        comment: "The load balancer of Leo",
    }
}
