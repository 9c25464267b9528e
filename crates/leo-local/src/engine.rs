use std::net::Ipv4Addr;
use std::time::Duration;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::process::{command, output_within};

/// How long the engine may take to answer a question.
const PATIENCE: Duration = Duration::from_secs(20);

/// What runs containers beside the emulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Engine {
    /// A Docker engine with buildx on this machine.
    Docker(DockerEngine),
    /// None that is of use: templates are accepted, no container runs.
    None {
        /// Why, as a sentence fragment for people.
        reason: String,
    },
}

/// A Docker engine on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DockerEngine {
    /// The engine's version.
    pub version: String,
    /// The architecture that its containers run on.
    pub architecture: Architecture,
    /// The default bridge, on which tasks sit.
    pub bridge: Bridge,
    /// The engine's socket, as `unix://…`.
    pub host: String,
}

/// The architecture of the engine's containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// `linux/amd64`, ECS's `X86_64`.
    X86_64,
    /// `linux/arm64`, ECS's `ARM64`.
    Arm64,
}

/// The default bridge of a Docker engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bridge {
    /// This machine's address on the bridge: `host.docker.internal` in a container.
    pub gateway: Ipv4Addr,
    /// First address of its subnet.
    pub network: Ipv4Addr,
    /// Prefix length of its subnet.
    pub prefix: u8,
}

impl Bridge {
    /// The subnet that containers on the bridge have their addresses from; `None` for a prefix over 32.
    pub fn subnet(&self) -> Option<Ipv4Net> {
        Ipv4Net::new(self.network, self.prefix).ok()
    }
}

impl Engine {
    /// Asks the `docker` command line for an engine with buildx on this machine.
    pub fn detect() -> Self {
        match docker() {
            Ok(engine) => Self::Docker(engine),
            Err(reason) => Self::None { reason },
        }
    }

    /// The Docker engine, where there is one.
    pub fn docker(&self) -> Option<&DockerEngine> {
        match self {
            Self::Docker(engine) => Some(engine),
            Self::None { .. } => None,
        }
    }
}

fn docker() -> Result<DockerEngine, String> {
    let versions = ask(&["version", "--format", "{{.Server.Version}} {{.Server.Os}} {{.Server.Arch}}"])
        .map_err(|reason| format!("no Docker engine answers: {reason}"))?;
    let (version, architecture) = parse_version(&versions)?;
    ask(&["buildx", "version"]).map_err(|reason| format!("the Docker engine has no buildx: {reason}"))?;
    // The emulator's client knows no contexts, only this address.
    let host = match std::env::var("DOCKER_HOST") {
        Ok(host) if !host.is_empty() => host,
        _ => ask(&["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"])?,
    };
    if !host.starts_with("unix://") {
        return Err(format!("the Docker engine at {host} is not on this machine"));
    }
    let bridge = parse_bridge(&ask(&["network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}"])?)?;
    Ok(DockerEngine { version, architecture, bridge, host })
}

fn ask(arguments: &[&str]) -> Result<String, String> {
    let output =
        output_within(command("docker").args(arguments), PATIENCE).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "there is no `docker` command".to_owned(),
            _ => format!("`docker {}`: {error}", arguments.join(" ")),
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said
        .lines()
        .rfind(|line| !line.trim().is_empty())
        .unwrap_or("it failed and said nothing")
        .trim()
        .to_owned())
}

fn parse_version(text: &str) -> Result<(String, Architecture), String> {
    let mut words = text.split_whitespace();
    let (Some(version), Some(system), Some(architecture)) = (words.next(), words.next(), words.next()) else {
        return Err(format!("the Docker engine's version `{text}` is not understood"));
    };
    let architecture = match (system, architecture) {
        ("linux", "amd64") => Architecture::X86_64,
        ("linux", "arm64") => Architecture::Arm64,
        _ => {
            return Err(format!(
                "the Docker engine runs {system}/{architecture} containers, which Fargate does not"
            ));
        }
    };
    Ok((version.to_owned(), architecture))
}

fn parse_bridge(json: &str) -> Result<Bridge, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Pool {
        subnet: Option<String>,
        gateway: Option<String>,
    }

    let pools: Option<Vec<Pool>> = serde_json::from_str(json)
        .map_err(|error| format!("the engine's default bridge is not understood: {error}"))?;
    pools
        .unwrap_or_default()
        .iter()
        .find_map(|pool| {
            let subnet: Ipv4Net = pool.subnet.as_deref()?.parse().ok()?;
            let gateway = match pool.gateway.as_deref() {
                Some(gateway) => gateway.parse().ok()?,
                None => subnet.hosts().next()?,
            };
            Some(Bridge { gateway, network: subnet.network(), prefix: subnet.prefix_len() })
        })
        .ok_or_else(|| "the engine's default bridge has no IPv4 subnet".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(parse_version("26.1.5 linux amd64"), Ok(("26.1.5".into(), Architecture::X86_64)));
        assert_eq!(
            parse_version("28.0 linux arm64").map(|(_, architecture)| architecture),
            Ok(Architecture::Arm64)
        );
        assert!(parse_version("28.0 windows amd64").unwrap_err().contains("windows/amd64"));
        assert!(parse_version("").is_err());
    }

    #[test]
    fn bridges_are_read() {
        let bridge =
            parse_bridge(r#"[{"Subnet":"fd00::/64"},{"Subnet":"172.17.0.0/16","Gateway":"172.17.0.1"}]"#)
                .unwrap();
        assert_eq!(bridge.gateway, Ipv4Addr::new(172, 17, 0, 1));
        assert_eq!(bridge.subnet().unwrap().to_string(), "172.17.0.0/16");
        let bridge = parse_bridge(r#"[{"Subnet":"10.9.0.0/24"}]"#).unwrap();
        assert_eq!(bridge.gateway, Ipv4Addr::new(10, 9, 0, 1));
        for bad in ["null", "[]", r#"[{"Subnet":"x"}]"#, "{"] {
            assert!(parse_bridge(bad).is_err(), "{bad}");
        }
    }
}
