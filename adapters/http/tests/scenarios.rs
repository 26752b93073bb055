//! The front-door corpus through `PortalService::handle`, twice: as a program that speaks JSON, and
//! as a browser that reads pages and sends their forms.

#[cfg(test)]
#[path = "scenarios/client.rs"]
mod client;
#[cfg(test)]
#[path = "scenarios/html.rs"]
mod html;
#[cfg(test)]
#[path = "scenarios/json.rs"]
mod json;
#[cfg(test)]
#[path = "scenarios/json_recovery.rs"]
mod json_recovery;
#[cfg(test)]
#[path = "scenarios/page.rs"]
mod page;
#[cfg(test)]
#[path = "scenarios/pages.rs"]
mod pages;
#[cfg(test)]
#[path = "scenarios/pages_recovery.rs"]
mod pages_recovery;

mod as_json {
    narthex_conformance::front_door_scenarios!(crate::json::JsonDoor::boxed);
}

mod as_pages {
    narthex_conformance::front_door_scenarios!(crate::pages::PagesDoor::boxed);
}
