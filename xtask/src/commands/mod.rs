//! The commands that run in process, one file each: its `Args` and its `run`. The others are handed over, see `hand_over`.

pub(crate) mod bench;
pub(crate) mod ci;
pub(crate) mod env_check;
pub(crate) mod env_generate;
pub(crate) mod local;
pub(crate) mod synth;
pub(crate) mod test;
