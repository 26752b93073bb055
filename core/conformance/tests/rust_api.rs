//! The corpus through the linked Rust library.

narthex_conformance::front_door_scenarios!(narthex_conformance::RustFrontDoor::boxed);
