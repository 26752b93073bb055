//! The portal as a browser or a program meets it: real engine, memory store, a clock that tests
//! move.

#[cfg(test)]
mod common;
#[cfg(test)]
mod front;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod json_api;
#[cfg(test)]
mod refusals;
