//! Deploys through a network and a service that fail: no false outcome, none that hangs.

use crate::{
    proxy::Proxy,
    running::Ended,
    truth::{Account, Truth},
    workspace::{WorkTree, have_docker, images_of},
};
use leo_local::LocalTarget;
use std::{fmt::Write as _, path::PathBuf, process::Command};

/// What is asked for in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Create,
    NoOp,
    Update,
    Destroy,
}

const ROTATION: [Turn; 4] = [Turn::Create, Turn::NoOp, Turn::Update, Turn::Destroy];
/// How many turns the long version takes, and the one that every run of the tests does.
const (LONG, SHORT): (usize, usize) = (50, 4);

