//! Elastic Load Balancing: application load balancers.

use super::{
    certificatemanager::CertificateArn,
    ec2::{SecurityGroupId, SubnetId, VpcId},
    identifiers, resource,
};
use crate::{Handle, Value};
use serde::Serialize;

identifiers! {
    /// The ARN of a load balancer.
    LoadBalancerArn,
    /// The ARN of a target group.
    TargetGroupArn,
    /// The ARN of a listener.
    ListenerArn,
}

/// A key with its value, as load balancers and target groups take their settings.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attribute {
    /// The setting's name, as `idle_timeout.timeout_seconds`.
    pub key: &'static str,
    /// Its value.
    pub value: String,
}

impl Attribute {
    /// A setting.
    #[must_use]
    pub fn new(key: &'static str, value: impl Into<String>) -> Self {
        Self { key, value: value.into() }
    }
}

/// `AWS::ElasticLoadBalancingV2::LoadBalancer`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LoadBalancer {
    /// `application`.
    pub r#type: &'static str,
    /// `internet-facing`.
    pub scheme: &'static str,
    /// `ipv4`: the subnets have no IPv6 addresses.
    pub ip_address_type: &'static str,
    /// Where it stands: at least two zones.
    pub subnets: Value<Vec<SubnetId>>,
    /// What it lets in and out.
    pub security_groups: Vec<Value<SecurityGroupId>>,
    /// Its settings.
    pub load_balancer_attributes: Vec<Attribute>,
}
resource!(LoadBalancer = "AWS::ElasticLoadBalancingV2::LoadBalancer", List, Ref = LoadBalancerArn);

impl Handle<LoadBalancer> {
    /// The name that CloudFormation gave it.
    #[must_use]
    pub fn name(&self) -> Value<String> {
        self.attribute("LoadBalancerName")
    }

    /// The name under which AWS answers for it.
    #[must_use]
    pub fn dns_name(&self) -> Value<String> {
        self.attribute("DNSName")
    }

    /// The hosted zone of that name, as an alias record needs it.
    #[must_use]
    pub fn canonical_hosted_zone_id(&self) -> Value<String> {
        self.attribute("CanonicalHostedZoneID")
    }
}

/// `AWS::ElasticLoadBalancingV2::TargetGroup`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TargetGroup {
    /// The VPC of the targets.
    pub vpc_id: Value<VpcId>,
    /// `ip`: what Fargate tasks are.
    pub target_type: &'static str,
    /// `HTTP`.
    pub protocol: &'static str,
    /// The port that targets listen on.
    pub port: u16,
    /// The path that a healthy target answers.
    pub health_check_path: String,
    /// `HTTP`.
    pub health_check_protocol: &'static str,
    /// Seconds between two checks.
    pub health_check_interval_seconds: u32,
    /// Seconds until a check without an answer has failed.
    pub health_check_timeout_seconds: u32,
    /// Good checks in a row that make a target healthy.
    pub healthy_threshold_count: u32,
    /// Bad checks in a row that make it unhealthy.
    pub unhealthy_threshold_count: u32,
    /// The answers that are good.
    pub matcher: Matcher,
    /// Its settings.
    pub target_group_attributes: Vec<Attribute>,
}
resource!(TargetGroup = "AWS::ElasticLoadBalancingV2::TargetGroup", List, Ref = TargetGroupArn);

/// The answers that a health check takes as good.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Matcher {
    /// HTTP status codes, as `200-299`.
    pub http_code: &'static str,
}

/// `AWS::ElasticLoadBalancingV2::Listener`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Listener {
    /// The load balancer.
    pub load_balancer_arn: Value<LoadBalancerArn>,
    /// The port that it listens on.
    pub port: u16,
    /// `HTTP` or `HTTPS`.
    pub protocol: &'static str,
    /// The TLS versions and ciphers, by a policy's name; for HTTPS only.
    pub ssl_policy: Option<&'static str>,
    /// The certificate; for HTTPS only.
    pub certificates: Option<[ListenerCertificate; 1]>,
    /// What becomes of a request.
    pub default_actions: [Action; 1],
}
resource!(Listener = "AWS::ElasticLoadBalancingV2::Listener", List, Ref = ListenerArn);

/// A listener's certificate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListenerCertificate {
    /// Its ARN.
    pub certificate_arn: Value<CertificateArn>,
}

/// What a listener does with a request.
#[derive(Debug, Serialize)]
#[serde(tag = "Type", rename_all = "lowercase")]
pub enum Action {
    /// Pass it to a target.
    Forward {
        /// Of this group.
        #[serde(rename = "TargetGroupArn")]
        target_group_arn: Value<TargetGroupArn>,
    },
    /// Send the client elsewhere.
    Redirect {
        /// Where to.
        #[serde(rename = "RedirectConfig")]
        redirect_config: RedirectConfig,
    },
}

/// Where a redirected client goes; host, path and query stay.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RedirectConfig {
    /// `HTTPS`.
    pub protocol: &'static str,
    /// The port, in digits.
    pub port: &'static str,
    /// `HTTP_301`.
    pub status_code: &'static str,
}
