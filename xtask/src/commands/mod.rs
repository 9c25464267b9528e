//! The commands, one file each: its `Args` and its `run`.

pub(crate) mod bench;
pub(crate) mod ci;
pub(crate) mod deploy;
pub(crate) mod local;
pub(crate) mod push_images;
pub(crate) mod synth;
pub(crate) mod test;
