use ipnet::{IpNet, Ipv4Net};
use leo_diagnostic::Diagnostic;

use super::{
    cidr,
    item::Item,
    report::{Field, to_blame},
    section::Section,
};
use crate::{AvailabilityZone, InvalidValue, Network, Region, SubnetPlan};

/// A load balancer wants subnets of at least a /27 with 8 free addresses (Elastic Load Balancing, "Subnets for your load
/// balancer").
const SMALLEST_SUBNET: u8 = 27;

/// What a subnet gets in a VPC with room for four of them: 4,091 addresses, one for each task.
const USUAL_SUBNET: u8 = 20;

/// The tables `[network]`. Without a region the zones have no names, so nothing comes of it.
pub(crate) fn read(section: &Section<'_>, region: Option<&Region>) -> Option<Network> {
    let vpc = section.or("vpc_cidr", Ipv4Net::new_assert([10, 0, 0, 0].into(), 16), vpc_cidr);
    let zones = section.or("zones", vec!['a', 'b'], zone_letters);
    let given = section.optional("subnet_cidrs", subnet_cidrs);
    if vpc.wrong || zones.wrong || given.wrong {
        return None;
    }
    let cidrs = match &given.value {
        Some(cidrs) => as_given(section, &vpc, &zones, cidrs, &given)?,
        None => computed(section, &vpc, &zones)?,
    };
    let region = region?;
    let subnets = zones
        .value
        .iter()
        .zip(cidrs)
        .map(|(letter, cidr)| SubnetPlan {
            zone: AvailabilityZone::new(region, *letter),
            letter: *letter,
            cidr,
        })
        .collect();
    Some(Network { vpc_cidr: vpc.value, subnets })
}

fn vpc_cidr(item: &Item<'_>) -> Option<Ipv4Net> {
    let range = item.checked(cidr::ipv4(item.text()?))?;
    if !(16..=28).contains(&range.prefix_len()) {
        let error = InvalidValue::new("has a prefix that no VPC has", "from /16 to /28: `10.0.0.0/16`");
        return item.wrong(&error.found(format!("/{}", range.prefix_len())));
    }
    // Amazon VPC user guide, "VPC CIDR blocks", restrictions.
    let first = range.network();
    if first.octets().first() == Some(&0)
        || first.is_loopback()
        || first.is_link_local()
        || first.is_multicast()
    {
        let hint = "a private range: in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16";
        return item
            .wrong(&InvalidValue::new("is a range that no VPC may have", hint).found(range.to_string()));
    }
    Some(range)
}

fn zone_letters(item: &Item<'_>) -> Option<Vec<char>> {
    let items = item.list()?;
    let given = items.len();
    let mut letters = Vec::new();
    for item in items {
        let Some(text) = item.text() else { continue };
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(letter @ 'a'..='f'), None) if letters.contains(&letter) => {
                let error = InvalidValue::new(format!("names the zone `{letter}` twice"), "each zone once");
                item.wrong::<()>(&error);
            }
            (Some(letter @ 'a'..='f'), None) => letters.push(letter),
            _ => {
                let error = InvalidValue::new(
                    format!("holds \"{text}\""),
                    "the letters of zones, `a` to `f`: `[\"a\", \"b\"]`",
                );
                item.wrong::<()>(&error);
            }
        }
    }
    if !(2..=3).contains(&given) {
        let hint = "two or three: a load balancer wants two, and the network is laid out for at most three";
        return item.wrong(
            &InvalidValue::new("does not name two or three zones", hint)
                .found(format!("{given} in the list")),
        );
    }
    (letters.len() == given).then_some(letters)
}

fn subnet_cidrs(item: &Item<'_>) -> Option<Vec<(Ipv4Net, super::report::Place)>> {
    let items = item.list()?;
    let given = items.len();
    let cidrs: Vec<_> = items
        .iter()
        .filter_map(|item| {
            let range = item.checked(cidr::ipv4(item.text()?))?;
            if range.prefix_len() > SMALLEST_SUBNET {
                let hint = format!(
                    "at least a /{SMALLEST_SUBNET}: a load balancer wants 8 free addresses in each subnet"
                );
                return item.wrong(
                    &InvalidValue::new("holds a subnet that is too small", hint).found(range.to_string()),
                );
            }
            Some((range, item.place()))
        })
        .collect();
    (cidrs.len() == given).then_some(cidrs)
}

/// The subnets as they were given, if they fit the VPC and each other.
fn as_given(
    section: &Section<'_>,
    vpc: &Field<Ipv4Net>,
    zones: &Field<Vec<char>>,
    cidrs: &[(Ipv4Net, super::report::Place)],
    given: &Field<Option<Vec<(Ipv4Net, super::report::Place)>>>,
) -> Option<Vec<Ipv4Net>> {
    let report = section.report();
    let mut good = true;
    if cidrs.len() != zones.value.len() {
        good = false;
        let finding = Diagnostic::error("`network.subnet_cidrs` has not one range for each zone")
            .found(format!("{} ranges for {} zones", cidrs.len(), zones.value.len()))
            .hint("give each zone one, in the order of `zones`, or leave `subnet_cidrs` out");
        report.add(to_blame(&[given.place.as_ref(), zones.place.as_ref()]), finding);
    }
    for (index, (range, place)) in cidrs.iter().enumerate() {
        if !vpc.value.contains(range) {
            good = false;
            let finding = Diagnostic::error(format!("the subnet {range} is not in the VPC"))
                .hint(format!("a range in {} (`network.vpc_cidr`)", vpc.value));
            report.add(to_blame(&[Some(place), vpc.place.as_ref()]), finding);
        }
        let before = cidrs.iter().take(index).map(|(before, _)| before);
        for before in before.filter(|before| cidr::overlap(&IpNet::V4(**before), &IpNet::V4(*range))) {
            good = false;
            let finding = Diagnostic::error(format!("the subnets {before} and {range} overlap"))
                .hint("each address in one subnet");
            report.add(Some(place), finding);
        }
    }
    good.then(|| cidrs.iter().map(|(range, _)| *range).collect())
}

/// The first equal parts of the VPC. There is always room for a fourth, so that a zone that is added later moves none; only
/// a VPC too small for four /27 is divided into fewer.
fn computed(section: &Section<'_>, vpc: &Field<Ipv4Net>, zones: &Field<Vec<char>>) -> Option<Vec<Ipv4Net>> {
    let prefix = (vpc.value.prefix_len() + 2).clamp(USUAL_SUBNET, SMALLEST_SUBNET);
    let parts: Vec<Ipv4Net> =
        vpc.value.subnets(prefix).ok().into_iter().flatten().take(zones.value.len()).collect();
    if parts.len() == zones.value.len() {
        return Some(parts);
    }
    let finding = Diagnostic::error("the VPC is too small for its subnets")
        .found(format!(
            "{}, which holds {} of {} subnets of a /{SMALLEST_SUBNET}",
            vpc.value,
            parts.len(),
            zones.value.len()
        ))
        .hint("a larger `network.vpc_cidr`: a /25 holds them, a /16 is the default");
    section.report().add(to_blame(&[vpc.place.as_ref(), zones.place.as_ref()]), finding);
    None
}
