//! Whether public DNS leads to the load balancer.

use std::collections::BTreeSet;
use std::net::IpAddr;

use tokio::net::lookup_host;

/// A warning with the record to create, where the domain does not lead to the load balancer.
pub(super) async fn warning(domain: &str, load_balancer: &str) -> Option<String> {
    let (public, own) = tokio::join!(addresses(domain), addresses(load_balancer));
    compare(domain, &public, load_balancer, &own)
}

fn compare(
    domain: &str,
    public: &BTreeSet<IpAddr>,
    load_balancer: &str,
    own: &BTreeSet<IpAddr>,
) -> Option<String> {
    if !public.is_disjoint(own) {
        return None;
    }
    let state = if public.is_empty() {
        "does not resolve".to_owned()
    } else {
        let list = public.iter().map(ToString::to_string).collect::<Vec<_>>();
        format!("leads to {}", list.join(", "))
    };
    Some(format!(
        "{domain} {state}; create a record: {domain} CNAME {load_balancer} (in Route 53: an alias A record)"
    ))
}

/// The addresses of a name; none where it does not resolve.
async fn addresses(name: &str) -> BTreeSet<IpAddr> {
    // The port is only there because the resolver wants one.
    lookup_host((name, 443)).await.map(|found| found.map(|found| found.ip()).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(addresses: &[&str]) -> BTreeSet<IpAddr> {
        addresses.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn one_shared_address_is_enough() {
        let public = set(&["192.0.2.1", "192.0.2.2"]);
        assert_eq!(compare("app.example.com", &public, "lb.example", &set(&["192.0.2.2"])), None);
    }

    #[test]
    fn the_record_to_create_is_said() {
        let own = set(&["192.0.2.2"]);
        let none = compare("app.example.com", &set(&[]), "lb.example", &own).unwrap();
        let other = compare("app.example.com", &set(&["198.51.100.7"]), "lb.example", &own).unwrap();
        insta::assert_snapshot!([none, other].join("\n"), @r"
        app.example.com does not resolve; create a record: app.example.com CNAME lb.example (in Route 53: an alias A record)
        app.example.com leads to 198.51.100.7; create a record: app.example.com CNAME lb.example (in Route 53: an alias A record)
        ");
    }

    #[tokio::test]
    async fn loopback_leads_to_itself() {
        assert_eq!(warning("127.0.0.1", "127.0.0.1").await, None);
    }
}
