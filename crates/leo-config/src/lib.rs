//! infra/leo.toml and the environment, validated into one Config.
