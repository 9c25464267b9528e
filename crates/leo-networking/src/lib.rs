//! The network: a VPC with one public subnet a zone, the way to the internet, a gateway endpoint to S3, and the
//! security groups.
//!
//! Deliberately absent: NAT gateways and private subnets (tasks have public addresses, and their security groups
//! let in nothing but what is listed here), and IPv6 inside the VPC.

use ipnet::IpNet;
use leo_cfn::{
    Attributes, Fragment, Handle, Value, join, logical_id, pseudo,
    types::ec2::{
        InternetGateway, Route, RouteTable, Rule, SecurityGroup, SecurityGroupIngress, Subnet,
        SubnetRouteTableAssociation, Vpc, VpcEndpoint, VpcGatewayAttachment, VpcId,
    },
};
use leo_config::{Config, Endpoint};

/// What the network offers.
#[derive(Debug)]
pub struct Exports {
    /// The VPC.
    pub vpc: Handle<Vpc>,
    /// The public subnets, in the order of the configuration's zones.
    pub subnets: Vec<Handle<Subnet>>,
    /// The orchestrator's group: its port, from the load balancer only.
    pub orchestrator: Handle<SecurityGroup>,
    /// The generators' group: nothing comes in.
    pub generator: Handle<SecurityGroup>,
    /// The load balancer's group.
    pub load_balancer: Handle<SecurityGroup>,
}

/// The network.
#[must_use]
pub fn network(config: &Config) -> (Fragment, Exports) {
    let mut fragment = Fragment::new("networking", "network");
    let vpc = fragment.add(
        logical_id!("Vpc"),
        Vpc {
            cidr_block: config.network.vpc_cidr.to_string(),
            enable_dns_hostnames: true,
            enable_dns_support: true,
        },
    );
    let subnets = public_subnets(config, &mut fragment, &vpc);
    let orchestrator = orchestrator_group(&mut fragment, vpc.reference());
    let load_balancer = load_balancer_group(config, &mut fragment, vpc.reference(), &orchestrator);
    fragment.add_with(
        logical_id!("OrchestratorIngress"),
        Attributes::default().component("orchestrator"),
        SecurityGroupIngress {
            description: "Requests that the load balancer passes on",
            group_id: orchestrator.group_id(),
            ip_protocol: "tcp",
            from_port: config.orchestrator.port,
            to_port: config.orchestrator.port,
            source_security_group_id: load_balancer.group_id(),
        },
    );
    let generator = fragment.add_with(
        logical_id!("GeneratorSecurityGroup"),
        Attributes::default().component("generator"),
        SecurityGroup {
            group_description: "Leo generators: nothing comes in",
            vpc_id: vpc.reference(),
            security_group_ingress: vec![],
            security_group_egress: vec![to_the_internet()],
        },
    );
    (fragment, Exports { vpc, subnets, orchestrator, generator, load_balancer })
}

fn public_subnets(config: &Config, fragment: &mut Fragment, vpc: &Handle<Vpc>) -> Vec<Handle<Subnet>> {
    let gateway = fragment.add(logical_id!("InternetGateway"), InternetGateway {});
    let attachment = fragment.add(
        logical_id!("InternetGatewayAttachment"),
        VpcGatewayAttachment { vpc_id: vpc.reference(), internet_gateway_id: gateway.reference() },
    );
    let table = fragment.add(logical_id!("PublicRouteTable"), RouteTable { vpc_id: vpc.reference() });
    fragment.add_with(
        logical_id!("InternetRoute"),
        // The gateway can be a route's target only once it is attached.
        Attributes::default().after(&attachment),
        Route {
            route_table_id: table.reference(),
            destination_cidr_block: "0.0.0.0/0".to_owned(),
            gateway_id: gateway.reference(),
        },
    );
    fragment.add(
        logical_id!("S3Endpoint"),
        VpcEndpoint {
            vpc_id: vpc.reference(),
            service_name: join(".", ["com.amazonaws".into(), pseudo::region(), "s3".into()]),
            vpc_endpoint_type: "Gateway",
            route_table_ids: vec![table.reference()],
            policy_document: None,
        },
    );
    config
        .network
        .subnets
        .iter()
        .map(|plan| {
            // The zone's letter is in the id: a zone that moves in the list keeps its subnet.
            let zone = plan.letter.to_string();
            let subnet = fragment.add(
                logical_id!("PublicSubnet").suffixed(&zone),
                Subnet {
                    vpc_id: vpc.reference(),
                    cidr_block: plan.cidr.to_string(),
                    availability_zone: join("", [pseudo::region(), plan.letter.to_string().into()]),
                    map_public_ip_on_launch: false,
                },
            );
            fragment.add(
                logical_id!("PublicSubnetRoutes").suffixed(&zone),
                SubnetRouteTableAssociation {
                    subnet_id: subnet.reference(),
                    route_table_id: table.reference(),
                },
            );
            subnet
        })
        .collect()
}

fn orchestrator_group(fragment: &mut Fragment, vpc: Value<VpcId>) -> Handle<SecurityGroup> {
    fragment.add_with(
        logical_id!("OrchestratorSecurityGroup"),
        Attributes::default().component("orchestrator"),
        SecurityGroup {
            group_description: "Leo orchestrator: its port, from the load balancer only",
            vpc_id: vpc,
            // Its one ingress rule is a resource of its own: two groups that name each other would be a circle.
            security_group_ingress: vec![],
            security_group_egress: vec![to_the_internet()],
        },
    )
}

fn load_balancer_group(
    config: &Config,
    fragment: &mut Fragment,
    vpc: Value<VpcId>,
    orchestrator: &Handle<SecurityGroup>,
) -> Handle<SecurityGroup> {
    let ports: &[(u16, &'static str)] = match config.load_balancer.endpoint {
        Endpoint::Http => &[(80, "HTTP")],
        Endpoint::Https { .. } => &[(80, "HTTP"), (443, "HTTPS")],
    };
    let ingress = config
        .load_balancer
        .ingress
        .iter()
        .flat_map(|from| ports.iter().map(move |(port, why)| from_address(*from, *port, why)))
        .collect();
    let mut to_orchestrator =
        Rule::new("Requests and health checks to the orchestrator", Some(config.orchestrator.port));
    to_orchestrator.destination_security_group_id = Some(orchestrator.group_id());
    fragment.add_with(
        logical_id!("LoadBalancerSecurityGroup"),
        Attributes::default().component("load-balancer"),
        SecurityGroup {
            group_description: "Leo load balancer: HTTP and HTTPS in, the orchestrator out",
            vpc_id: vpc,
            security_group_ingress: ingress,
            security_group_egress: vec![to_orchestrator],
        },
    )
}

fn from_address(from: IpNet, port: u16, why: &'static str) -> Rule {
    let mut rule = Rule::new(why, Some(port));
    match from {
        IpNet::V4(net) => rule.cidr_ip = Some(net.to_string()),
        IpNet::V6(net) => rule.cidr_ipv6 = Some(net.to_string()),
    }
    rule
}

/// Image registry, providers, databases, package registries, git over SSH: what containers reach is the
/// application's matter, so the group names no ports. Amazon's own resolver needs no rule.
fn to_the_internet() -> Rule {
    let mut rule = Rule::new("AWS, the providers and whatever the application calls", None);
    rule.cidr_ip = Some("0.0.0.0/0".to_owned());
    rule
}
