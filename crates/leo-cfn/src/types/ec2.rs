//! Amazon EC2: the network.

use super::{identifiers, resource};
use crate::{Handle, ParameterType, PolicyDocument, Value};
use serde::Serialize;

identifiers! {
    /// The id of a VPC.
    VpcId,
    /// The id of a subnet.
    SubnetId,
    /// The id of an internet gateway.
    InternetGatewayId,
    /// The id of a route table.
    RouteTableId,
    /// The id of a security group.
    SecurityGroupId,
    /// The id of an association, attachment, route, rule or endpoint: nothing takes it.
    AttachmentId,
}

impl ParameterType for VpcId {
    const TYPE: &'static str = "AWS::EC2::VPC::Id";
}
impl ParameterType for Vec<SubnetId> {
    const TYPE: &'static str = "List<AWS::EC2::Subnet::Id>";
}
impl ParameterType for SecurityGroupId {
    const TYPE: &'static str = "AWS::EC2::SecurityGroup::Id";
}

/// `AWS::EC2::VPC`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Vpc {
    /// Its IPv4 addresses.
    pub cidr_block: String,
    /// Whether instances get DNS names.
    pub enable_dns_hostnames: bool,
    /// Whether Amazon's resolver answers inside.
    pub enable_dns_support: bool,
}
resource!(Vpc = "AWS::EC2::VPC", List, Ref = VpcId);

/// `AWS::EC2::Subnet`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Subnet {
    /// Its VPC.
    pub vpc_id: Value<VpcId>,
    /// Its part of the VPC's addresses.
    pub cidr_block: String,
    /// Its zone, as `us-east-1a`.
    pub availability_zone: Value<String>,
    /// Whether what starts in it gets a public address unasked.
    pub map_public_ip_on_launch: bool,
}
resource!(Subnet = "AWS::EC2::Subnet", List, Ref = SubnetId);

/// `AWS::EC2::InternetGateway`.
#[derive(Debug, Serialize)]
pub struct InternetGateway {}
resource!(InternetGateway = "AWS::EC2::InternetGateway", List, Ref = InternetGatewayId);

/// `AWS::EC2::VPCGatewayAttachment`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VpcGatewayAttachment {
    /// The VPC.
    pub vpc_id: Value<VpcId>,
    /// The gateway that it gets.
    pub internet_gateway_id: Value<InternetGatewayId>,
}
resource!(VpcGatewayAttachment = "AWS::EC2::VPCGatewayAttachment", None, Ref = AttachmentId);

/// `AWS::EC2::RouteTable`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RouteTable {
    /// Its VPC.
    pub vpc_id: Value<VpcId>,
}
resource!(RouteTable = "AWS::EC2::RouteTable", List, Ref = RouteTableId);

/// `AWS::EC2::Route` to an internet gateway.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Route {
    /// The table that it is in.
    pub route_table_id: Value<RouteTableId>,
    /// The addresses that it leads to.
    pub destination_cidr_block: String,
    /// Where packets for them go.
    pub gateway_id: Value<InternetGatewayId>,
}
resource!(Route = "AWS::EC2::Route", None, Ref = AttachmentId);

/// `AWS::EC2::SubnetRouteTableAssociation`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SubnetRouteTableAssociation {
    /// The subnet.
    pub subnet_id: Value<SubnetId>,
    /// The table that it uses.
    pub route_table_id: Value<RouteTableId>,
}
resource!(SubnetRouteTableAssociation = "AWS::EC2::SubnetRouteTableAssociation", None, Ref = AttachmentId);

/// `AWS::EC2::VPCEndpoint`, of the gateway kind.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VpcEndpoint {
    /// The VPC.
    pub vpc_id: Value<VpcId>,
    /// The service, as `com.amazonaws.us-east-1.s3`.
    pub service_name: Value<String>,
    /// `Gateway`.
    pub vpc_endpoint_type: &'static str,
    /// The tables that get a route to it.
    pub route_table_ids: Vec<Value<RouteTableId>>,
    /// What may pass; everything that callers are allowed when absent.
    pub policy_document: Option<PolicyDocument>,
}
resource!(VpcEndpoint = "AWS::EC2::VPCEndpoint", List, Ref = AttachmentId);

/// `AWS::EC2::SecurityGroup`.
///
/// `security_group_egress` is no option: without an inline rule EC2 lets everything out, and a standalone egress
/// resource does not take that away.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SecurityGroup {
    /// What it is for. Changing it replaces the group.
    pub group_description: &'static str,
    /// Its VPC.
    pub vpc_id: Value<VpcId>,
    /// What may come in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub security_group_ingress: Vec<Rule>,
    /// What may go out.
    pub security_group_egress: Vec<Rule>,
}
resource!(SecurityGroup = "AWS::EC2::SecurityGroup", List, Ref = SecurityGroupId);

impl Handle<SecurityGroup> {
    /// The group's id.
    #[must_use]
    pub fn group_id(&self) -> Value<SecurityGroupId> {
        self.attribute("GroupId")
    }
}

/// One rule inside a security group.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Rule {
    /// What it is for.
    pub description: &'static str,
    /// The IP protocol: `tcp`, or `-1` for all.
    pub ip_protocol: &'static str,
    /// The first port; absent for all.
    pub from_port: Option<u16>,
    /// The last port; absent for all.
    pub to_port: Option<u16>,
    /// IPv4 addresses on the other side.
    pub cidr_ip: Option<String>,
    /// IPv6 addresses on the other side.
    pub cidr_ipv6: Option<String>,
    /// The group on the other side, of an egress rule.
    pub destination_security_group_id: Option<Value<SecurityGroupId>>,
}

impl Rule {
    /// One TCP port, or with `None` every protocol and port, with nobody on the other side yet.
    #[must_use]
    pub fn new(description: &'static str, port: Option<u16>) -> Self {
        Self {
            description,
            ip_protocol: if port.is_some() { "tcp" } else { "-1" },
            from_port: port,
            to_port: port,
            cidr_ip: None,
            cidr_ipv6: None,
            destination_security_group_id: None,
        }
    }
}

/// `AWS::EC2::SecurityGroupIngress`: a rule of its own, for two groups that name each other.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SecurityGroupIngress {
    /// What it is for.
    pub description: &'static str,
    /// The group that it lets into.
    pub group_id: Value<SecurityGroupId>,
    /// The IP protocol.
    pub ip_protocol: &'static str,
    /// The first port.
    pub from_port: u16,
    /// The last port.
    pub to_port: u16,
    /// The group that it lets in.
    pub source_security_group_id: Value<SecurityGroupId>,
}
resource!(SecurityGroupIngress = "AWS::EC2::SecurityGroupIngress", None, Ref = AttachmentId);
