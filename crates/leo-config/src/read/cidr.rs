use ipnet::{IpNet, Ipv4Net};

use crate::InvalidValue;

/// An IPv4 range whose address is the first of it.
pub(crate) fn ipv4(text: &str) -> Result<Ipv4Net, InvalidValue> {
    match any(text)? {
        IpNet::V4(range) => Ok(range),
        IpNet::V6(_) => {
            Err(InvalidValue::new("is not an IPv4 range", "an address and a prefix: `10.0.0.0/16`")
                .found("an IPv6 range"))
        }
    }
}

/// An IPv4 or IPv6 range whose address is the first of it.
pub(crate) fn any(text: &str) -> Result<IpNet, InvalidValue> {
    let Ok(range) = text.parse::<IpNet>() else {
        let error = InvalidValue::new(
            "is not a CIDR range",
            "an address and a prefix: `10.0.0.0/16`, `2001:db8::/32`",
        );
        let address = text.parse::<std::net::IpAddr>().is_ok();
        return Err(error.found(if address {
            format!("the address {text} alone")
        } else {
            format!("\"{text}\"")
        }));
    };
    if range.trunc() != range {
        let hint =
            format!("the range that it is in: `{}`; the one address: `{}`", range.trunc(), one(&range));
        return Err(
            InvalidValue::new("is an address inside its range, not the range", hint).found(range.to_string())
        );
    }
    Ok(range)
}

fn one(range: &IpNet) -> String {
    format!("{}/{}", range.addr(), range.max_prefix_len())
}

/// Whether two ranges share an address. One of two that do always holds the other.
pub(crate) fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}
