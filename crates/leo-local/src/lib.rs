//! The local target: an AWS emulator and the Docker engine.
