//! The portal as a browser or a program meets it: real engine, memory store, a clock that tests move.

mod common;
mod journey;
