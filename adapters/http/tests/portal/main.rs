//! The portal as a browser or a program meets it: real engine, memory store, a clock that tests
//! move.

#[cfg(test)]
mod access;
#[cfg(test)]
mod common;
#[cfg(test)]
mod details;
#[cfg(test)]
mod front;
#[cfg(test)]
mod hooks;
#[cfg(test)]
mod host;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod json_api;
#[cfg(test)]
mod language;
#[cfg(test)]
mod looks;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod staff;
#[cfg(test)]
mod staff_roster;
