use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{cidr, item::Item, section::Section};
use crate::{Endpoint, InvalidValue, LoadBalancer};

/// A security group has at most 60 inbound rules (Amazon VPC quotas), and each range needs one for each of two ports.
const MOST_RANGES: usize = 30;

/// The tables `[load_balancer]`. Without an endpoint nothing comes of it.
pub(crate) fn read(section: &Section<'_>, endpoint: Option<Endpoint>) -> Option<LoadBalancer> {
    let anyone = vec![
        Ipv4Net::new_assert([0, 0, 0, 0].into(), 0).into(),
        Ipv6Net::new_assert(0_u128.into(), 0).into(),
    ];
    Some(LoadBalancer {
        ingress: section.or("ingress_cidrs", anyone, ingress).value,
        // Elastic Load Balancing, "Application Load Balancer attributes" and "Target group attributes".
        idle_timeout_seconds: section.number("idle_timeout_seconds", 300, 1..=4000).value,
        deregistration_delay_seconds: section.number("deregistration_delay_seconds", 30, 0..=3600).value,
        stickiness_seconds: section.number("stickiness_seconds", 86_400, 1..=604_800).value,
        endpoint: endpoint?,
    })
}

fn ingress(item: &Item<'_>) -> Option<Vec<IpNet>> {
    let items = item.list()?;
    let given = items.len();
    let mut ranges: Vec<IpNet> = Vec::new();
    for item in items {
        let Some(range) = item.text().and_then(|text| item.checked(cidr::any(text))) else { continue };
        if let Some(other) = ranges.iter().find(|other| cidr::overlap(other, &range)) {
            let error = InvalidValue::new(
                format!("holds {range}, which overlaps {other}"),
                "keep the larger of the two; a range twice is a rule twice, which AWS refuses",
            );
            item.wrong::<()>(&error);
        } else {
            ranges.push(range);
        }
    }
    if given == 0 {
        let hint = "who may connect: `[\"0.0.0.0/0\", \"::/0\"]` is everyone";
        return item.wrong(&InvalidValue::new("lets nobody connect", hint).found("an empty list"));
    }
    if given > MOST_RANGES {
        let hint =
            format!("at most {MOST_RANGES}: a security group holds 60 rules, and each range needs two");
        return item.wrong(&InvalidValue::new("has too many ranges", hint).found(given.to_string()));
    }
    (ranges.len() == given).then_some(ranges)
}
